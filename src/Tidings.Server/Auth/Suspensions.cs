using System.Collections.Concurrent;
using Tidings.Realtime;
using Tidings.Realtime.Brokers;
using Tidings.Realtime.Connections;
using Tidings.Server.Events;
using Tidings.Server.Storage;

namespace Tidings.Server.Auth;

/// <summary>
/// Who is suspended, and until when: kept in memory, where every request asks, and read again every five seconds and whenever another node
/// disconnects somebody. A suspended user's connections end, and no credential of theirs opens anything. Safe for all threads.
/// </summary>
internal sealed class Suspensions : BackgroundService
{
    private readonly Store _store;
    private readonly RealtimeEngine _engine;
    private readonly TimeProvider _clock;
    private readonly FlushLoop _loop;
    private readonly ConcurrentDictionary<string, DateTimeOffset> _until = new(StringComparer.Ordinal);

    public Suspensions(Store store, RealtimeEngine engine, TimeProvider clock, ILogger<Suspensions> logger)
    {
        (_store, _engine, _clock) = (store, engine, clock);
        _loop = new FlushLoop("who is suspended", TimeSpan.FromMilliseconds(100), ReadAsync, clock, logger);
    }

    /// <summary>Until when a user is suspended; null: they are not.</summary>
    public DateTimeOffset? Of(string userId) => _until.TryGetValue(userId, out var until) && until > _clock.GetUtcNow() ? until : null;

    /// <summary>Suspends a user who has been written to the database as such, on every node.</summary>
    public void Suspend(string userId, DateTimeOffset until)
    {
        _until[userId] = until;
        _engine.Disconnect(userId, null, CloseReason.Disconnected);
    }

    /// <summary>Lifts it here; other nodes read it within seconds.</summary>
    public void Lift(string userId) => _until.TryRemove(userId, out _);

    /// <inheritdoc />
    public override async Task StartAsync(CancellationToken cancellationToken)
    {
        await ReadAsync(cancellationToken);
        _engine.Bus.Heard += Hear;
        await base.StartAsync(cancellationToken);
    }

    /// <inheritdoc />
    public override Task StopAsync(CancellationToken cancellationToken)
    {
        _engine.Bus.Heard -= Hear;
        return base.StopAsync(cancellationToken);
    }

    /// <inheritdoc />
    protected override Task ExecuteAsync(CancellationToken stoppingToken) => _loop.RunAsync(stoppingToken);

    private void Hear(ControlMessage message)
    {
        if (message is DisconnectUser { SessionId: null }) _loop.Wake();
    }

    private async Task ReadAsync(CancellationToken cancellationToken)
    {
        var rows = await _store.QueryAsync<(string UserId, long Until)>(Sql.Current, new { Now = _clock.GetUtcNow() }, cancellationToken).ConfigureAwait(false);
        var current = rows.ToDictionary(static row => row.UserId, static row => DateTimeOffset.FromUnixTimeMilliseconds(row.Until), StringComparer.Ordinal);
        foreach (var lifted in _until.Keys.Where(user => !current.ContainsKey(user)).ToList()) _until.TryRemove(lifted, out _);
        foreach (var (user, until) in current)
        {
            var isNew = !_until.ContainsKey(user);
            _until[user] = until;
            if (isNew) _engine.DisconnectHere(new DisconnectUser(user, null, CloseReason.Disconnected, null));
        }
    }

    private static class Sql
    {
        public const string Current = "SELECT user_id AS UserId, until AS Until FROM suspensions WHERE until > @Now";
    }
}
