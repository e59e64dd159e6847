using Tidings.Server.Storage.Sqlite;

namespace Tidings.Server.Storage;

/// <summary>
/// Finds what was committed and never handed to the publisher, at start and every five seconds, and remembers how far the handing has
/// come. What a crash left behind is handed over again from there: receivers drop what they have.
/// </summary>
internal sealed partial class EventSweep(SqliteStore store, TimeProvider clock, ILogger<EventSweep> logger) : BackgroundService
{
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(5);
    private long _marked = store.Carrier.CarriedThrough;

    public override async Task StopAsync(CancellationToken cancellationToken)
    {
        await base.StopAsync(cancellationToken).ConfigureAwait(false);
        await MarkAsync(cancellationToken).ConfigureAwait(false);
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(Interval, clock);
        do
        {
            await store.Carrier.SweepAsync().ConfigureAwait(false);
            await MarkAsync(stoppingToken).ConfigureAwait(false);
        }
        while (await timer.WaitForNextTickAsync(stoppingToken).ConfigureAwait(false));
    }

    private async Task MarkAsync(CancellationToken cancellationToken)
    {
        var carried = store.Carrier.CarriedThrough;
        if (carried == _marked) return;
        try
        {
            CrashPoints.Reached("before-mark");
            await store.WriteAsync(
                async write => await write.ExecuteAsync("UPDATE meta SET value = @carried WHERE key = 'carried_through'", new { carried }), cancellationToken).ConfigureAwait(false);
            CrashPoints.Reached("after-mark");
            store.RememberProgress();
            _marked = carried;
        }
        catch (StoreUnavailableException unavailable)
        {
            Log.CannotMark(logger, unavailable.Message);
        }
    }

    private static partial class Log
    {
        [LoggerMessage(2301, LogLevel.Warning, "How far events were handed over could not be saved: {Why} After a crash more of them are handed over again.")]
        public static partial void CannotMark(ILogger logger, string why);
    }
}
