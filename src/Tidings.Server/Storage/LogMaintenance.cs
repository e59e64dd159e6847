using Tidings.Realtime.History;
using Tidings.Server.Storage.Sqlite;

namespace Tidings.Server.Storage;

/// <summary>Trims the log every minute, keeps SQLite's own files small, and reads the whole database for damage once a day.</summary>
internal sealed partial class LogMaintenance(SqliteStore store, IDurableEventLog log, TimeProvider clock, ILogger<LogMaintenance> logger) : BackgroundService
{
    private const long MostBytesOfWriteAheadLog = 64 << 20;
    private static readonly TimeSpan PatienceWithReaders = TimeSpan.FromMilliseconds(250);
    private static readonly TimeSpan TrimmingInterval = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan ShrinkingInterval = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan CheckingInterval = TimeSpan.FromHours(24);

    /// <summary>What the last check found wrong; null if nothing, or if there was none yet.</summary>
    public string? Damage { get; private set; }

    protected override Task ExecuteAsync(CancellationToken stoppingToken) => Task.WhenAll(
        EveryAsync(TrimmingInterval, TrimAsync, stoppingToken),
        EveryAsync(ShrinkingInterval, _ => store.ShrinkWriteAheadLogAsync(MostBytesOfWriteAheadLog, PatienceWithReaders), stoppingToken),
        EveryAsync(CheckingInterval, CheckAsync, stoppingToken));

    private async Task EveryAsync(TimeSpan interval, Func<CancellationToken, Task> work, CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(interval, clock);
        while (await timer.WaitForNextTickAsync(stoppingToken).ConfigureAwait(false))
        {
            try
            {
                await work(stoppingToken).ConfigureAwait(false);
            }
            catch (Exception error) when (error is not OperationCanceledException)
            {
                Log.Failed(logger, error);
            }
        }
    }

    private async Task TrimAsync(CancellationToken stoppingToken)
    {
        var trimmed = await log.TrimAsync(stoppingToken).ConfigureAwait(false);
        if (trimmed > 0) Log.Trimmed(logger, trimmed);
    }

    private async Task CheckAsync(CancellationToken stoppingToken)
    {
        Damage = await store.CheckIntegrityAsync().ConfigureAwait(false);
        if (Damage is { } damage) Log.Damaged(logger, damage);
    }

    private static partial class Log
    {
        [LoggerMessage(2401, LogLevel.Debug, "{Count} events were given up by the rules of their channels.")]
        public static partial void Trimmed(ILogger logger, int count);

        [LoggerMessage(2402, LogLevel.Warning, "The upkeep of the event log failed; it is tried again.")]
        public static partial void Failed(ILogger logger, Exception error);

        [LoggerMessage(2403, LogLevel.Critical, "The database file is damaged: {Damage}. Stop the server and put back a backup.")]
        public static partial void Damaged(ILogger logger, string damage);
    }
}
