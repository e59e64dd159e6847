using Tidings.Server.Storage;

namespace Tidings.Server.Publishing;

/// <summary>Publishes what is due, on nodes with the role <c>publishing</c>: within a moment of its time, as long as the node runs.</summary>
internal sealed partial class PublishingWorker(PublishingRun run, ZoneRules zones, TimeProvider clock, ILogger<PublishingWorker> logger) : BackgroundService
{
    private static readonly TimeSpan TimeToFinish = TimeSpan.FromSeconds(7); // less than the host gives
    private static readonly TimeSpan StoodStill = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan Shortest = TimeSpan.FromMilliseconds(5);
    private static readonly TimeSpan AfterFault = TimeSpan.FromSeconds(1);

    public override async Task StopAsync(CancellationToken cancellationToken)
    {
        await base.StopAsync(cancellationToken).ConfigureAwait(false);
        await run.StopAsync(TimeToFinish).ConfigureAwait(false);
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        await Task.Yield();
        var areZonesRead = false;
        while (!stoppingToken.IsCancellationRequested)
        {
            var wait = AfterFault;
            try
            {
                if (!areZonesRead) await zones.RecomputeAsync(stoppingToken).ConfigureAwait(false);
                areZonesRead = true;
                wait = await run.LookAsync(StoodStill, stoppingToken).ConfigureAwait(false);
            }
            catch (StoreUnavailableException unavailable)
            {
                Log.NoStore(logger, unavailable.Message);
            }
            catch (Exception error) when (error is not OperationCanceledException)
            {
                Log.Failed(logger, error);
            }

            try
            {
                // A platform that is full is looked at again when one of its lanes ends; in between a moment is left for others to end as well.
                if (await run.WaitAsync(wait < Shortest ? Shortest : wait, stoppingToken).ConfigureAwait(false)) await Task.Delay(Shortest, clock, stoppingToken).ConfigureAwait(false);
            }
            catch (OperationCanceledException)
            {
                return;
            }
        }
    }

    private static partial class Log
    {
        [LoggerMessage(3131, LogLevel.Warning, "What is due could not be looked up: {Why}")]
        public static partial void NoStore(ILogger logger, string why);

        [LoggerMessage(3132, LogLevel.Error, "Looking for what is due failed; it is tried again")]
        public static partial void Failed(ILogger logger, Exception error);
    }
}
