using Tidings.Realtime.Channels;
using Tidings.Realtime.Feeds;

namespace Tidings.Protocols.Hosting;

/// <summary>A host without feeds.</summary>
internal sealed class NoFeedSources : IFeedSources
{
    /// <inheritdoc />
    public ValueTask<IReadOnlyList<FeedSource>> ReadAsync(ChannelName feed, CancellationToken cancellationToken) =>
        ValueTask.FromResult<IReadOnlyList<FeedSource>>([]);
}
