using Tidings.Realtime.Channels;
using Tidings.Realtime.Commands;
using Tidings.Realtime.Connections;
using Tidings.Realtime.Publications;

namespace Tidings.Realtime.Returning;

/// <summary>
/// Recovery for clients that can't ask for it: who comes back as the same user, in the same protocol, soon after a connection vanished gets
/// what that connection missed. It is found by time, since nobody knows what such a client has really received: rather an event again, with the
/// same id, than one too few.
/// </summary>
internal sealed class ReturningReaders(RealtimeEngine engine, IReaderMemory memory)
{
    /// <summary>How long before the last sign of a peer's life something may have been sent that it never received.</summary>
    private static readonly TimeSpan Doubt = TimeSpan.FromSeconds(2);

    /// <summary>How long a peer may take to show that it is there.</summary>
    private static readonly TimeSpan AnswerTime = TimeSpan.FromSeconds(1);

    private static readonly TimeSpan BetweenLooks = TimeSpan.FromMilliseconds(10);

    /// <summary>
    /// Where a new subscription begins. The first one of a connection takes over what a vanished connection left, for all that follow.
    /// </summary>
    /// <returns>The same command, or one with a position.</returns>
    public async ValueTask<SubscribeCommand> WithPlaceAsync(Connection connection, SubscribeCommand command, CancellationToken cancellationToken)
    {
        if (command.Since is not null) connection.Claim ??= ReaderClaim.None; // it knows itself where it was
        if (command.Since is not null || ReaderOf(connection) is not { } reader || engine.Catalog.RulesOf(command.Channel).History == 0) return command;

        connection.Claim ??= new ReaderClaim(ClaimAsync(connection, reader), engine.Clock.GetUtcNow());
        var trace = connection.Claim.Taken = await connection.Claim.Asking.WaitAsync(cancellationToken).ConfigureAwait(false);
        if (trace is null || !trace.Channels.Contains(command.Channel)) return command;

        var place = await FindPlaceAsync(command.Channel, trace.ReceivedThrough, cancellationToken).ConfigureAwait(false);
        return command with { Since = place ?? Lost };
    }

    /// <summary>What a connection reads has changed. On its shard.</summary>
    public void Changed(Connection connection)
    {
        if (connection.IsClosing || ReaderOf(connection) is not { } reader) return;
        connection.ReadsSince ??= engine.Clock.GetUtcNow();
        memory.Note(reader, ChannelsOf(connection), connection.ReadsSince.Value);
    }

    /// <summary>A connection ends, and still has its subscriptions. On its shard.</summary>
    public void Ended(Connection connection, CloseReason reason)
    {
        if (ReaderOf(connection) is not { } reader) return;
        if (connection.TakenOverAt > connection.HeardAt) reason = CloseReason.Normal; // whoever came for it is there
        if (!reason.MayBeComingBack)
        {
            memory.Forget(reader);
            return;
        }

        memory.Lose(reader, TraceOf(connection, connection.SilentFor(reason)));
    }

    /// <summary>A place that can't be recovered, so that whoever is told of a gap is told.</summary>
    private static Position Lost { get; } = new(ulong.MaxValue, 0);

    /// <summary>What a connection leaves behind from which nothing has come for a time. On its shard.</summary>
    private ReaderTrace TraceOf(Connection connection, TimeSpan silence)
    {
        var (channels, receivedThrough) = (ChannelsOf(connection), engine.Clock.GetUtcNow() - silence - Doubt);
        if (connection.Claim is { Taken: { } taken } claim && receivedThrough <= claim.At)
        {
            // It has vanished again before it surely had what it came back for, or has not asked for all of it yet.
            channels.UnionWith(taken.Channels);
            return new ReaderTrace(channels, taken.ReceivedThrough);
        }

        // What is older than its first subscription was never for it.
        return new ReaderTrace(channels, connection.ReadsSince is { } since && since > receivedThrough ? since : receivedThrough);
    }

    private ReaderKey? ReaderOf(Connection connection) =>
        connection.Format.TellsNoPlace && engine.Options.ReturnWindow > TimeSpan.Zero && connection.Identity.UserId is { } userId
            ? new ReaderKey(connection.Id, userId, connection.Format.Name)
            : null;

    private HashSet<ChannelName> ChannelsOf(Connection connection) =>
        [.. connection.Subscriptions.Where(subscription => engine.Catalog.RulesOf(subscription.Channel).History > 0).Select(static subscription => subscription.Channel)];

    private async Task<ReaderTrace?> ClaimAsync(Connection connection, ReaderKey reader)
    {
        try
        {
            return await memory.ClaimAsync(reader.UserId, reader.Protocol, CancellationToken.None).ConfigureAwait(false)
                ?? await TakeOverSilentAsync(connection, reader).ConfigureAwait(false);
        }
#pragma warning disable CA1031 // Live events are worth more than none at all.
        catch (Exception exception)
#pragma warning restore CA1031
        {
            engine.LogFault("looking for what a returning reader missed", exception);
            return null;
        }
    }

    /// <summary>
    /// Of a device that has changed its network the old connection still seems to be there. So the user's others here are asked for a sign of
    /// life; one that gives none within a second is taken over, and goes on if it was only slow.
    /// </summary>
    private async Task<ReaderTrace?> TakeOverSilentAsync(Connection connection, ReaderKey reader)
    {
        var others = engine.ConnectionsOf(reader.UserId)
            .Where(other => other != connection && !other.IsClosing && other.Format.Name == reader.Protocol && !other.Format.Probe.IsEmpty && other.TakenOverAt <= other.HeardAt)
            .ToList();
        if (others.Count == 0) return null;

        var askedAt = engine.Clock.GetTimestamp();
        foreach (var other in others) other.Probe();
        DropAnswered();
        while (others.Count > 0 && engine.Clock.GetElapsedTime(askedAt) < AnswerTime)
        {
            await Task.Delay(BetweenLooks, engine.Clock).ConfigureAwait(false);
            DropAnswered();
        }

        if (others.MinBy(static other => other.HeardAt) is not { } silent) return null;

        var taking = new TaskCompletionSource<ReaderTrace?>(engine.Scheduler.Completions);
        silent.Shard.Post(() =>
        {
            var isFree = !silent.IsClosing && silent.TakenOverAt <= silent.HeardAt;
            if (isFree) silent.TakenOverAt = engine.Clock.GetTimestamp();
            taking.TrySetResult(isFree ? TraceOf(silent, engine.Clock.GetElapsedTime(silent.HeardAt)) : null);
        });
        return await taking.Task.ConfigureAwait(false) ?? await memory.ClaimAsync(reader.UserId, reader.Protocol, CancellationToken.None).ConfigureAwait(false);

        void DropAnswered() => others.RemoveAll(other => other.HeardAt >= askedAt || other.IsClosing);
    }

    /// <summary>A place in a channel up to which there is nothing younger than a moment; null if the history does not tell.</summary>
    private async ValueTask<Position?> FindPlaceAsync(ChannelName name, DateTimeOffset moment, CancellationToken cancellationToken)
    {
        var rules = engine.Catalog.RulesOf(name);
        if (rules.IsFeed)
        {
            await engine.Fanout.CatchUpAsync().WaitAsync(cancellationToken).ConfigureAwait(false);
            return engine.Fanout.PlaceAt(moment);
        }

        var channel = engine.Channels.Get(name);
        await channel.ReadyAsync().WaitAsync(cancellationToken).ConfigureAwait(false);
        if (channel.PlaceAt(moment) is { } place) return place;

        // The ring does not reach back so far, but the log may.
        var log = engine.LogOf(rules);
        var snapshot = await log.ReadChannelAsync(name, 0, cancellationToken).ConfigureAwait(false);
        var events = await log.ReadSinceAsync(name, snapshot.TrimmedThrough, rules.History, cancellationToken).ConfigureAwait(false);
        if (events.Count > 0 && events[0].Draft.Timestamp > moment && snapshot.TrimmedThrough > 0) return null;
        var younger = events.FirstOrDefault(publication => publication.Draft.Timestamp > moment);
        return new Position(snapshot.Epoch, younger is null ? snapshot.LastOffset : younger.Position.Offset - 1);
    }
}
