using Tidings.Realtime.Channels;

namespace Tidings.Server.Scaleout.Redis;

/// <summary>
/// One Redis installation that carries a share of the channels, and the control messages. It subscribes to what is watched, many at a time, and
/// anew after each reconnect. Safe for all threads.
/// </summary>
internal sealed class RedisShard : IAsyncDisposable
{
    private const int BatchSize = 500;

    private readonly Lock _lock = new();
    private readonly RedisNames _names;
    private readonly Action _cameBack;
    private readonly Dictionary<ChannelName, int> _watched = [];
    private readonly HashSet<ChannelName> _changed = [];
    private readonly RedisLink _link;
    private RedisConnection? _connection;
    private Task _applying = Task.CompletedTask;

    /// <param name="installation">Where it is.</param>
    /// <param name="names">What things are called there.</param>
    /// <param name="arrived">Takes messages, one after the other: the Redis channel and the content.</param>
    /// <param name="cameBack">Called when messages arrive again, or for the first time.</param>
    /// <param name="clock">The clock.</param>
    /// <param name="logger">Where it is told whether Redis is in reach.</param>
    public RedisShard(
        RedisInstallation installation, RedisNames names, Action<string, ReadOnlyMemory<byte>> arrived, Action cameBack, TimeProvider clock, ILogger logger)
    {
        _names = names;
        _cameBack = cameBack;
        _link = new RedisLink(
            installation,
            SubscribeAllAsync,
            push =>
            {
                if (push is [{ Text: "message" }, var channel, var content]) arrived(channel.Text, content.Bytes);
            },
            Lost,
            clock,
            logger);
    }

    /// <summary>Whether messages go out and arrive.</summary>
    public bool IsUp
    {
        get
        {
            lock (_lock) return _connection is not null;
        }
    }

    /// <summary>Begins to connect.</summary>
    public void Start() => _link.Start();

    /// <summary>Sends a message; false if it cannot be sent now, and then it is lost.</summary>
    public bool TryPublish(string channel, ReadOnlyMemory<byte> content)
    {
        RedisConnection? connection;
        lock (_lock) connection = _connection;
        return connection is not null && connection.TrySend("PUBLISH", channel, content);
    }

    public void Watch(ChannelName channel) => Change(channel, 1);

    public void Unwatch(ChannelName channel) => Change(channel, -1);

    /// <summary>Completes when what was watched by now arrives, or nothing does.</summary>
    public Task SettledAsync()
    {
        lock (_lock) return _connection is null ? Task.CompletedTask : _applying;
    }

    public ValueTask DisposeAsync() => _link.DisposeAsync();

    private void Change(ChannelName channel, int by)
    {
        lock (_lock)
        {
            var count = _watched.GetValueOrDefault(channel) + by;
            if (count == 0) _watched.Remove(channel);
            else _watched[channel] = count;
            if (_connection is null || (by > 0 ? count != 1 : count != 0)) return;

            _changed.Add(channel);
            _applying = _applying.ContinueWith(_ => ApplyAsync(), TaskScheduler.Default).Unwrap(); // the first of several takes what has changed by then
        }
    }

    private async Task ApplyAsync()
    {
        RedisConnection? connection;
        List<RedisArgument> subscribe = ["SUBSCRIBE"];
        List<RedisArgument> unsubscribe = ["UNSUBSCRIBE"];
        lock (_lock)
        {
            connection = _connection;
            foreach (var channel in _changed) (_watched.ContainsKey(channel) ? subscribe : unsubscribe).Add(_names.Of(channel));
            _changed.Clear();
        }

        if (connection is null) return; // everything is subscribed to when it is back
        try
        {
            if (unsubscribe.Count > 1) await connection.SubscribeAsync([.. unsubscribe]).ConfigureAwait(false);
            if (subscribe.Count > 1) await connection.SubscribeAsync([.. subscribe]).ConfigureAwait(false);
        }
        catch (RedisException)
        {
            // The link knows.
        }
    }

    private async Task SubscribeAllAsync(RedisConnection connection, CancellationToken cancellationToken)
    {
        List<string> names;
        lock (_lock) names = [.. _watched.Keys.Select(_names.Of)];
        names.Add(_names.Nodes);
        foreach (var batch in names.Chunk(BatchSize))
            await connection.SubscribeAsync([(RedisArgument)"SUBSCRIBE", .. batch.Select(static name => (RedisArgument)name)]).WaitAsync(cancellationToken).ConfigureAwait(false);

        lock (_lock)
        {
            // What changed while that was under way.
            var subscribed = names.ToHashSet(StringComparer.Ordinal);
            _changed.Clear();
            _changed.UnionWith(_watched.Keys.Where(channel => !subscribed.Contains(_names.Of(channel))));
            _connection = connection;
            _applying = Task.Run(ApplyAsync, CancellationToken.None);
        }

        _cameBack();
    }

    private void Lost()
    {
        lock (_lock) _connection = null;
    }
}
