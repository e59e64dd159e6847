using Tidings.Realtime.Channels;
using Tidings.Realtime.Publications;

namespace Tidings.Server.Storage;

/// <summary>
/// Rows of the log to publications, in one place for both databases. Whatever a row holds, it can be read: one that cannot be understood
/// becomes a tombstone, which keeps its place, so that the channel has no hole, and carries nothing.
/// </summary>
internal sealed partial class EventRows(LogPositions positions, ILogger<EventRows> logger)
{
    /// <summary>The type of an event that stands for a row which cannot be read.</summary>
    public const string TombstoneType = "tombstone";

    private const int MostReported = 1_024;
    private static readonly byte[] Nothing = "{}"u8.ToArray();

    private readonly HashSet<long> _reported = [];

    /// <summary>Makes the publication of a row.</summary>
    /// <param name="row">The row.</param>
    /// <param name="channel">Its channel.</param>
    /// <param name="epoch">The epoch of the channel's positions.</param>
    public Publication Read(in StoredEvent row, ChannelName channel, ulong epoch) =>
        new(Draft(row, channel), new Position(epoch, row.Offset), positions.InLog(row.Place));

    /// <summary>The name in a row; null if it cannot be one, and then nobody can be subscribed to it.</summary>
    public ChannelName? ChannelOf(string text, long sequence)
    {
        if (ChannelName.TryParse(text, out var name)) return name;
        Report(sequence, "its channel's name is not one");
        return null;
    }

    private PublicationDraft Draft(in StoredEvent row, ChannelName channel)
    {
        string? problem;
        try
        {
            problem = ProblemOf(row, out var effect);
            if (problem is null)
            {
                return new PublicationDraft
                {
                    Channel = channel,
                    Timestamp = DateTimeOffset.FromUnixTimeMilliseconds(row.CreatedAt),
                    Id = row.Id,
                    Type = row.Type,
                    Payload = row.Payload,
                    FullPayload = row.FullPayload is { } full ? full : default(ReadOnlyMemory<byte>?),
                    FullNeeds = row.FullNeeds,
                    Effect = effect,
                    ExcludedConnectionId = row.ExcludedConnection,
                };
            }
        }
        catch (Exception unforeseen) when (unforeseen is not OutOfMemoryException)
        {
            // Everything behind it would wait for it: the hand-over, and everybody whose replay it is in.
            problem = $"reading it failed ({unforeseen.GetType().Name})";
        }

        Report(row.Sequence, problem);
        return new PublicationDraft
        {
            Channel = channel,
            Timestamp = IsInstant(row.CreatedAt) ? DateTimeOffset.FromUnixTimeMilliseconds(row.CreatedAt) : DateTimeOffset.UnixEpoch,
            Id = $"tombstone-{row.Sequence}",
            Type = TombstoneType,
            Payload = Nothing,
        };
    }

    private static string? ProblemOf(in StoredEvent row, out ChannelEffect? effect)
    {
        effect = null;
        if (!IsInstant(row.CreatedAt)) return "its time is not one";
        if (row.Id.Length == 0 || row.Type.Length == 0) return "its id or type is empty";
        if (!JsonLine.Is(row.Payload)) return "its payload is not JSON on one line";
        if (row.FullPayload is null != row.FullNeeds is null) return "it has a full form without a right, or a right without one";
        if (row.FullPayload is { } full && !JsonLine.Is(full)) return "its full payload is not JSON on one line";
        if (row.Effect is not { } kind) return null;

        if (kind is < (long)ChannelEffectKind.Attach or > (long)ChannelEffectKind.Close) return "its effect is unknown";
        var target = row.EffectTarget is not null && ChannelName.TryParse(row.EffectTarget, out var named) && !named.IsForeign ? named : null;
        if (target is null && (row.EffectTarget is not null || kind != (long)ChannelEffectKind.Close)) return "its effect's target is not a channel";
        effect = new ChannelEffect((ChannelEffectKind)kind, target);
        return null;
    }

    private static bool IsInstant(long milliseconds) =>
        milliseconds >= DateTimeOffset.MinValue.ToUnixTimeMilliseconds() && milliseconds <= DateTimeOffset.MaxValue.ToUnixTimeMilliseconds();

    private void Report(long sequence, string problem)
    {
        lock (_reported)
        {
            if (_reported.Count >= MostReported || !_reported.Add(sequence)) return;
        }

        Log.Poisoned(logger, sequence, problem);
    }

    private static partial class Log
    {
        [LoggerMessage(2101, LogLevel.Error, "Event {Sequence} of the log cannot be read: {Problem}. Its place is kept by a tombstone.")]
        public static partial void Poisoned(ILogger logger, long sequence, string problem);
    }
}
