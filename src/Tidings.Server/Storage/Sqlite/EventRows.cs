using System.Text.Json;
using System.Text.Unicode;
using Microsoft.Data.Sqlite;
using Tidings.Realtime.Channels;
using Tidings.Realtime.Publications;

namespace Tidings.Server.Storage.Sqlite;

/// <summary>
/// Rows of the log to publications and back, in one place. Whatever a row holds, it can be read: one that cannot be understood becomes a
/// tombstone, which keeps its place, so that the channel has no hole, and carries nothing.
/// </summary>
internal sealed partial class EventRows(LogPositions positions, ILogger<EventRows> logger)
{
    /// <summary>The columns that <see cref="Read"/> takes, of <c>events</c> named <c>e</c>.</summary>
    public const string Columns =
        "e.seq, e.offset, e.created_at, e.id, e.type, e.payload, e.full_payload, e.full_needs, e.effect, e.effect_target, e.excluded_connection";

    /// <summary>The type of an event that stands for a row which cannot be read.</summary>
    public const string TombstoneType = "tombstone";

    private const int MostReported = 1_024;
    private static readonly byte[] Nothing = "{}"u8.ToArray();

    private readonly HashSet<long> _reported = [];

    /// <summary>Sets the twelve parameters of the insert.</summary>
    public static Statement Write(Statement insert, ChannelState channel, PublicationDraft draft)
    {
        insert.Bind(1, channel.LastSequence).Bind(2, channel.Id).Bind(3, channel.LastOffset)
            .Bind(4, draft.Timestamp.ToUnixTimeMilliseconds()).Bind(5, draft.Id).Bind(6, draft.Type)
            .BindBytes(7, draft.Payload.Span);
        if (draft.FullPayload is { } full) insert.BindBytes(8, full.Span);
        else insert.BindNull(8);
        return insert.Bind(9, draft.FullNeeds)
            .Bind(10, draft.Effect is { } effect ? (long)effect.Kind : null).Bind(11, draft.Effect?.Target?.Value)
            .Bind(12, draft.ExcludedConnectionId);
    }

    /// <summary>Makes the publication of the row on which a statement stands.</summary>
    /// <param name="row">Its first columns are <see cref="Columns"/>.</param>
    /// <param name="channel">The row's channel.</param>
    /// <param name="epoch">The epoch of the channel's positions.</param>
    public Publication Read(Statement row, ChannelName channel, ulong epoch)
    {
        var sequence = row.ReadInt64(0);
        return new Publication(Draft(row, sequence, channel), new Position(epoch, row.ReadInt64(1)), positions.InLog(sequence));
    }

    /// <summary>The name in a row; null if it cannot be one, and then nobody can be subscribed to it.</summary>
    public ChannelName? ChannelOf(string text, long sequence)
    {
        if (TryParse(text) is { } name) return name;
        Report(sequence, "its channel's name is not one");
        return null;
    }

    private PublicationDraft Draft(Statement row, long sequence, ChannelName channel)
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
                    Timestamp = DateTimeOffset.FromUnixTimeMilliseconds(row.ReadInt64(2)),
                    Id = row.ReadString(3),
                    Type = row.ReadString(4),
                    Payload = row.ReadBytes(5),
                    FullPayload = row.IsNull(6) ? default(ReadOnlyMemory<byte>?) : row.ReadBytes(6),
                    FullNeeds = row.IsNull(7) ? null : row.ReadString(7),
                    Effect = effect,
                    ExcludedConnectionId = row.IsNull(10) ? null : row.ReadString(10),
                };
            }
        }
        catch (Exception unforeseen) when (unforeseen is not (SqliteException or OutOfMemoryException))
        {
            // Everything behind it would wait for it: the hand-over, and everybody whose replay it is in.
            problem = $"reading it failed ({unforeseen.GetType().Name})";
        }

        Report(sequence, problem);
        return new PublicationDraft
        {
            Channel = channel,
            Timestamp = IsInstant(row.ReadInt64(2)) ? DateTimeOffset.FromUnixTimeMilliseconds(row.ReadInt64(2)) : DateTimeOffset.UnixEpoch,
            Id = $"tombstone-{sequence}",
            Type = TombstoneType,
            Payload = Nothing,
        };
    }

    private static string? ProblemOf(Statement row, out ChannelEffect? effect)
    {
        effect = null;
        if (!IsInstant(row.ReadInt64(2))) return "its time is not one";
        if (row.ReadSpan(3).IsEmpty || row.ReadSpan(4).IsEmpty) return "its id or type is empty";
        if (!IsJsonLine(row.ReadSpan(5))) return "its payload is not JSON on one line";
        if (row.IsNull(6) != row.IsNull(7)) return "it has a full form without a right, or a right without one";
        if (!row.IsNull(6) && !IsJsonLine(row.ReadSpan(6))) return "its full payload is not JSON on one line";
        if (row.IsNull(8)) return null;

        var kind = row.ReadInt64(8);
        if (kind is < (long)ChannelEffectKind.Attach or > (long)ChannelEffectKind.Close) return "its effect is unknown";
        var target = row.IsNull(9) ? null : TryParse(row.ReadString(9));
        if (target is null && (!row.IsNull(9) || kind != (long)ChannelEffectKind.Close)) return "its effect's target is not a channel";
        effect = new ChannelEffect((ChannelEffectKind)kind, target);
        return null;
    }

    private static bool IsInstant(long milliseconds) =>
        milliseconds >= DateTimeOffset.MinValue.ToUnixTimeMilliseconds() && milliseconds <= DateTimeOffset.MaxValue.ToUnixTimeMilliseconds();

    private static bool IsJsonLine(ReadOnlySpan<byte> text)
    {
        // The reader does not look into strings for bytes that are not UTF-8.
        if (text.IndexOfAny((byte)'\n', (byte)'\r') >= 0 || !Utf8.IsValid(text)) return false;
        try
        {
            var reader = new Utf8JsonReader(text);
            while (reader.Read())
            {
            }

            return true;
        }
        catch (JsonException)
        {
            return false;
        }
    }

    private static ChannelName? TryParse(string text)
    {
        var colon = text.IndexOf(':', StringComparison.Ordinal);
        if (colon < 0 || !ChannelName.IsKind(text.AsSpan(0, colon)) || !ChannelName.IsId(text.AsSpan(colon + 1))) return null;
        return new ChannelName(text[..colon], text[(colon + 1)..]);
    }

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
