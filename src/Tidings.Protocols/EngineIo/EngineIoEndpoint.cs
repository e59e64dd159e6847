using System.Buffers;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Http.Timeouts;
using Microsoft.Extensions.Logging;
using Tidings.Protocols.WebSockets;
using Tidings.Realtime;
using Tidings.Realtime.Connections;

namespace Tidings.Protocols.EngineIo;

/// <summary>Engine.IO, protocol 4, at one path: handshakes, polls, posts and WebSockets.</summary>
internal class EngineIoEndpoint(string path, RealtimeEngine engine, EngineSessions sessions, IEngineIoDoor door, ILogger logger) : IWebSocketEndpoint
{
    private static readonly object ErrorKey = new();

    /// <inheritdoc />
    public IReadOnlyList<string> Paths { get; } = [path, path.TrimEnd('/')];

    /// <inheritdoc />
    public string? Subprotocol => null;

    /// <inheritdoc />
    public int MessageBytes => sessions.Settings.MaxPayload;

    /// <summary>Answers a request; a WebSocket is served to its end.</summary>
    public async Task HandleAsync(HttpContext context)
    {
        if (context.Request.Query["transport"] == "websocket")
        {
            await WebSocketRequest.ServeAsync(context, this);
            return;
        }

        if (await HandlePollingAsync(context) is { } error) await error.WriteAsync(context);
    }

    /// <inheritdoc />
    public async ValueTask<WebSocketVisit?> AdmitAsync(HttpContext context)
    {
        var error = door.Judge(context);
        var request = default(EngineRequest);
        error ??= EngineRequest.TryRead(context.Request, out request);
        if (error is null && !request.IsWebSocket) error = EngineIoError.BadRequest;
        if (error is null && request.Sid is { } sid)
        {
            if (sessions.TryFind(sid, out var session) && !session.IsClosed) return new UpgradeVisit(this, session);
            error = EngineIoError.UnknownSession;
        }

        if (error is null)
        {
            var entry = await door.AdmitAsync(context);
            if (entry.Open is not null) return new OpenVisit(this, entry, request.TakesNoBinary);
            error = entry.Refusal;
        }

        context.Items[ErrorKey] = error;
        return null;
    }

    /// <inheritdoc />
    public Task RefuseAsync(HttpContext context, HandshakeVerdict verdict)
    {
        if (verdict == HandshakeVerdict.Good) return ((EngineIoError)context.Items[ErrorKey]!).WriteAsync(context);
        var error = door.Judge(context) ?? EngineRequest.TryRead(context.Request, out _) ?? EngineIoError.BadRequest;
        return error.WriteAsync(context);
    }

    private async Task<EngineIoError?> HandlePollingAsync(HttpContext context)
    {
        var method = context.Request.Method;
        if (door.Judge(context) is { } refused) return refused;
        if (HttpMethods.IsOptions(method))
        {
            AnswerPreflight(context);
            return null;
        }

        if (EngineRequest.TryRead(context.Request, out var request) is { } error) return error;
        if (request.Sid is not { } sid) return HttpMethods.IsGet(method) ? await OpenAsync(context, request) : EngineIoError.BadMethod;

        if (!sessions.TryFind(sid, out var session)) return EngineIoError.UnknownSession;
        if (!session.IsClosed) session.Tick(sessions.Clock.GetTimestamp()); // the clockwork is coarse; a client may come at the very limit
        if (session.IsClosed && (!HttpMethods.IsGet(method) || !sessions.TryFind(sid, out _))) return EngineIoError.UnknownSession;
        if (session.Outbox.IsOnSocket) return EngineIoError.BadRequest;
        if (HttpMethods.IsGet(method)) return await PollAsync(context, session);
        return HttpMethods.IsPost(method) ? await PostAsync(context, session) : EngineIoError.WrongMethod;
    }

    private static void AnswerPreflight(HttpContext context)
    {
        var headers = context.Response.Headers;
        context.Response.StatusCode = StatusCodes.Status204NoContent;
        headers.AccessControlAllowMethods = "GET,POST";
        if (context.Request.Headers.AccessControlRequestHeaders is { Count: > 0 } asked) headers.AccessControlAllowHeaders = asked;
        headers.AccessControlMaxAge = "600";
    }

    private async Task<EngineIoError?> OpenAsync(HttpContext context, EngineRequest request)
    {
        var entry = await door.AdmitAsync(context);
        if (entry.Open is null) return entry.Refusal;

        var session = new EngineSession(sessions, null, request.TakesNoBinary);
        session.Start(entry.Open(session));
        sessions.Add(session);
        var body = new ArrayBufferWriter<byte>();
        PollPayload.Append(EngineHandshake.FrameFor(session, sessions.Settings, mayUpgrade: true).Span, body);
        await AnswerAsync(context, body.WrittenMemory);
        return null;
    }

    private async Task<EngineIoError?> PollAsync(HttpContext context, EngineSession session)
    {
        if (!session.TryEnter(isPoll: true)) return EngineIoError.BadRequest;
        context.Features.Get<IHttpRequestTimeoutFeature>()?.DisableTimeout();
        try
        {
            var body = new ArrayBufferWriter<byte>();
            var answer = PollAnswer.Noop;
            try
            {
                answer = await session.PollAsync(body, context.RequestAborted);
            }
            finally
            {
                session.Leave(isPoll: true); // before the answer: the next poll may be here the moment that is out
            }

            switch (answer)
            {
                case PollAnswer.Upgraded:
                    return EngineIoError.BadRequest;

                case PollAnswer.Close:
                    if (session.IsClosed) sessions.Remove(session); // now the client knows
                    if (body.WrittenCount > 0) body.Write([EnginePackets.Separator]);
                    body.Write(EnginePackets.CloseBody);
                    break;

                default:
                    if (body.WrittenCount == 0) body.Write(EnginePackets.NoopBody);
                    break;
            }

            await AnswerAsync(context, body.WrittenMemory);
            return null;
        }
        catch (Exception exception) when (exception is OperationCanceledException or IOException)
        {
            _ = session.CloseAsync(CloseReason.Lost, writable: false); // what was in the answer is lost, so the session is
            return null;
        }
    }

    private async Task<EngineIoError?> PostAsync(HttpContext context, EngineSession session)
    {
        if (!session.TryEnter(isPoll: false)) return EngineIoError.BadRequest;
        try
        {
            EngineIoError? error;
            try
            {
                error = await TakeBodyAsync(context, session);
            }
            finally
            {
                session.Leave(isPoll: false); // as above
            }

            if (error is not null) return error;
            context.Response.ContentType = "text/html";
            context.Response.ContentLength = 2;
            context.Response.Headers.CacheControl = "no-store";
            await context.Response.BodyWriter.WriteAsync("ok"u8.ToArray(), context.RequestAborted);
            return null;
        }
        catch (Exception exception) when (exception is OperationCanceledException or IOException)
        {
            _ = session.CloseAsync(CloseReason.Lost, writable: false);
            return null;
        }
    }

    /// <summary>Deals with the packets of a body.</summary>
    /// <returns>Null, or what is wrong with it.</returns>
    private async Task<EngineIoError?> TakeBodyAsync(HttpContext context, EngineSession session)
    {
        if (context.Request.ContentType?.StartsWith("application/octet-stream", StringComparison.OrdinalIgnoreCase) == true) return End(session, "binary_body");
        var body = ArrayPool<byte>.Shared.Rent(sessions.Settings.MaxPayload + 1);
        try
        {
            var length = await ReadBodyAsync(context, body.AsMemory(0, sessions.Settings.MaxPayload + 1));
            if (length > sessions.Settings.MaxPayload)
            {
                engine.Metrics.CountRefusal(Refusal.TooLarge);
                return EngineIoError.TooLarge;
            }

            if (PollPayload.Split(body.AsMemory(0, length)) is not { } packets) return End(session, "parse_error");
            foreach (var packet in packets)
            {
                if (await session.TakePacketAsync(packet, context.RequestAborted) is not { } reason) continue;
                if (reason.Code == CloseCodes.Malformed) return End(session, reason.Reason);
                _ = session.CloseAsync(reason, writable: true, reason == CloseReason.Normal ? PollAnswer.Noop : PollAnswer.Close);
                break;
            }

            return null;
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(body);
        }
    }

    private EngineIoError End(EngineSession session, string what)
    {
        engine.Metrics.CountRefusal(Refusal.Malformed);
        _ = session.CloseAsync(CloseReason.Malformed(what));
        return EngineIoError.BadRequest;
    }

    /// <summary>Reads a body, as much as fits.</summary>
    /// <returns>How long it is; the whole room if it is longer.</returns>
    private static async Task<int> ReadBodyAsync(HttpContext context, Memory<byte> into)
    {
        if (context.Request.ContentLength >= into.Length) return into.Length;
        if (context.Features.Get<IHttpMaxRequestBodySizeFeature>() is { IsReadOnly: false } size) size.MaxRequestBodySize = into.Length;
        return await context.Request.Body.ReadAtLeastAsync(into, into.Length, throwOnEndOfStream: false, context.RequestAborted);
    }

    private static async Task AnswerAsync(HttpContext context, ReadOnlyMemory<byte> body)
    {
        context.Response.ContentType = "text/plain; charset=UTF-8";
        context.Response.ContentLength = body.Length;
        context.Response.Headers.CacheControl = "no-store";
        await context.Response.BodyWriter.WriteAsync(body, context.RequestAborted);
    }

    private sealed class OpenVisit(EngineIoEndpoint endpoint, EngineIoEntry entry, bool takesNoBinary) : WebSocketVisit
    {
        public override async Task RunAsync(WebSocketReceiver receiver, WebSocketTransport transport, CancellationToken closed)
        {
            using (this) await endpoint.SocketOf(receiver, transport).RunNewAsync(entry, takesNoBinary, closed);
        }

        public override void Dispose() => entry.Place?.Dispose();
    }

    private sealed class UpgradeVisit : WebSocketVisit
    {
        private readonly CancellationTokenSource _upgrade;
        private readonly EngineIoEndpoint _endpoint;
        private readonly EngineSession _session;
        private readonly bool _isFirst;

        public UpgradeVisit(EngineIoEndpoint endpoint, EngineSession session)
        {
            (_endpoint, _session) = (endpoint, session);
            _upgrade = new CancellationTokenSource(Timeout.InfiniteTimeSpan, endpoint.Clock);
            _isFirst = session.TryBeginUpgrade(_upgrade); // before the answer: a poll that comes after it knows
        }

        public override async Task RunAsync(WebSocketReceiver receiver, WebSocketTransport transport, CancellationToken closed)
        {
            var socket = _endpoint.SocketOf(receiver, transport);
            await (_isFirst ? socket.RunUpgradeAsync(_session, _upgrade, closed) : socket.RefuseAsync());
            Dispose();
        }

        public override void Dispose()
        {
            _session.AbandonUpgrade(_upgrade);
            _upgrade.Dispose();
        }
    }

    private TimeProvider Clock => sessions.Clock;

    private EngineSocket SocketOf(WebSocketReceiver receiver, WebSocketTransport transport) => new(engine, sessions, receiver, transport, logger);
}
