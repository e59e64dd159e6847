using Tidings.Realtime.Channels;

namespace Tidings.Realtime.Feeds;

/// <summary>One channel that belongs in a feed.</summary>
/// <param name="Channel">The channel.</param>
/// <param name="Since">A place in the whole log: what came before it does not belong in the feed.</param>
internal readonly record struct FeedSource(ChannelName Channel, long Since);

/// <summary>Tells which channels make up a feed, besides the feed's own.</summary>
internal interface IFeedSources
{
    /// <summary>Reads the sources of a feed. Later changes arrive as <see cref="Publications.ChannelEffect"/>s in the feed's own channel.</summary>
    ValueTask<IReadOnlyList<FeedSource>> ReadAsync(ChannelName feed, CancellationToken cancellationToken);
}
