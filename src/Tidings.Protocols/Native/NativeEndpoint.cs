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
    private readonly NativeSessionContext _shared = new(
        engine, new NativeFormat(engine.Catalog), new CommandParser(engine.Catalog), gate, options.Value.MessageTimeout, logger);

    /// <summary>Answers a request, and serves the client to its end.</summary>
    public async Task HandleAsync(HttpContext context)
    {
        var verdict = WebSocketHandshake.Judge(context);
        if (verdict != HandshakeVerdict.Good)
        {
            await RefuseAsync(context, verdict);
            return;
        }

        // Before the upgrade: a page of a strange origin gets no connection at all, not even one that is closed with a code.
        var origin = gate.JudgeOrigin(context.Request);
        if (origin == OriginVerdict.Refused)
        {
            await Problems.OriginRefusedAsync(context);
            return;
        }

        var admittance = await gate.IdentifyAsync(context, origin);
        if (admittance.Outcome == Admittance.NoOrigin)
        {
            await Problems.OriginRefusedAsync(context);
            return;
        }

        // From here on refusals are close codes, because a page can't see the status of a refused upgrade.
        using var place = admittance.Place;
        var stream = await WebSocketHandshake.AcceptAsync(context, MessageJson.ProtocolName);
        var receiver = new WebSocketReceiver(stream, engine.Options.MessageBytes);
        var transport = new WebSocketTransport(stream, receiver, context.Abort, engine.Options.CloseTimeout, engine.Clock);
        await new NativeSession(_shared, receiver, transport, context.Request.Query["subscribe"] == "own").RunAsync(admittance, context.RequestAborted);
    }

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
