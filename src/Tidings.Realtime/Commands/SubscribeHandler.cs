using Tidings.Realtime.Channels;
using Tidings.Realtime.Connections;
using Tidings.Realtime.Fanout;
using Tidings.Realtime.Feeds;
using Tidings.Realtime.History;
using Tidings.Realtime.Publications;

namespace Tidings.Realtime.Commands;

/// <summary>Subscribes a connection: checks on the caller's thread, everything else on the connection's shard.</summary>
internal static class SubscribeHandler
{
    public static async ValueTask HandleAsync(RealtimeEngine engine, Connection connection, SubscribeCommand command, CancellationToken cancellationToken)
    {
        var grant = await engine.AuthorizeAsync(connection.Identity, command.Channel, command.Token, cancellationToken).ConfigureAwait(false);
        if (!grant.IsAllowed)
        {
            engine.Metrics.CountRefusal(Refusal.Forbidden);
            connection.Send(new ErrorMessage(command.Id, ErrorCode.Forbidden, "You may not subscribe to this channel.", command.Channel.Value));
            return;
        }

        await HandleAsync(engine, connection, command, grant, cancellationToken).ConfigureAwait(false);
    }

    public static async ValueTask HandleAsync(
        RealtimeEngine engine, Connection connection, SubscribeCommand command, ChannelGrant grant, CancellationToken cancellationToken)
    {
        if (command.Presence == true && MemberOf(engine.Catalog.RulesOf(command.Channel), connection, command) is null)
        {
            engine.Metrics.CountRefusal(Refusal.Forbidden);
            connection.Send(new ErrorMessage(
                command.Id, ErrorCode.Forbidden, "You cannot be present in this channel: subscribe without presence.", command.Channel.Value));
            return;
        }

        if (connection.Format.TellsNoPlace) command = await engine.Returning.WithPlaceAsync(connection, command, cancellationToken).ConfigureAwait(false);
        var done = new TaskCompletionSource(engine.Scheduler.Completions);
        if (engine.Catalog.RulesOf(command.Channel).IsFeed)
        {
            connection.Shard.Post(() => JoinFeed(engine, connection, command, grant, done));
        }
        else
        {
            var channel = engine.Channels.Get(command.Channel);
            await channel.ReadyAsync().WaitAsync(cancellationToken).ConfigureAwait(false);
            connection.Shard.Post(() => Join(engine, connection, command, grant, done));
        }

        await done.Task.ConfigureAwait(false);
        if (engine.Greeting is { } greeting && greeting.Greets(command.Channel)) _ = GreetAsync(engine, connection, command.Channel, greeting);
    }

    /// <summary>Tells the reader what comes first, unless the subscription was refused or is over; what the client does next need not wait for it.</summary>
    private static async Task GreetAsync(RealtimeEngine engine, Connection connection, ChannelName channel, IChannelGreeting greeting)
    {
        try
        {
            if (await greeting.MakeAsync(connection.Identity, channel, CancellationToken.None).ConfigureAwait(false) is not { } draft) return;
            connection.Shard.Post(() => connection.SubscriptionTo(channel)?.Deliver(new Publication(draft)));
        }
#pragma warning disable CA1031 // The subscription is there without it, and the client can ask over HTTP.
        catch (Exception exception)
#pragma warning restore CA1031
        {
            engine.LogFault("greeting a subscriber", exception);
        }
    }

    private static void Join(RealtimeEngine engine, Connection connection, SubscribeCommand command, ChannelGrant grant, TaskCompletionSource done)
    {
        if (Refuse(engine, connection, command, grant, done)) return;

        var channel = engine.Channels.Get(command.Channel);
        var subscription = new Subscription(connection, channel.Name, channel.Rules, grant.Rights)
        {
            IsAttached = command.IsAttached,
            Member = (command.Presence ?? channel.Rules.Presence == PresenceRule.Always) ? MemberOf(channel.Rules, connection, command) : null,
            State = command.State,
        };
        if (channel.Join(subscription, connection.Shard, command.Since) is not { } catchUp)
        {
            engine.Channels.DropIfRetired(channel);
            _ = JoinLaterAsync(engine, connection, command, grant, done);
            return;
        }

        connection.Add(subscription);
        engine.Home.Occupy(subscription);
        engine.ReaderChanges.Note(channel.Name, connection.Shard);
        if (subscription.HasPresence) engine.Home.Join(subscription);
        if (grant.ExpiresAt is { } expiresAt) connection.Shard.Expiring.Add(subscription, expiresAt);
        if (catchUp.Kind != CatchUpKind.ReadLog)
        {
            Recovery.Finish(subscription, command, catchUp);
            done.TrySetResult();
            return;
        }

        subscription.Hold();
        _ = Recovery.ReadAndFinishAsync(engine, subscription, command, catchUp, done);
    }

    private static async Task JoinLaterAsync(
        RealtimeEngine engine, Connection connection, SubscribeCommand command, ChannelGrant grant, TaskCompletionSource done)
    {
        try
        {
            await engine.Channels.Get(command.Channel).ReadyAsync().ConfigureAwait(false);
            connection.Shard.Post(() => Join(engine, connection, command, grant, done));
        }
#pragma warning disable CA1031 // It is the waiting caller who deals with it.
        catch (Exception exception)
#pragma warning restore CA1031
        {
            done.TrySetException(exception);
        }
    }

    private static void JoinFeed(RealtimeEngine engine, Connection connection, SubscribeCommand command, ChannelGrant grant, TaskCompletionSource done)
    {
        if (Refuse(engine, connection, command, grant, done)) return;

        if (!connection.Shard.Feeds.TryGetValue(command.Channel, out var feed))
            connection.Shard.Feeds[command.Channel] = feed = new FeedNode(command.Channel, connection.Shard, engine);
        var subscription = new Subscription(connection, feed.Name, engine.Catalog.RulesOf(feed.Name), grant.Rights) { IsAttached = command.IsAttached, State = command.State };
        subscription.Hold();
        connection.Add(subscription);
        engine.ReaderChanges.Note(feed.Name, connection.Shard);
        if (grant.ExpiresAt is { } expiresAt) connection.Shard.Expiring.Add(subscription, expiresAt);
        feed.Join(new FeedJoin(subscription, command.Id, command.Since, done));
    }

    /// <summary>As whom the reader can be present; null if it can't.</summary>
    private static PresenceMember? MemberOf(ChannelRules rules, Connection connection, SubscribeCommand command)
    {
        if (rules.Presence == PresenceRule.None) return null;
        if (command.Member is { } member) return member;
        return connection.Identity.UserId is { } userId ? new PresenceMember(userId, default) : null;
    }

    private static bool Refuse(RealtimeEngine engine, Connection connection, SubscribeCommand command, ChannelGrant grant, TaskCompletionSource done)
    {
        if (command.Since is not null && connection.SubscriptionTo(command.Channel) is { IsAttached: true } attached)
            connection.Shard.EndSubscription(attached); // it comes back to resume

        ErrorMessage? refusal = null;
        if (command is { State: not null, IsAttached: false } && connection.SubscriptionTo(command.Channel) is { IsAttached: true } ours)
        {
            ours.BecomeTheClients(command.State); // the client now asks for what it has been given
            connection.Write(new SubscribedMessage(command.Id, command.Channel, ours.Position, null));
            done.TrySetResult();
            return true;
        }

        if (connection.SubscriptionTo(command.Channel) is not null)
            refusal = new(command.Id, ErrorCode.AlreadySubscribed, "This connection has subscribed to the channel already.", command.Channel.Value);
        else if (connection.Subscriptions.Count >= engine.Options.SubscriptionsPerConnection)
        {
            engine.Metrics.CountRefusal(Refusal.TooManySubscriptions);
            refusal = new(command.Id, ErrorCode.TooManySubscriptions, "This connection has as many subscriptions as it may.", command.Channel.Value);
        }
        else if (engine.Revoked.CoverGrantOf(grant.AskedAt, command.Channel, connection.Identity.UserId)
            || (command.Member is { } member && engine.Revoked.CoverGrantOf(grant.AskedAt, command.Channel, member.UserId)))
        {
            engine.Metrics.CountRefusal(Refusal.Forbidden);
            refusal = new(command.Id, ErrorCode.Forbidden, "You may not subscribe to this channel.", command.Channel.Value);
        }

        if (refusal is null && !connection.IsClosing) return false;
        if (refusal is not null) connection.Write(refusal);
        done.TrySetResult();
        return true;
    }
}
