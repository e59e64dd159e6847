using System.Buffers;
using System.IO.Pipelines;
using System.Net;
using System.Net.Sockets;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Tidings.Protocols.Admission;
using Tidings.Protocols.WebSockets;
using Tidings.Realtime;

namespace Tidings.Protocols.Upgrade;

/// <summary>
/// Recognises a WebSocket handshake as the first request of a plain TCP connection and serves it without HTTP: the connection costs
/// less memory, and its frames go straight to the socket. Everything else, and everything unusual, goes on to HTTP untouched, where the same
/// endpoint serves it after the same checks.
/// </summary>
internal sealed class EarlyUpgrade(RealtimeEngine engine, IEnumerable<IWebSocketEndpoint> endpoints, Gatekeeper gate) : IDisposable
{
    /// <summary>How long a client may take for its first byte and for the rest of its head.</summary>
    private static readonly TimeSpan HeadTimeout = TimeSpan.FromSeconds(10);

    /// <summary>
    /// What the socket transport reads into. TLS, connection logging and whatever else may stand before us replace it by a reader over a
    /// stream; then the socket's bytes are not what we see, and nothing may be written straight to it.
    /// </summary>
    private static readonly Type PlainReader = new Pipe().Reader.GetType();

    private readonly Dictionary<UpgradePath, IWebSocketEndpoint> _endpoints = endpoints
        .SelectMany(static endpoint => endpoint.Paths, static (endpoint, path) => (Path: new UpgradePath(path), Endpoint: endpoint))
        .ToDictionary(static pair => pair.Path, static pair => pair.Endpoint);

    private readonly HeadDeadlines _deadlines = new(HeadTimeout, engine.Clock);

    /// <summary>Deals with a connection from its first byte, or hands it on.</summary>
    /// <param name="connection">The connection.</param>
    /// <param name="prepare">Does to the request what the host's middlewares would, such as believing a proxy; null leaves proxied requests to HTTP.</param>
    /// <param name="next">HTTP.</param>
    public async Task ServeAsync(ConnectionContext connection, Action<HttpContext>? prepare, ConnectionDelegate next)
    {
        Task? session = null;
        try
        {
            if (PlainSocketOf(connection) is { } socket) session = await TryOpenAsync(connection, socket, prepare);
        }
        catch (Exception exception) when (IsGone(connection, exception))
        {
            return; // the client left before it was let in: nothing to answer, and no fault
        }

        await (session ?? next(connection));
    }

    /// <inheritdoc />
    public void Dispose() => _deadlines.Dispose();

    private static Socket? PlainSocketOf(ConnectionContext connection) =>
        connection.Transport.Input.GetType() == PlainReader
        && connection.Features.Get<ITlsHandshakeFeature>() is null
        && connection.RemoteEndPoint is IPEndPoint
        && connection.Features.Get<IConnectionSocketFeature>()?.Socket is { ProtocolType: ProtocolType.Tcp } socket
            ? socket
            : null;

    private static bool IsGone(ConnectionContext connection, Exception exception) =>
        exception is IOException or SocketException or ObjectDisposedException
        || (exception is OperationCanceledException && connection.ConnectionClosed.IsCancellationRequested);

    /// <summary>Opens a session if that is what the client asks for.</summary>
    /// <returns>The session's run, or null if the connection is HTTP's.</returns>
    private async ValueTask<Task?> TryOpenAsync(ConnectionContext connection, Socket socket, Action<HttpContext>? prepare)
    {
        if (await ReadHeadAsync(connection) is not { } head) return null;

        var context = ContextOf(head, connection);
        if (!MayJudge(context, prepare)) return null;
        prepare?.Invoke(context);

        // What is refused before the upgrade is for HTTP to say.
        if (WebSocketHandshake.JudgeFields(context.Request) != HandshakeVerdict.Good) return null;
        if (gate.OriginOf(context.Request) == OriginVerdict.Refused) return null;
        if (await _endpoints[head.Path].AdmitAsync(context) is not { } visit) return null;

        try
        {
            return await OpenAsync(connection, socket, head, context, visit);
        }
        catch
        {
            visit.Dispose(); // no session was begun that would
            throw;
        }
    }

    private async ValueTask<Task> OpenAsync(ConnectionContext connection, Socket socket, UpgradeHead head, HttpContext context, WebSocketVisit visit)
    {
        var (endpoint, input) = (_endpoints[head.Path], connection.Transport.Input);
        var read = await input.ReadAsync();
        input.AdvanceTo(read.Buffer.GetPosition(head.Length)); // frames that came behind the head stay

        socket.Blocking = false;
        var receiver = new WebSocketReceiver(input, endpoint.MessageBytes);
        var transport = new SocketTransport(socket, connection, receiver, engine.Options.CloseTimeout, engine.Clock);
        var answer = WebSocketHandshake.AnswerTo(context.Request, endpoint.Subprotocol);
        if (transport.TryWrite(answer) != answer.Length) connection.Abort(); // nothing was sent before: it fits, or the peer is gone
        return visit.RunAsync(receiver, transport, connection.ConnectionClosed);
    }

    /// <summary>Reads the head and leaves it where it is.</summary>
    private async ValueTask<UpgradeHead?> ReadHeadAsync(ConnectionContext connection)
    {
        var input = connection.Transport.Input;
        // A host that stops does not wait for those who have said nothing yet: HTTP, which knows of it too, ends the connection.
        using var stopping = connection.Features.Get<IConnectionLifetimeNotificationFeature>()?.ConnectionClosedRequested
            .UnsafeRegister(static input => ((PipeReader)input!).CancelPendingRead(), input);
        _deadlines.Start(connection);
        try
        {
            while (true)
            {
                var read = await input.ReadAsync();
                var verdict = Look(read.Buffer, out var head);
                var waits = verdict == HeadVerdict.Incomplete && !read.IsCompleted && !read.IsCanceled;
                input.AdvanceTo(read.Buffer.Start, waits ? read.Buffer.End : read.Buffer.Start);
                if (!waits) return head;
            }
        }
        catch (Exception exception) when (exception is IOException or OperationCanceledException)
        {
            return null; // cut; HTTP finds the same and ends
        }
        finally
        {
            _deadlines.Stop(connection);
        }
    }

    private HeadVerdict Look(ReadOnlySequence<byte> received, out UpgradeHead? head) => received.IsSingleSegment
        ? UpgradeHead.TryRead(received.FirstSpan, _endpoints.Keys, out head)
        : UpgradeHead.TryRead(received.Slice(0, Math.Min(received.Length, UpgradeHead.MaxBytes)).ToArray(), _endpoints.Keys, out head);

    /// <summary>Whether we can judge the request as HTTP would: a cookie is for the host to read, a proxy's word for <c>prepare</c>.</summary>
    private static bool MayJudge(HttpContext context, Action<HttpContext>? prepare)
    {
        var headers = context.Request.Headers;
        if (headers.Cookie.Count > 0 && Gatekeeper.FindToken(context.Request) is null) return false;
        return prepare is not null || !headers.Keys.Any(static name =>
            name.StartsWith("X-Forwarded-", StringComparison.OrdinalIgnoreCase) || name.Equals("Forwarded", StringComparison.OrdinalIgnoreCase));
    }

    private static DefaultHttpContext ContextOf(UpgradeHead head, ConnectionContext connection)
    {
        var features = new FeatureCollection();
        features.Set<IHttpRequestFeature>(new HttpRequestFeature
        {
            Protocol = "HTTP/1.1",
            Scheme = "http",
            Method = HttpMethods.Get,
            Path = head.Target,
            QueryString = head.Query,
            RawTarget = head.Target + head.Query,
            Headers = head.Headers,
        });
        features.Set<IHttpResponseFeature>(new HttpResponseFeature());
        var remote = (IPEndPoint)connection.RemoteEndPoint!;
        var local = connection.LocalEndPoint as IPEndPoint;
        features.Set<IHttpConnectionFeature>(new HttpConnectionFeature
        {
            ConnectionId = connection.ConnectionId,
            RemoteIpAddress = remote.Address,
            RemotePort = remote.Port,
            LocalIpAddress = local?.Address,
            LocalPort = local?.Port ?? 0,
        });
        return new DefaultHttpContext(features) { RequestAborted = connection.ConnectionClosed };
    }
}
