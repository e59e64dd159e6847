using System.IO.Pipelines;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Tidings.Protocols.Admission;
using Tidings.Realtime;

namespace Tidings.Protocols.WebSockets;

/// <summary>A WebSocket that came through HTTP: from the request to the end of the client.</summary>
internal static class WebSocketRequest
{
    private static readonly StreamPipeReaderOptions ReaderOptions = new(leaveOpen: true, useZeroByteReads: true);

    /// <summary>Answers a request, and serves the client to its end.</summary>
    public static async Task ServeAsync(HttpContext context, IWebSocketEndpoint endpoint)
    {
        var verdict = WebSocketHandshake.Judge(context);
        using var visit = verdict == HandshakeVerdict.Good ? await endpoint.AdmitAsync(context) : null; // given back also if the upgrade fails
        if (visit is null)
        {
            await endpoint.RefuseAsync(context, verdict);
            return;
        }

        var engine = context.RequestServices.GetRequiredService<RealtimeEngine>();
        var stream = await WebSocketHandshake.AcceptAsync(context, endpoint.Subprotocol);
        var receiver = new WebSocketReceiver(PipeReader.Create(stream, ReaderOptions), endpoint.MessageBytes);
        var transport = new StreamTransport(stream, receiver, context.Abort, engine.Options.CloseTimeout, engine.Clock);
        await visit.RunAsync(receiver, transport, context.RequestAborted);
    }

    /// <summary>Says what is wrong with the form of a handshake.</summary>
    public static Task RefuseFormAsync(HttpContext context, HandshakeVerdict verdict)
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
