using Tidings.Realtime;
using Tidings.Realtime.Connections;
using Tidings.Server.Auth;
using Tidings.Server.Features.Creators;
using Tidings.Server.Host;
using Tidings.Server.Storage.Sqlite;

namespace Tidings.Server.Engine;

/// <summary>
/// The engine's life in this host: it finds out where the log stands before anyone connects, hears of each commit, follows the switch
/// and the sessions, and sends everyone away in good order when the host stops.
/// </summary>
internal sealed partial class EngineRun(
    RealtimeEngine engine, SqliteStore store, FeatureSwitches switches, Sessions sessions, MemberChanges members, IHostApplicationLifetime lifetime,
    ILogger<EngineRun> logger)
    : IHostedService
{
    private static readonly TimeSpan DrainTime = TimeSpan.FromSeconds(6);

    private CancellationTokenRegistration _stopping;
    private Task _drained = Task.CompletedTask;

    public async Task StartAsync(CancellationToken cancellationToken)
    {
        await engine.StartAsync(cancellationToken);
        store.Carrier.DeliverTo(engine.Publisher.Carry);
        engine.Suspend(!switches.Realtime);
        switches.Changed += FollowSwitch;
        sessions.Ended += Disconnect;
        members.Changed += engine.RereadMember;

        // At the first sign of the end, not in StopAsync: the web server waits for open connections before that is called.
        _stopping = lifetime.ApplicationStopping.Register(() => _drained = DrainAsync());
    }

    public async Task StopAsync(CancellationToken cancellationToken)
    {
        await _drained;
        await _stopping.DisposeAsync();
        switches.Changed -= FollowSwitch;
        sessions.Ended -= Disconnect;
        members.Changed -= engine.RereadMember;
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

    private void FollowSwitch() => engine.Suspend(!switches.Realtime);

    private void Disconnect(Session session) => engine.Disconnect(session.UserId, session.Id, CloseReason.InvalidToken);

    private static partial class Log
    {
        [LoggerMessage(4001, LogLevel.Warning, "{Count} connections did not close in time and are cut.")]
        public static partial void NotDrained(ILogger logger, int count);
    }
}
