using Microsoft.Extensions.Logging;
using Tidings.Protocols.Admission;
using Tidings.Protocols.WebSockets;
using Tidings.Realtime;
using Tidings.Realtime.Connections;

namespace Tidings.Protocols.EngineIo;

/// <summary>The WebSocket of a session: one that began on it, or one that takes over from polling after a probe.</summary>
internal sealed class EngineSocket(
    RealtimeEngine engine, EngineSessions sessions, WebSocketReceiver receiver, WebSocketTransport transport, ILogger logger)
    : WebSocketSession(engine, receiver, transport, sessions.Settings.MessageTimeout, logger)
{
    private const string LogName = "over Engine.IO"; // a session's id is its secret

    private EngineSession? _session;
    private EngineSession? _probed;
    private CancellationTokenSource? _upgrade;
    private bool _isProbed;

    /// <summary>Serves a client that begins its session here.</summary>
    public async Task RunNewAsync(EngineIoEntry entry, bool takesNoBinary, CancellationToken cancellationToken)
    {
        using var received = Receiver;
        var session = _session = new EngineSession(sessions, Transport, takesNoBinary);
        session.Start(entry.Open!(session));
        sessions.Add(session);
        session.Send(EngineHandshake.FrameFor(session, sessions.Settings, mayUpgrade: false));
        await ServeAsync(session, cancellationToken);
    }

    /// <summary>Serves a client whose session is to go on here.</summary>
    /// <param name="session">The session.</param>
    /// <param name="upgrade">The attempt, which the session knows; cancelled when the session ends.</param>
    /// <param name="cancellationToken">Ends with the link.</param>
    public async Task RunUpgradeAsync(EngineSession session, CancellationTokenSource upgrade, CancellationToken cancellationToken)
    {
        using var received = Receiver;
        (_probed, _upgrade) = (session, upgrade);
        using (upgrade.Token.Register(GiveUp))
        {
            upgrade.CancelAfter(sessions.Settings.UpgradeTimeout);
            await ServeAsync(session, cancellationToken);
        }

        session.AbandonUpgrade(upgrade);
    }

    /// <summary>Sends away a WebSocket for a session that has one.</summary>
    public async Task RefuseAsync()
    {
        using var received = Receiver;
        await RefuseAsync(CloseReason.Normal);
    }

    /// <inheritdoc />
    protected override bool MarkAlive() => (_session ?? _probed) is { IsClosed: false };

    /// <inheritdoc />
    protected override void SendPong(ReadOnlyMemory<byte> frame) => _session?.Send(frame); // a probe takes ten seconds at most

    /// <inheritdoc />
    protected override ValueTask<CloseReason?> TakeTextAsync(ReadOnlyMemory<byte> text, CancellationToken cancellationToken) =>
        _session is { } session ? session.TakePacketAsync(text, cancellationToken) : ProbeAsync(text, cancellationToken);

    /// <inheritdoc />
    protected override ValueTask<CloseReason?> TakeBinaryAsync(ReadOnlyMemory<byte> bytes, CancellationToken cancellationToken) =>
        _session is { } session ? session.TakeMessageAsync(bytes, true, cancellationToken) : ValueTask.FromResult<CloseReason?>(CloseReason.Binary);

    private async Task ServeAsync(EngineSession session, CancellationToken cancellationToken)
    {
        var reason = EndFor(await ReceiveAllAsync(LogName, null, cancellationToken));
        if (_session is null) session.AbandonUpgrade(_upgrade!);
        var closing = _session is null ? Transport.CloseAsync(reason, writable: true).AsTask() : session.CloseAsync(reason);
        await HearOutAsync();
        await closing;
    }

    /// <summary>Before the session moves here: a probe is answered, <c>5</c> moves it, and anything else ends this WebSocket alone.</summary>
    private async ValueTask<CloseReason?> ProbeAsync(ReadOnlyMemory<byte> packet, CancellationToken cancellationToken)
    {
        if (packet.Span.SequenceEqual("2probe"u8) && !_isProbed)
        {
            _isProbed = true;
            await Transport.WriteAsync([EnginePackets.ProbeAnswer], cancellationToken);
            _probed!.NoteProbe();
            return null;
        }

        if (!packet.Span.SequenceEqual("5"u8) || !_probed!.TryCompleteUpgrade(_upgrade!, Transport)) return CloseReason.Malformed("bad_probe");
        _session = _probed;
        return null;
    }

    /// <summary>It took too long, or the session is over.</summary>
    private void GiveUp()
    {
        if (_session is not null) return;
        _probed!.AbandonUpgrade(_upgrade!);
        _ = Transport.CloseAsync(CloseReason.Normal, writable: false).AsTask();
    }
}
