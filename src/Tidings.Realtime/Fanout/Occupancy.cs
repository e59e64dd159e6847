using Tidings.Realtime.Channels;

namespace Tidings.Realtime.Fanout;

/// <summary>A channel that somebody on this node reads.</summary>
/// <param name="Channel">The channel.</param>
/// <param name="Subscribers">How many subscriptions it has.</param>
internal sealed record ChannelOccupancy(ChannelName Channel, int Subscribers);

/// <summary>Counts who reads what, each shard its own.</summary>
internal static class Occupancy
{
    /// <summary>The subscriptions of some channels, in the order in which they are named.</summary>
    public static async Task<IReadOnlyList<ChannelOccupancy>> OfAsync(RealtimeEngine engine, IReadOnlyList<ChannelName> channels)
    {
        var counts = await Task.WhenAll(engine.Shards.Select(shard => CountOnAsync(engine, shard, channels))).ConfigureAwait(false);
        return [.. channels.Select((channel, index) => new ChannelOccupancy(channel, counts.Sum(ofShard => ofShard[index])))];
    }

    private static Task<int[]> CountOnAsync(RealtimeEngine engine, Shard shard, IReadOnlyList<ChannelName> channels)
    {
        var done = new TaskCompletionSource<int[]>(engine.Scheduler.Completions);
        shard.Post(() => done.TrySetResult([.. channels.Select(channel => CountOn(engine, shard, channel))]));
        return done.Task;
    }

    private static int CountOn(RealtimeEngine engine, Shard shard, ChannelName channel) =>
        (shard.Feeds.TryGetValue(channel, out var feed) ? feed.ReaderCount : 0) + (engine.Channels.Find(channel)?.DirectCountOn(shard) ?? 0);
}
