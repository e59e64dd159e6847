using System.Net;

namespace Tidings.Server.Scaleout.Redis;

/// <summary>
/// Keeps one connection to one installation: opens it again when it ends, after a delay that grows and is different on each node, and ends
/// it when the server does not answer or is not the master any more. Safe for all threads.
/// </summary>
internal sealed partial class RedisLink : IAsyncDisposable
{
    private static readonly TimeSpan ConnectTimeout = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan CheckInterval = TimeSpan.FromSeconds(3);
    private static readonly TimeSpan AnswerTimeout = TimeSpan.FromSeconds(3);
    private static readonly TimeSpan LongestDelay = TimeSpan.FromSeconds(5);

    private readonly TimeProvider _clock;
    private readonly ILogger _logger;
    private readonly Func<RedisConnection, CancellationToken, Task> _opened;
    private readonly Action<IReadOnlyList<RespValue>> _pushed;
    private readonly Action _lost;
    private readonly CancellationTokenSource _stopping = new();
    private RedisConnection? _connection;
    private bool _isDisposed;
    private Task _running = Task.CompletedTask;

    /// <param name="installation">Where it is.</param>
    /// <param name="opened">Called with each new connection, before it counts as up.</param>
    /// <param name="pushed">Called with each push, one after the other.</param>
    /// <param name="lost">Called when the connection has ended.</param>
    /// <param name="clock">The clock.</param>
    /// <param name="logger">Where it is told that Redis is out of reach, and back.</param>
    public RedisLink(
        RedisInstallation installation,
        Func<RedisConnection, CancellationToken, Task> opened,
        Action<IReadOnlyList<RespValue>> pushed,
        Action lost,
        TimeProvider clock,
        ILogger logger)
    {
        Installation = installation;
        _opened = opened;
        _pushed = pushed;
        _lost = lost;
        _clock = clock;
        _logger = logger;
    }

    public RedisInstallation Installation { get; }

    /// <summary>The connection, if there is one now and all that belongs to it is done.</summary>
    public RedisConnection? Connection => Volatile.Read(ref _connection);

    /// <summary>Begins to connect.</summary>
    public void Start() => _running = Task.Run(RunAsync);

    /// <summary>Ends it; the host may ask for that more than once.</summary>
    public async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref _isDisposed, true)) return;
        await _stopping.CancelAsync();
        await _running;
        _stopping.Dispose();
    }

    private async Task RunAsync()
    {
        for (var failures = 0; !_stopping.IsCancellationRequested;)
        {
            try
            {
                await using var connection = await OpenAsync();
                Volatile.Write(ref _connection, connection);
                Log.Up(_logger, Installation.ToString());
                failures = 0;
                await WatchAsync(connection);
            }
#pragma warning disable CA1031 // Whatever it was, it is tried again: nobody else would.
            catch (Exception exception)
#pragma warning restore CA1031
            {
                // Said once, not at each attempt.
                if (!_stopping.IsCancellationRequested && failures++ == 0) Log.Down(_logger, Installation.ToString(), exception.Message);
            }

            if (Interlocked.Exchange(ref _connection, null) is not null) _lost();
            await DelayAsync(failures);
        }
    }

    private async Task<RedisConnection> OpenAsync()
    {
        using var deadline = new CancellationTokenSource(ConnectTimeout, _clock);
        using var cancellation = CancellationTokenSource.CreateLinkedTokenSource(deadline.Token, _stopping.Token);
        var connection = await RedisMaster.OpenAsync(Installation, _pushed, cancellation.Token);
        try
        {
            await _opened(connection, cancellation.Token);
            return connection;
        }
        catch
        {
            await connection.DisposeAsync();
            throw;
        }
    }

    /// <summary>Until it ends. A server that is cut off from the others lives on and answers, so where there are Sentinels they are asked too.</summary>
    private async Task WatchAsync(RedisConnection connection)
    {
        using var timer = new PeriodicTimer(CheckInterval, _clock);
        while (true)
        {
            var tick = timer.WaitForNextTickAsync(_stopping.Token).AsTask();
            if (await Task.WhenAny(tick, connection.Ended) != tick) throw new RedisException("The connection ended.");
            await tick;
            try
            {
                await connection.AskAsync("PING").WaitAsync(AnswerTimeout, _clock, _stopping.Token);
            }
            catch (TimeoutException exception)
            {
                throw new RedisException("Redis does not answer.", exception);
            }

            if (Installation.ServiceName is not null && await HasMovedAsync(connection)) throw new RedisException("Another server is the master now.");
        }
    }

    private async Task<bool> HasMovedAsync(RedisConnection connection)
    {
        using var deadline = new CancellationTokenSource(AnswerTimeout, _clock);
        try
        {
            return !(await RedisMaster.AskSentinelsAsync(Installation, deadline.Token)).Equals((DnsEndPoint)connection.Endpoint);
        }
        catch (RedisException)
        {
            return false; // as long as the server itself answers
        }
    }

    private async Task DelayAsync(int failures)
    {
        var longest = TimeSpan.FromMilliseconds(100 * Math.Pow(2, Math.Min(failures, 6)));
        if (longest > LongestDelay) longest = LongestDelay;
        try
        {
            await Task.Delay(longest * (0.5 + (Random.Shared.NextDouble() / 2)), _clock, _stopping.Token);
        }
        catch (OperationCanceledException)
        {
        }
    }

    private static partial class Log
    {
        [LoggerMessage(2601, LogLevel.Information, "Redis {Installation} is connected.")]
        public static partial void Up(ILogger logger, string installation);

        [LoggerMessage(2602, LogLevel.Warning, "Redis {Installation} is out of reach: {Why} Events reach this node's readers at once, and others' by the event log.")]
        public static partial void Down(ILogger logger, string installation, string why);
    }
}
