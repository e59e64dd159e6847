using System.Diagnostics.Metrics;
using Dapper;
using Tidings.Realtime;
using Tidings.Realtime.Brokers;
using Tidings.Realtime.Connections;
using Tidings.Realtime.History;
using Tidings.Server.Auth;

namespace Tidings.Server.Storage.Postgres;

/// <summary>
/// Asks the database every five seconds what has been committed since: events that no bus brought are delivered, and what other nodes
/// revoked is revoked here too. Looks whether a transaction that never ends holds up the places of feeds, trims the log every minute, and
/// ends the server when the database turns out to be another one.
/// </summary>
internal sealed partial class PostgresUpkeep(
    PostgresStore store, IDurableEventLog log, RealtimeEngine engine, Revocations revocations, IHostApplicationLifetime lifetime, TimeProvider clock,
    ILogger<PostgresUpkeep> logger) : BackgroundService
{
    private static readonly TimeSpan LookInterval = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan TrimmingInterval = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan MostHeldBack = TimeSpan.FromSeconds(10);

    private readonly Meter _meter = new("Tidings");
    private (long System, long Timeline, long Table)? _identity;
    private Snapshot? _revocationsSeen;
    private long _oldest = -1;
    private long _oldestSince = clock.GetTimestamp();
    private double _heldBackSeconds;
    private bool _isAlarmed;

    public override async Task StartAsync(CancellationToken cancellationToken)
    {
        _meter.CreateObservableGauge(
            "tidings_database_horizon_age_seconds", () => Volatile.Read(ref _heldBackSeconds),
            description: "How long the oldest open transaction has held up the places of feeds.");
        _revocationsSeen = Snapshot.Parse(await store.QueryAsync<string>(PostgresQueries.Snapshot, new { }, cancellationToken).ConfigureAwait(false) is [var snapshot] ? snapshot : "1:1:");
        await base.StartAsync(cancellationToken).ConfigureAwait(false);
    }

    public override void Dispose()
    {
        _meter.Dispose();
        base.Dispose();
    }

    protected override Task ExecuteAsync(CancellationToken stoppingToken) => Task.WhenAll(
        EveryAsync(LookInterval, LookAsync, stoppingToken),
        EveryAsync(TrimmingInterval, TrimAsync, stoppingToken));

    /// <summary>Does at once what is otherwise done every five seconds.</summary>
    public async Task LookAsync(CancellationToken cancellationToken)
    {
        await engine.CatchUpAsync().ConfigureAwait(false);
        await LookForRevocationsAsync(cancellationToken).ConfigureAwait(false);
        await CheckIdentityAsync(cancellationToken).ConfigureAwait(false);
    }

    private async Task EveryAsync(TimeSpan interval, Func<CancellationToken, Task> work, CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(interval, clock);
        while (await timer.WaitForNextTickAsync(stoppingToken).ConfigureAwait(false))
        {
            try
            {
                await work(stoppingToken).ConfigureAwait(false);
            }
            catch (StoreUnavailableException unavailable)
            {
                Log.OutOfReach(logger, unavailable.Message);
            }
            catch (Exception error) when (error is not OperationCanceledException)
            {
                Log.Failed(logger, error);
            }
        }
    }

    private async Task LookForRevocationsAsync(CancellationToken cancellationToken)
    {
        var then = _revocationsSeen!;
        var (now, rows) = await store.ReadInSnapshotAsync(
            async connection =>
            {
                var snapshot = Snapshot.Parse((await connection.ExecuteScalarAsync<string>(PostgresQueries.Snapshot).ConfigureAwait(false))!);
                var written = await connection.QueryAsync<Revoked>(
                    """
                    SELECT user_id AS UserId, channel AS Channel, revoked_at AS RevokedAt FROM revocations
                    WHERE xid >= @Oldest AND (xid >= @Next OR xid = ANY(@Running))
                    """,
                    then).ConfigureAwait(false);
                return (snapshot, written.AsList());
            },
            cancellationToken).ConfigureAwait(false);

        foreach (var row in rows)
        {
            if (!revocations.Learn(row.UserId, row.Channel, row.RevokedAt)) continue;
            if (row.Channel.Length == 0)
                engine.DisconnectHere(new DisconnectUser(row.UserId, null, CloseReason.Disconnected, DateTimeOffset.FromUnixTimeMilliseconds(row.RevokedAt)));
            else if (store.Rows.ChannelOf(row.Channel, 0) is { } channel)
                await engine.RevokeHereAsync(channel, row.UserId.Length == 0 ? null : row.UserId).ConfigureAwait(false);
        }

        _revocationsSeen = now;
        Judge(now);
    }

    /// <summary>Whether a transaction holds up everything: events go on by their channels, but who reads a feed gets more and more again at each return.</summary>
    private void Judge(Snapshot now)
    {
        if (now.Oldest != _oldest || now.Oldest == now.Next)
        {
            _oldest = now.Oldest;
            _oldestSince = clock.GetTimestamp();
            _isAlarmed = false;
        }

        var heldBack = clock.GetElapsedTime(_oldestSince);
        Volatile.Write(ref _heldBackSeconds, heldBack.TotalSeconds);
        if (heldBack < MostHeldBack || _isAlarmed) return;
        _isAlarmed = true;
        Log.HeldBack(logger, now.Oldest, heldBack);
    }

    private async Task CheckIdentityAsync(CancellationToken cancellationToken)
    {
        var identity = await store.ReadOnceAsync(connection => Task.FromResult(PostgresDatabase.IdentityOf(connection)), cancellationToken).ConfigureAwait(false);
        _identity ??= identity;
        if (_identity == identity) return;
        Log.AnotherDatabase(logger);
        lifetime.StopApplication();
    }

    private async Task TrimAsync(CancellationToken stoppingToken)
    {
        var trimmed = await log.TrimAsync(stoppingToken).ConfigureAwait(false);
        if (trimmed > 0) Log.Trimmed(logger, trimmed);
    }

    private sealed record Revoked(string UserId, string Channel, long RevokedAt);

    private static partial class Log
    {
        [LoggerMessage(2511, LogLevel.Warning, "The database was not asked for what is new: {Why} It is asked again in five seconds.")]
        public static partial void OutOfReach(ILogger logger, string why);

        [LoggerMessage(2512, LogLevel.Error, "Looking for what is new in the database failed; it is tried again.")]
        public static partial void Failed(ILogger logger, Exception error);

        [LoggerMessage(2513, LogLevel.Error, "Transaction {Transaction} has been open for {Age} and holds up the places of feeds: find it in pg_stat_activity or pg_prepared_xacts and end it.")]
        public static partial void HeldBack(ILogger logger, long transaction, TimeSpan age);

        [LoggerMessage(2514, LogLevel.Critical, "The database is not the one that this server was started with: it was put back, or another server took over. The server ends, so that it starts with a new generation of the log.")]
        public static partial void AnotherDatabase(ILogger logger);

        [LoggerMessage(2515, LogLevel.Debug, "{Count} events were given up by the rules of their channels.")]
        public static partial void Trimmed(ILogger logger, int count);
    }
}
