using System.Buffers.Text;
using System.Security.Cryptography;
using Tidings.Realtime;
using Tidings.Realtime.Channels;
using Tidings.Realtime.Fanout;

namespace Tidings.Server.Scaleout.Redis;

/// <summary>
/// How many read what on all nodes: each tells Redis of its own, what has changed within a second, and adds to its own, which it knows to the moment, what
/// the others have told. Without Redis it goes on with its own. What a node has told lives for ten seconds without a sign of it.
/// </summary>
internal sealed partial class RedisReaderCounts : BackgroundService, IReaderCounts, IAsyncDisposable
{
    private const int MostAtOnce = 500;

    private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(500);
    private static readonly TimeSpan Lifetime = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan Renewal = TimeSpan.FromSeconds(3);

    private static readonly RedisScript Write = new(RedisReaderScripts.Write);
    private static readonly RedisScript Forget = new(RedisReaderScripts.Forget);
    private static readonly RedisScript Count = new(RedisReaderScripts.Count);
    private static readonly RedisScript List = new(RedisReaderScripts.List);

    private readonly string _node = Base64Url.EncodeToString(RandomNumberGenerator.GetBytes(12));
    private readonly Lock _lock = new();
    private readonly HashSet<ChannelName> _changed = [];
    private readonly RealtimeEngine _engine;
    private readonly RedisNames _names;
    private readonly TimeProvider _clock;
    private readonly ILogger _logger;
    private readonly RedisLink _link;
    private bool _tellsAll = true;
    private int _connections = -1;
    private long _toldAt;

    public RedisReaderCounts(RealtimeEngine engine, RedisInstallation installation, RedisNames names, TimeProvider clock, ILogger<RedisReaderCounts> logger)
    {
        (_engine, _names, _clock, _logger) = (engine, names, clock, logger);
        _link = new RedisLink(installation, static (_, _) => Task.CompletedTask, static _ => { }, static () => { }, clock, logger);
    }

    /// <inheritdoc />
    public override Task StartAsync(CancellationToken cancellationToken)
    {
        _engine.ReaderChanges.Told += Note;
        _link.Start();
        return base.StartAsync(cancellationToken);
    }

    /// <inheritdoc />
    public override async Task StopAsync(CancellationToken cancellationToken)
    {
        _engine.ReaderChanges.Told -= Note;
        await base.StopAsync(cancellationToken);
        try
        {
            if (_link.Connection is not null) await RunAsync(Forget, cancellationToken, _node);
        }
        catch (Exception exception) when (exception is RedisException or TimeoutException or OperationCanceledException)
        {
            // It goes with its lifetime.
        }
    }

    /// <inheritdoc />
    public async Task<IReadOnlyList<ChannelOccupancy>> ListAsync(string after, string? kind, int limit, CancellationToken cancellationToken)
    {
        var own = await _engine.ListChannelsAsync(after, kind, limit);
        var first = after.Length > 0 ? $"({after}" : kind is null ? "-" : $"[{kind}:";
        if (await TryAskAsync(List, cancellationToken, _node, first, kind is null ? "+" : $"({kind};", limit) is not { } answer) return own;

        var counts = own.ToDictionary(static channel => channel.Channel, static channel => channel.Subscribers);
        for (var index = 0; index + 1 < answer.Items.Count; index += 2)
        {
            if (!ChannelName.TryParse(answer.Items[index].Text, out var channel) || _engine.Catalog.FindRules(channel) is null) continue;
            counts[channel] = counts.GetValueOrDefault(channel) + (int)answer.Items[index + 1].Number;
        }

        return
        [
            .. counts.OrderBy(static channel => channel.Key.Value, StringComparer.Ordinal).Take(limit)
                .Select(static channel => new ChannelOccupancy(channel.Key, channel.Value)),
        ];
    }

    /// <inheritdoc />
    public async Task<IReadOnlyList<int>> CountAsync(IReadOnlyList<ChannelName> channels, CancellationToken cancellationToken)
    {
        var counts = (await _engine.CountSubscribersAsync(channels)).Select(static channel => channel.Subscribers).ToArray();
        for (var start = 0; start < channels.Count; start += MostAtOnce)
        {
            var some = channels.Skip(start).Take(MostAtOnce).Select(static channel => (RedisArgument)channel.Value);
            if (await TryAskAsync(Count, cancellationToken, [_node, .. some]) is not { } answer) break;
            for (var index = 0; index < answer.Items.Count; index++) counts[start + index] += (int)answer.Items[index].Number;
        }

        return counts;
    }

    /// <inheritdoc />
    public async Task<int> CountConnectionsAsync(CancellationToken cancellationToken)
    {
        var others = await TryAskAsync(Count, cancellationToken, _node, RedisReaderScripts.Connections);
        return _engine.ConnectionCount + (others is { } answer ? (int)answer.Items[0].Number : 0);
    }

    public async ValueTask DisposeAsync()
    {
        await _link.DisposeAsync();
        Dispose();
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(Interval, _clock);
        while (await timer.WaitForNextTickAsync(stoppingToken).ConfigureAwait(false))
        {
            if (_link.Connection is null) _tellsAll = true;
            else await TryTellAsync(stoppingToken).ConfigureAwait(false);
        }
    }

    /// <summary>On a shard.</summary>
    private void Note(IReadOnlyCollection<ChannelName> channels)
    {
        lock (_lock) _changed.UnionWith(channels);
    }

    private async Task TryTellAsync(CancellationToken cancellationToken)
    {
        try
        {
            await TellAsync(cancellationToken);
        }
        catch (Exception exception) when (exception is not OperationCanceledException)
        {
            _tellsAll = true;
            Log.NotTold(_logger, exception.Message);
        }
    }

    private async Task TellAsync(CancellationToken cancellationToken)
    {
        ChannelName[] changed;
        lock (_lock)
        {
            changed = [.. _changed];
            _changed.Clear();
        }

        var connections = _engine.ConnectionCount;
        if (!_tellsAll && changed.Length == 0 && connections == _connections && _clock.GetElapsedTime(_toldAt) < Renewal) return;

        var tellsAll = _tellsAll;
        if (tellsAll) await RunAsync(Forget, cancellationToken, _node);
        var counts = tellsAll ? await _engine.ListChannelsAsync("", null, int.MaxValue) : await _engine.CountSubscribersAsync(changed);
        for (var start = 0; start == 0 || start < counts.Count; start += MostAtOnce)
        {
            var some = counts.Skip(start).Take(MostAtOnce).SelectMany(static channel => (RedisArgument[])[channel.Channel.Value, channel.Subscribers]);
            var wasKnown = (await RunAsync(Write, cancellationToken, [_node, (long)Lifetime.TotalMilliseconds, connections, .. some])).Number == 1;
            _tellsAll = !wasKnown && !(tellsAll && start == 0); // it was taken for dead, or Redis has lost everything
            if (_tellsAll) return;
        }

        (_connections, _toldAt) = (connections, _clock.GetTimestamp());
    }

    /// <summary>Asks for what others have told; null if Redis is out of reach.</summary>
    private async Task<RespValue?> TryAskAsync(RedisScript script, CancellationToken cancellationToken, params RedisArgument[] arguments)
    {
        try
        {
            return await RunAsync(script, cancellationToken, arguments);
        }
        catch (Exception exception) when (exception is RedisException or TimeoutException)
        {
            return null;
        }
    }

    private Task<RespValue> RunAsync(RedisScript script, CancellationToken cancellationToken, params RedisArgument[] arguments) =>
        script.RunAsync(_link, _names.Readers, _clock, cancellationToken, arguments);

    private static partial class Log
    {
        [LoggerMessage(2631, LogLevel.Warning, "Redis was not told how many read what here; it is tried again: {Why}")]
        public static partial void NotTold(ILogger logger, string why);
    }
}
