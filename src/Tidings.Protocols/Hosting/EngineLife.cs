using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Tidings.Realtime;

namespace Tidings.Protocols.Hosting;

/// <summary>
/// The engine's life in a host: it starts before anyone can connect, gives up old events of channels in memory, and sends everyone away in
/// good order when the host stops.
/// </summary>
internal sealed partial class EngineLife(RealtimeEngine engine, IHostApplicationLifetime lifetime, ILogger<EngineLife> logger) : BackgroundService
{
    private static readonly TimeSpan DrainTime = TimeSpan.FromSeconds(6);
    private static readonly TimeSpan TrimmingInterval = TimeSpan.FromMinutes(1);

    private CancellationTokenRegistration _stopping;
    private Task _drained = Task.CompletedTask;

    public override async Task StartAsync(CancellationToken cancellationToken)
    {
        await engine.StartAsync(cancellationToken);

        // At the first sign of the end, not in StopAsync: the web server waits for open connections before that is called.
        _stopping = lifetime.ApplicationStopping.Register(() => _drained = DrainAsync());
        await base.StartAsync(cancellationToken);
    }

    public override async Task StopAsync(CancellationToken cancellationToken)
    {
        await _drained;
        await _stopping.DisposeAsync();
        await base.StopAsync(cancellationToken);
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(TrimmingInterval, engine.Clock);
        while (await timer.WaitForNextTickAsync(stoppingToken)) await engine.Publisher.TrimMemoryAsync(stoppingToken);
    }

    private async Task DrainAsync()
    {
        using var deadline = new CancellationTokenSource(DrainTime, engine.Clock);
        try
        {
            await engine.DrainAsync(deadline.Token);
        }
        catch (OperationCanceledException)
        {
            Log.NotDrained(logger, engine.ConnectionCount);
        }
    }

    private static partial class Log
    {
        [LoggerMessage(4001, LogLevel.Warning, "{Count} connections did not close in time and are cut.")]
        public static partial void NotDrained(ILogger logger, int count);
    }
}
