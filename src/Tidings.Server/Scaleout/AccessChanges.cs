using Tidings.Realtime;
using Tidings.Realtime.Brokers;
using Tidings.Realtime.Connections;
using Tidings.Server.Auth;

namespace Tidings.Server.Scaleout;

/// <summary>
/// What other nodes took back: credentials, channels and sessions. It is heard on the bus at once. Without a bus revocations are found by
/// whoever looks for what is new in the database, and here, as often, the sessions that have ended.
/// </summary>
internal sealed partial class AccessChanges(
    RealtimeEngine engine, IBroker broker, Revocations revocations, Sessions sessions, TimeProvider clock, ILogger<AccessChanges> logger) : BackgroundService
{
    private const int SessionsAtOnce = 500;

    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(5);

    private bool _wasDown = true;

    public override Task StartAsync(CancellationToken cancellationToken)
    {
        engine.Bus.Heard += Hear;
        return base.StartAsync(cancellationToken);
    }

    public override Task StopAsync(CancellationToken cancellationToken)
    {
        engine.Bus.Heard -= Hear;
        return base.StopAsync(cancellationToken);
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(Interval, clock);
        while (await timer.WaitForNextTickAsync(stoppingToken).ConfigureAwait(false))
        {
            try
            {
                var isDown = !broker.IsUp || !broker.HasOthers;
                if (isDown || _wasDown) await ReadSessionsAsync(stoppingToken).ConfigureAwait(false);
                _wasDown = isDown;
            }
            catch (Exception exception) when (exception is not OperationCanceledException)
            {
                Log.NotRead(logger, exception);
            }
        }
    }

    /// <summary>Before the engine acts: whoever is cut must not be let in again with what was taken.</summary>
    private void Hear(ControlMessage message)
    {
        switch (message)
        {
            case RevokeChannel revoke:
                revocations.Learn(revoke.UserId ?? "", revoke.Channel.Value, revoke.RevokedAt.ToUnixTimeMilliseconds());
                break;
            case DisconnectUser { IssuedThrough: { } issuedThrough } disconnect:
                revocations.Learn(disconnect.UserId, "", issuedThrough.ToUnixTimeMilliseconds());
                break;
            case DisconnectUser { SessionId: { } sessionId }:
                sessions.TakeNoteOfEnd(sessionId);
                break;
        }
    }

    private async Task ReadSessionsAsync(CancellationToken cancellationToken)
    {
        var live = engine.ConnectionsOf(null)
            .Where(static connection => connection.Identity is { SessionId: not null, UserId: not null })
            .Select(static connection => (Id: connection.Identity.SessionId!, UserId: connection.Identity.UserId!))
            .Distinct()
            .ToList();
        foreach (var some in live.Chunk(SessionsAtOnce))
        {
            var existing = await sessions.FindExistingAsync([.. some.Select(static session => session.Id)], cancellationToken).ConfigureAwait(false);
            foreach (var (id, userId) in some)
            {
                if (existing.Contains(id)) continue;
                sessions.TakeNoteOfEnd(id);
                engine.DisconnectHere(new DisconnectUser(userId, id, CloseReason.InvalidToken, null));
            }
        }
    }

    private static partial class Log
    {
        [LoggerMessage(2621, LogLevel.Warning, "What other nodes took back could not be read; it is tried again.")]
        public static partial void NotRead(ILogger logger, Exception exception);
    }
}
