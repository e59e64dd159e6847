using Tidings.Realtime.Channels;
using Tidings.Realtime.Fanout;

namespace Tidings.Realtime.Connections;

/// <summary>Ends subscriptions whose reader has lost the channel, each on its own shard.</summary>
internal static class Revocation
{
    /// <summary>What a client is told when it has lost a channel.</summary>
    public const string Reason = "access_revoked";

    /// <summary>Ends a user's subscriptions to a channel, or everybody's, and completes when nothing more will be queued for them.</summary>
    /// <returns>How many there were.</returns>
    public static async Task<int> RunAsync(RealtimeEngine engine, ChannelName channel, string? userId)
    {
        var counts = await Task.WhenAll(engine.Shards.Select(shard => EndOnAsync(engine, shard, channel, userId))).ConfigureAwait(false);
        return counts.Sum();
    }

    private static Task<int> EndOnAsync(RealtimeEngine engine, Shard shard, ChannelName channel, string? userId)
    {
        var done = new TaskCompletionSource<int>(engine.Scheduler.Completions);
        shard.Post(() => done.TrySetResult(EndOn(shard, channel, userId)));
        return done.Task;
    }

    private static int EndOn(Shard shard, ChannelName channel, string? userId)
    {
        var count = 0;
        foreach (var connection in shard.Connections)
        {
            if (connection.SubscriptionTo(channel) is not { } subscription) continue;
            if (userId is not null && connection.Identity.UserId != userId && subscription.Member?.UserId != userId) continue;

            shard.EndSubscription(subscription);
            connection.Write(new UnsubscribedMessage(null, channel, Reason));
            count++;
        }

        return count;
    }
}
