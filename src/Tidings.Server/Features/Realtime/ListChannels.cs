using Tidings.Realtime;
using Tidings.Realtime.Channels;
using Tidings.Server.Host;
using Tidings.Server.Scaleout;

namespace Tidings.Server.Features.Realtime;

/// <summary>One channel that somebody reads.</summary>
internal sealed record ChannelListed(string Name, int Subscribers);

/// <summary>A page of channels; <paramref name="NextCursor"/> is null on the last.</summary>
internal sealed record ChannelPage(IReadOnlyList<ChannelListed> Channels, string? NextCursor);

/// <summary>
/// The channels that are read, on all nodes with one Redis, in the order of their names. A page may be shorter than asked for, or empty, and still not the
/// last: channels that nobody reads any more are left out.
/// </summary>
internal static class ListChannels
{
    private const int UsualLimit = 100;
    private const int MostLimit = 1_000;

    public static async Task<IResult> HandleAsync(RealtimeEngine engine, IReaderCounts readers, string? kind, string? cursor, string? limit, CancellationToken cancellationToken)
    {
        if (!PageLimit.TryParse(limit, UsualLimit, MostLimit, out var count)) return PageLimit.Refusal(MostLimit);
        if (kind is not null && !engine.Catalog.Kinds.ContainsKey(kind)) return Problems.Problem(404, "unknown_channel", "There is no such kind of channel.");
        if (cursor is not null && engine.Catalog.ParseAny(cursor, out _) != ChannelNameError.None) return Problems.Invalid("cursor", "This is not a cursor of ours.");

        var channels = await readers.ListAsync(cursor ?? "", kind, count, cancellationToken);
        return TypedResults.Ok(new ChannelPage(
            [.. channels.Where(static channel => channel.Subscribers > 0).Select(static channel => new ChannelListed(channel.Channel.Value, channel.Subscribers))],
            channels.Count == count ? channels[^1].Channel.Value : null));
    }
}
