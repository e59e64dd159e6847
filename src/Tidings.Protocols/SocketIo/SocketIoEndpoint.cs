using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Tidings.Protocols.Admission;
using Tidings.Protocols.EngineIo;
using Tidings.Realtime;
using Tidings.Realtime.Connections;

namespace Tidings.Protocols.SocketIo;

/// <summary><c>/socket.io/</c>.</summary>
internal sealed class SocketIoEndpoint : EngineIoEndpoint, IDisposable
{
    /// <summary>Where it is.</summary>
    public const string Path = "/socket.io/";

    private readonly EngineSessions _sessions;
    private readonly CancellationTokenRegistration _stopping;

    /// <summary>Makes it.</summary>
    public SocketIoEndpoint(
        RealtimeEngine engine, SocketIoDoor door, IOptions<NativeProtocolOptions> options, IHostApplicationLifetime lifetime, ILogger<SocketIoEndpoint> logger)
        : this(engine, door, new EngineSessions(SettingsOf(engine, options.Value), engine.Clock), lifetime, logger)
    {
    }

    private SocketIoEndpoint(RealtimeEngine engine, SocketIoDoor door, EngineSessions sessions, IHostApplicationLifetime lifetime, ILogger logger)
        : base(Path, engine, sessions, door, logger)
    {
        _sessions = sessions;
        _stopping = lifetime.ApplicationStopping.Register(SendAway);
    }

    /// <inheritdoc />
    public void Dispose()
    {
        _stopping.Dispose();
        _sessions.Dispose();
    }

    private static EngineIoSettings SettingsOf(RealtimeEngine engine, NativeProtocolOptions options) => new()
    {
        PingInterval = engine.Options.HeartbeatInterval,
        PingTimeout = engine.Options.PongTimeout,
        MaxPayload = engine.Options.MessageBytes,
        OutboundBytes = engine.Options.OutboundBytes,
        CloseTimeout = engine.Options.CloseTimeout,
        MessageTimeout = options.MessageTimeout,
    };

    /// <summary>The host stops. Sessions with a connection end with it; the others are nobody's but ours.</summary>
    private void SendAway()
    {
        foreach (var session in _sessions.All)
            if (session.Peer is SocketSession { IsOutside: true }) _ = session.CloseAsync(CloseReason.GoingAway(RetryDelay.Ordinary()));
    }
}
