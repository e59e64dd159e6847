using Tidings.Realtime.Channels;
using Tidings.Realtime.Connections;
using Tidings.Realtime.Publications;

namespace Tidings.Realtime.Fanout;

/// <summary>
/// Changes what is in memory of events that have been rewritten in the log, so that a replay from here has the same: the rings of their
/// channels, what feeds replay from, and what is being replayed just now. Offsets and ids stay.
/// </summary>
internal static class HistoryRewrite
{
    /// <summary>Rewrites what is in memory on this node. Any thread, also under a channel's lock that is not among these.</summary>
    /// <param name="engine">The node.</param>
    /// <param name="channels">The channels whose events may be meant.</param>
    /// <param name="change">The event as it is now, or null if it is not meant. Called under locks, and more than once for an event.</param>
    public static void Run(RealtimeEngine engine, IReadOnlyCollection<ChannelName> channels, Func<PublicationDraft, PublicationDraft?> change)
    {
        var meant = channels.ToHashSet();
        foreach (var name in meant) engine.Channels.Find(name)?.Rewrite(change);
        engine.Fanout.Rewrite(publication =>
        {
            if (meant.Contains(publication.Channel)) publication.Rewrite(change);
        });
        foreach (var shard in engine.Shards)
        {
            shard.Post(() =>
            {
                foreach (var connection in shard.Connections)
                    foreach (var subscription in connection.Subscriptions) subscription.Rewrite(meant, change);
            });
        }
    }
}
