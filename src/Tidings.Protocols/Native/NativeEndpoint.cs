using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Tidings.Protocols.Admission;
using Tidings.Protocols.WebSockets;
using Tidings.Realtime;

namespace Tidings.Protocols.Native;

/// <summary><c>/ws</c>: from a request to a session.</summary>
internal sealed class NativeEndpoint(RealtimeEngine engine, Gatekeeper gate, IOptions<NativeProtocolOptions> options, ILogger<NativeSession> logger)
    : IWebSocketEndpoint
{
    private readonly NativeSessionContext _shared = new(
        engine, new NativeFormat(engine.Catalog), new NativeBatchFormat(engine.Catalog), new CommandParser(engine.Catalog), gate, options.Value.MessageTimeout, logger);

    /// <summary>Where it is.</summary>
    public const string Path = "/ws";

    /// <inheritdoc />
    public IReadOnlyList<string> Paths { get; } = [Path];

    /// <inheritdoc />
    public string? Subprotocol => MessageJson.ProtocolName;

    /// <inheritdoc />
    public int MessageBytes => engine.Options.MessageBytes;

    /// <summary>
    /// Decides about a handshake whose form is good. Before the upgrade only the origin is refused: a page of a strange origin gets no
    /// connection at all. Every other refusal is a close code, because a page can't see the status of a refused upgrade.
    /// </summary>
    public async ValueTask<WebSocketVisit?> AdmitAsync(HttpContext context)
    {
        var origin = gate.JudgeOrigin(context.Request);
        if (origin == OriginVerdict.Refused) return null;

        var admittance = await gate.IdentifyAsync(context, origin);
        return admittance.Outcome == Admittance.NoOrigin ? null : new Visit(_shared, admittance, NativeWishes.Of(context.Request));
    }

    /// <inheritdoc />
    public Task RefuseAsync(HttpContext context, HandshakeVerdict verdict) =>
        verdict == HandshakeVerdict.Good ? Problems.OriginRefusedAsync(context) : WebSocketRequest.RefuseFormAsync(context, verdict);

    private sealed class Visit(NativeSessionContext shared, AdmittanceOf admittance, NativeWishes wishes) : WebSocketVisit
    {
        public override Task RunAsync(WebSocketReceiver receiver, WebSocketTransport transport, CancellationToken closed) =>
            new NativeSession(shared, receiver, transport, wishes).RunAsync(admittance, closed);

        public override void Dispose() => admittance.Place?.Dispose();
    }
}
