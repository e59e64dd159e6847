using Tidings.Realtime.Channels;
using Tidings.Realtime.Connections;
using Tidings.Realtime.Fanout;

namespace Tidings.Realtime.Presence;

/// <summary>
/// Finds a user's memberships: they are all on one shard, the user's home, also those of connections that became the user's on another.
/// So a user is in a channel once on this node, and what happens on one connection is noted in its order.
/// </summary>
internal sealed class HomeMembers(RealtimeEngine engine)
{
    /// <summary>A connection of its user is there. On the connection's shard.</summary>
    public void Connect(Connection connection) => OnHome(connection, connection.Identity.UserId, static (home, userId, _) => home.Connect(userId), "");

    /// <summary>A connection of its user is gone. On the connection's shard.</summary>
    public void Disconnect(Connection connection) => OnHome(connection, connection.Identity.UserId, static (home, userId, _) => home.Disconnect(userId), "");

    /// <summary>A subscription with presence is there. On its shard.</summary>
    public void Join(Subscription subscription) =>
        OnHome(subscription.Connection, subscription.Member?.UserId, static (home, _, subscription) => home.Join(subscription), subscription);

    /// <summary>A subscription with presence has ended. On its shard.</summary>
    public void Leave(Subscription subscription) =>
        OnHome(subscription.Connection, subscription.Member?.UserId, static (home, _, subscription) => home.Leave(subscription), subscription);

    /// <summary>A subscription is there that somebody watches over. On its shard.</summary>
    public void Occupy(Subscription subscription)
    {
        if (engine.Watcher is null || !subscription.Channel.IsForeign) return;
        OnHome(subscription.Connection, subscription.Channel.Value, static (home, channel, _) => home.Occupy(channel), "");
    }

    /// <summary>A subscription has ended that somebody watches over. On its shard.</summary>
    public void Vacate(Subscription subscription)
    {
        if (engine.Watcher is null || !subscription.Channel.IsForeign) return;
        OnHome(subscription.Connection, subscription.Channel.Value, static (home, channel, _) => home.Vacate(channel), "");
    }

    /// <summary>Calls back on a connection's shard when the store knows whether a user is in a channel. On that shard.</summary>
    public void WhenSettled(Connection connection, ChannelName channel, string userId, Action action)
    {
        var home = engine.ShardOf(userId);
        if (home == connection.Shard) home.Members.WhenSettled(channel, userId, action);
        else home.Post(() => home.Members.WhenSettled(channel, userId, () => connection.Shard.Post(action)));
    }

    private void OnHome<T>(Connection connection, string? userId, Action<ShardMembers, string, T> action, T argument)
    {
        if (userId is null) return;
        var home = engine.ShardOf(userId);
        if (home == connection.Shard) action(home.Members, userId, argument);
        else home.Post(() => action(home.Members, userId, argument));
    }
}
