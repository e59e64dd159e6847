using System.Collections.Concurrent;
using Tidings.Realtime;
using Tidings.Realtime.Brokers;
using Tidings.Realtime.Connections;
using Tidings.Server.Storage;

namespace Tidings.Server.Auth;

/// <summary>
/// Who is suspended, and until when: kept in memory, where every request asks, and read again every five seconds and whenever another node
/// disconnects somebody. A suspended user's connections end, and no credential of theirs opens anything. Safe for all threads.
/// </summary>
internal sealed partial class Suspensions(Store store, RealtimeEngine engine, TimeProvider clock, ILogger<Suspensions> logger) : BackgroundService
{
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(5);

    private readonly ConcurrentDictionary<string, DateTimeOffset> _until = new(StringComparer.Ordinal);
    private readonly SemaphoreSlim _asked = new(0, 1);

    /// <summary>Until when a user is suspended; null: they are not.</summary>
    public DateTimeOffset? Of(string userId) => _until.TryGetValue(userId, out var until) && until > clock.GetUtcNow() ? until : null;

    /// <summary>Suspends a user who has been written to the database as such, on every node.</summary>
    public void Suspend(string userId, DateTimeOffset until)
    {
        _until[userId] = until;
        engine.Disconnect(userId, null, CloseReason.Disconnected);
    }

    /// <summary>Lifts it here; other nodes read it within seconds.</summary>
    public void Lift(string userId) => _until.TryRemove(userId, out _);

    /// <inheritdoc />
    public override async Task StartAsync(CancellationToken cancellationToken)
    {
        await ReadAsync(cancellationToken);
        engine.Bus.Heard += Hear;
        await base.StartAsync(cancellationToken);
    }

    /// <inheritdoc />
    public override Task StopAsync(CancellationToken cancellationToken)
    {
        engine.Bus.Heard -= Hear;
        return base.StopAsync(cancellationToken);
    }

    /// <inheritdoc />
    public override void Dispose()
    {
        _asked.Dispose();
        base.Dispose();
    }

    /// <inheritdoc />
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        while (!stoppingToken.IsCancellationRequested)
        {
            try
            {
                await WaitAsync(stoppingToken).ConfigureAwait(false);
                await ReadAsync(stoppingToken).ConfigureAwait(false);
            }
            catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
            {
                return;
            }
#pragma warning disable CA1031 // Who is suspended stays so; the next round reads who else is.
            catch (Exception exception)
#pragma warning restore CA1031
            {
                Log.NotRead(logger, exception);
            }
        }
    }

    /// <summary>Until somebody was disconnected elsewhere, or the interval is over.</summary>
    private async Task WaitAsync(CancellationToken stopping)
    {
        using var patrol = CancellationTokenSource.CreateLinkedTokenSource(stopping);
        using var timer = clock.CreateTimer(static source => ((CancellationTokenSource)source!).Cancel(), patrol, Interval, Timeout.InfiniteTimeSpan);
        try
        {
            await _asked.WaitAsync(patrol.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (!stopping.IsCancellationRequested)
        {
            // Time for a look.
        }
    }

    private void Hear(ControlMessage message)
    {
        if (message is DisconnectUser { SessionId: null } && _asked.CurrentCount == 0) _asked.Release();
    }

    private async Task ReadAsync(CancellationToken cancellationToken)
    {
        var rows = await store.QueryAsync<(string UserId, long Until)>(Sql.Current, new { Now = clock.GetUtcNow() }, cancellationToken).ConfigureAwait(false);
        var current = rows.ToDictionary(static row => row.UserId, static row => DateTimeOffset.FromUnixTimeMilliseconds(row.Until), StringComparer.Ordinal);
        foreach (var lifted in _until.Keys.Where(user => !current.ContainsKey(user)).ToList()) _until.TryRemove(lifted, out _);
        foreach (var (user, until) in current)
        {
            var isNew = !_until.ContainsKey(user);
            _until[user] = until;
            if (isNew) engine.DisconnectHere(new DisconnectUser(user, null, CloseReason.Disconnected, null));
        }
    }

    private static class Sql
    {
        public const string Current = "SELECT user_id AS UserId, until AS Until FROM suspensions WHERE until > @Now";
    }

    private static partial class Log
    {
        [LoggerMessage(1021, LogLevel.Warning, "Who is suspended could not be read; it is tried again.")]
        public static partial void NotRead(ILogger logger, Exception exception);
    }
}
