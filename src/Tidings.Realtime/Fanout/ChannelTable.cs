using System.Collections.Concurrent;
using Tidings.Realtime.Channels;
using Tidings.Realtime.Connections;

namespace Tidings.Realtime.Fanout;

/// <summary>The channels that are live on this node. Safe for all threads.</summary>
internal sealed class ChannelTable(RealtimeEngine engine)
{
    private readonly ConcurrentDictionary<ChannelName, LiveChannel> _channels = new();

    /// <summary>How many there are.</summary>
    public int Count => _channels.Count;

    /// <summary>The names that come after one, byte by byte, in order.</summary>
    public IReadOnlyList<ChannelName> NamesAfter(string name, string? kind, int limit) =>
    [
        .. _channels.Keys
            .Where(channel => !engine.Catalog.RulesOf(channel).IsInternal && (kind is null || channel.Kind == kind) && string.CompareOrdinal(channel.Value, name) > 0)
            .OrderBy(static channel => channel.Value, StringComparer.Ordinal)
            .Take(limit),
    ];

    /// <summary>The channel if it is live here.</summary>
    public LiveChannel? Find(ChannelName name) => _channels.GetValueOrDefault(name);

    /// <summary>The channel, live from now on.</summary>
    public LiveChannel Get(ChannelName name)
    {
        if (_channels.TryGetValue(name, out var known)) return known;
        var made = new LiveChannel(name, engine.Catalog.RulesOf(name), engine);
        engine.Bus.Watch(name, made.Rules); // before anybody can read where it stands
        var channel = _channels.GetOrAdd(name, made);
        if (channel != made) engine.Bus.Unwatch(name, made.Rules);
        return channel;
    }

    /// <summary>Makes room for a feed that is about to join on a shard.</summary>
    public LiveChannel Reserve(ChannelName name, int shard)
    {
        while (true)
        {
            var channel = Get(name);
            if (channel.TryReserve(shard)) return channel;
            Drop(channel);
        }
    }

    /// <summary>Removes a direct reader from its channel. On the reader's shard.</summary>
    public void Leave(Subscription subscription, Shard shard)
    {
        if (subscription.ReaderIndex >= 0) _channels[subscription.Channel].Leave(subscription, shard);
    }

    /// <summary>Gives up the channels that nobody has read for a while.</summary>
    public void RetireUnread()
    {
        foreach (var (_, channel) in _channels)
            if (channel.TryRetire()) Drop(channel);
    }

    /// <summary>Lets go of a channel if it is retired, so that the next look-up makes it anew.</summary>
    public void DropIfRetired(LiveChannel channel)
    {
        if (channel.IsRetired) Drop(channel);
    }

    private void Drop(LiveChannel channel)
    {
        if (_channels.TryRemove(KeyValuePair.Create(channel.Name, channel))) engine.Bus.Unwatch(channel.Name, channel.Rules);
    }
}
