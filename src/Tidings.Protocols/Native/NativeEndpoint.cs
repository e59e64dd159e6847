using System.IO.Pipelines;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Tidings.Protocols.Admission;
using Tidings.Protocols.WebSockets;
using Tidings.Realtime;

namespace Tidings.Protocols.Native;

/// <summary><c>/ws</c>: from a request to a session.</summary>
internal sealed class NativeEndpoint(RealtimeEngine engine, Gatekeeper gate, IOptions<NativeProtocolOptions> options, ILogger<NativeSession> logger)
{
    private static readonly StreamPipeReaderOptions ReaderOptions = new(leaveOpen: true, useZeroByteReads: true);

    private readonly NativeSessionContext _shared = new(
        engine, new NativeFormat(engine.Catalog), new NativeBatchFormat(engine.Catalog), new CommandParser(engine.Catalog), gate, options.Value.MessageTimeout, logger);

    /// <summary>Where it is.</summary>
    public const string Path = "/ws";

    /// <summary>Answers a request, and serves the client to its end.</summary>
    public async Task HandleAsync(HttpContext context)
    {
        var verdict = WebSocketHandshake.Judge(context);
        if (verdict != HandshakeVerdict.Good)
        {
            await RefuseAsync(context, verdict);
            return;
        }

        if (await AdmitAsync(context) is not { } admittance)
        {
            await Problems.OriginRefusedAsync(context);
            return;
        }

        using var place = admittance.Place; // also if the upgrade fails
        var stream = await WebSocketHandshake.AcceptAsync(context, MessageJson.ProtocolName);
        var receiver = new WebSocketReceiver(PipeReader.Create(stream, ReaderOptions), engine.Options.MessageBytes);
        var transport = new StreamTransport(stream, receiver, context.Abort, engine.Options.CloseTimeout, engine.Clock);
        await RunAsync(context, admittance, receiver, transport, context.RequestAborted);
    }

    /// <summary>
    /// Decides about a handshake whose form is good. Before the upgrade only the origin is refused: a page of a strange origin gets no
    /// connection at all. Every other refusal is a close code, because a page can't see the status of a refused upgrade.
    /// </summary>
    /// <returns>Null if the origin is refused.</returns>
    public async ValueTask<AdmittanceOf?> AdmitAsync(HttpContext context)
    {
        var origin = gate.JudgeOrigin(context.Request);
        if (origin == OriginVerdict.Refused) return null;

        var admittance = await gate.IdentifyAsync(context, origin);
        return admittance.Outcome == Admittance.NoOrigin ? null : admittance;
    }

    /// <summary>Serves a client whose handshake has been answered. The task does not keep the request.</summary>
    public Task RunAsync(
        HttpContext context, AdmittanceOf admittance, WebSocketReceiver receiver, WebSocketTransport transport, CancellationToken closed) =>
        new NativeSession(_shared, receiver, transport, NativeWishes.Of(context.Request)).RunAsync(admittance, closed);

    private static Task RefuseAsync(HttpContext context, HandshakeVerdict verdict)
    {
        switch (verdict)
        {
            case HandshakeVerdict.Method:
                return Problems.WrongMethodAsync(context);

            case HandshakeVerdict.NotAnUpgrade:
                context.Response.Headers.Upgrade = "websocket";
                return Problems.WriteAsync(context, StatusCodes.Status426UpgradeRequired, "upgrade_required", "Ask for an upgrade to a WebSocket.");

            case HandshakeVerdict.Version:
                context.Response.Headers.SecWebSocketVersion = "13";
                return Problems.WriteAsync(context, StatusCodes.Status426UpgradeRequired, "bad_version", "Use version 13 of the WebSocket protocol.");

            default:
                return Problems.WriteAsync(context, StatusCodes.Status400BadRequest, "bad_request", "Sec-WebSocket-Key must be 16 bytes in Base64.");
        }
    }
}
