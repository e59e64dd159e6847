using Tidings.Realtime.Channels;
using Tidings.Realtime.History;
using Tidings.Realtime.Publications;

namespace Tidings.Server.Features.Posts;

/// <summary>
/// Where channels stand, for an answer that a client subscribes from. Read it before the rows of the answer: then what happens in
/// between is in the rows, or after the position, or both, and never in neither.
/// </summary>
internal static class ChannelPositions
{
    private static readonly IReadOnlyDictionary<string, string> None = new Dictionary<string, string>();

    /// <summary>The position of a feed: a place in the whole log.</summary>
    public static async Task<IReadOnlyDictionary<string, string>> OfFeedAsync(this IDurableEventLog log, ChannelName feed, CancellationToken cancellationToken)
    {
        var last = await log.ReadLastSequenceAsync(cancellationToken).ConfigureAwait(false);
        return One(feed, new Position(log.SequenceEpoch, last));
    }

    /// <summary>The position of a channel; nothing for a visitor, who may not subscribe to it.</summary>
    public static async Task<IReadOnlyDictionary<string, string>> OfChannelAsync(
        this IDurableEventLog log, ChannelName channel, string? viewer, CancellationToken cancellationToken)
    {
        if (viewer is null) return None;
        var snapshot = await log.ReadChannelAsync(channel, recent: 0, cancellationToken).ConfigureAwait(false);
        return One(channel, new Position(snapshot.Epoch, snapshot.LastOffset));
    }

    private static Dictionary<string, string> One(ChannelName channel, Position position) => new(1) { [channel.Value] = position.ToString() };
}
