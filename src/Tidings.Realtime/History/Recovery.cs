using Tidings.Realtime.Commands;
using Tidings.Realtime.Connections;
using Tidings.Realtime.Fanout;
using Tidings.Realtime.Publications;

namespace Tidings.Realtime.History;

/// <summary>
/// How a reader of a channel gets what it missed: answer, replay, what arrived meanwhile, all through its connection's one queue. A
/// replay is whole or it is none: when something is missing from it, the client is told that it was not recovered.
/// </summary>
internal static class Recovery
{
    /// <summary>Finishes with what is at hand. On the connection's shard.</summary>
    public static void Finish(Subscription subscription, SubscribeCommand command, CatchUp catchUp)
    {
        if (command.Since is not { } since)
        {
            subscription.Start(command.Id, catchUp.Top);
            return;
        }

        subscription.Connection.Engine.Metrics.CountRecovery(catchUp.Missed is not null);
        subscription.Release(command.Id, since, catchUp.Top, catchUp.Missed);
    }

    /// <summary>Reads what was missed from the log, then finishes. The subscription is holding meanwhile.</summary>
    public static async Task ReadAndFinishAsync(
        RealtimeEngine engine, Subscription subscription, SubscribeCommand command, CatchUp catchUp, TaskCompletionSource done)
    {
        IReadOnlyList<Publication>? missed = null;
        try
        {
            missed = await ReadAsync(engine, subscription, command.Since!.Value, catchUp.Top).ConfigureAwait(false);
        }
#pragma warning disable CA1031 // Whatever went wrong, the client is told that it was not recovered and refetches.
        catch (Exception exception)
#pragma warning restore CA1031
        {
            engine.LogFault("reading what a reader missed", exception);
        }

        subscription.Connection.Shard.Post(() =>
        {
            if (!subscription.HasEnded) Finish(subscription, command, catchUp with { Missed = missed });
            done.TrySetResult();
        });
    }

    private static async Task<IReadOnlyList<Publication>?> ReadAsync(RealtimeEngine engine, Subscription subscription, Position since, Position top)
    {
        var rules = engine.Catalog.RulesOf(subscription.Channel);
        var log = engine.LogOf(rules);
        if (since.Offset > top.Offset)
        {
            var snapshot = await log.ReadChannelAsync(subscription.Channel, 0, CancellationToken.None).ConfigureAwait(false);
            return snapshot.Epoch == since.Epoch && since.Offset <= snapshot.LastOffset ? [] : null;
        }

        var missed = await log.ReadSinceAsync(subscription.Channel, since.Offset, rules.History, CancellationToken.None).ConfigureAwait(false);
        var expected = since.Offset;
        foreach (var publication in missed)
            if (publication.Position != since with { Offset = ++expected }) return null;
        return expected >= top.Offset ? missed : null;
    }
}
