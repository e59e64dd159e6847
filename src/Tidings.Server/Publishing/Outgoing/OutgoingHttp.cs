using System.Net;
using System.Net.Sockets;

namespace Tidings.Server.Publishing.Outgoing;

/// <summary>
/// The one way by which requests go out to where a user said: public addresses only unless the settings allow others, https only unless they do, no
/// redirects, no proxies of the environment, no cookies, a time limit, a limit to what is read. An answer is a value, and so is none. Safe for all threads.
/// </summary>
/// <remarks>
/// A name is resolved where the connection is made, every address that it has is judged, and the connection goes to one of those: a name that answers
/// differently the next time gains nothing.
/// </remarks>
internal sealed class OutgoingHttp : IDisposable
{
    /// <summary>The most that is read of an answer: the 40 statuses of an account on Mastodon have some hundred kilobytes.</summary>
    public const int MaxAnswerBytes = 1024 * 1024;

    /// <summary>How long an exchange may take unless the caller says otherwise.</summary>
    public static readonly TimeSpan UsualTime = TimeSpan.FromSeconds(20);

    private const int FirstBytes = 8 * 1024;
    private const int MaxConnections = 32;
    private const int SecurePort = 443;

    private static readonly TimeSpan ConnectTime = TimeSpan.FromSeconds(10);

    // Below what servers usually wait: a request on a connection that the other side just closed ends as "nobody knows".
    private static readonly TimeSpan IdleTime = TimeSpan.FromSeconds(4);

    private readonly bool _allowsPrivate;
    private readonly TimeProvider _clock;
    private readonly Func<string, CancellationToken, Task<IPAddress[]>> _resolve;
    private readonly HttpMessageInvoker _http;

    /// <param name="allowsPrivate"><c>Tidings:Publishing:AllowPrivateNetworks</c>.</param>
    /// <param name="clock">Of the time limits.</param>
    /// <param name="resolve">The addresses of a name; null asks the system.</param>
    public OutgoingHttp(bool allowsPrivate, TimeProvider clock, Func<string, CancellationToken, Task<IPAddress[]>>? resolve = null)
    {
        (_allowsPrivate, _clock) = (allowsPrivate, clock);
        _resolve = resolve ?? Dns.GetHostAddressesAsync;
        _http = new HttpMessageInvoker(new SocketsHttpHandler
        {
            AllowAutoRedirect = false,
            UseCookies = false,
            UseProxy = false,
            ActivityHeadersPropagator = null,
            ConnectCallback = ConnectAsync,
            ConnectTimeout = ConnectTime,
            MaxConnectionsPerServer = MaxConnections,
            MaxResponseHeadersLength = 32,
            PooledConnectionIdleTimeout = IdleTime,
            PooledConnectionLifetime = TimeSpan.FromMinutes(2),
        });
    }

    /// <summary>What is wrong with an address that a user gave, a sentence; null if requests may go there. Names are judged again at each connection.</summary>
    public string? ProblemOf(Uri url)
    {
        if (url.UserInfo.Length > 0) return "An address has no user name or password in it.";
        if (_allowsPrivate) return url.Scheme is "https" or "http" ? null : "This must be an http or https address.";
        if (url.Scheme != "https") return "This must be an https address.";
        if (url.Port != SecurePort) return $"Only port {SecurePort} is allowed.";
        return IPAddress.TryParse(url.IdnHost, out var address) && !PublicAddresses.Contains(address) ? "This address is not on the public internet." : null;
    }

    /// <summary>
    /// Sends a request and reads its answer. Nothing is thrown for what goes wrong outside; the request's content is disposed of with it.
    /// </summary>
    public async Task<OutgoingAnswer> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken, TimeSpan? within = null)
    {
        var (url, host) = (request.RequestUri!, request.RequestUri!.IdnHost);
        if (ProblemOf(url) is { } problem) return OutgoingAnswer.NotSent(problem);

        var watch = request.Content is { } content ? new WatchedContent(content) : null;
        request.Content = watch;
        using var timeout = new CancellationTokenSource(within ?? UsualTime, _clock);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(timeout.Token, cancellationToken);
        try
        {
            using var response = await _http.SendAsync(request, either.Token).ConfigureAwait(false);
            var (body, isWhole) = await ReadAsync(response.Content, either.Token).ConfigureAwait(false);
            return OutgoingAnswer.Of(response, body, isWhole);
        }
        catch (Exception exception) when (exception is HttpRequestException or OperationCanceledException or IOException)
        {
            // What never began to be sent was not sent: no server acts on headers whose body is missing.
            return watch is { HasBegun: false } || HasNotConnected(exception)
                ? OutgoingAnswer.NotSent(SentenceOf(exception, host))
                : OutgoingAnswer.Unknown(exception is OperationCanceledException ? $"{host} did not answer in time." : $"The connection to {host} broke before the answer came.");
        }
    }

    public void Dispose() => _http.Dispose();

    private static bool HasNotConnected(Exception exception) => exception is HttpRequestException
    {
        HttpRequestError: HttpRequestError.NameResolutionError or HttpRequestError.ConnectionError or HttpRequestError.SecureConnectionError,
    } or { InnerException: AddressRefusedException };

    private static string SentenceOf(Exception exception, string host) => exception switch
    {
        { InnerException: AddressRefusedException } => $"{host} is not on the public internet.",
        HttpRequestException { HttpRequestError: HttpRequestError.NameResolutionError } => $"There is no address for the name {host}.",
        HttpRequestException { HttpRequestError: HttpRequestError.SecureConnectionError } => $"There is no secure connection to {host}: its certificate or its protocol is not accepted.",
        _ => $"There is no connection to {host}.",
    };

    /// <summary>Connects to an address that was judged, and to no other.</summary>
    private async ValueTask<Stream> ConnectAsync(SocketsHttpConnectionContext context, CancellationToken cancellationToken)
    {
        var endPoint = context.DnsEndPoint;
        var addresses = IPAddress.TryParse(endPoint.Host, out var literal) ? [literal] : await _resolve(endPoint.Host, cancellationToken).ConfigureAwait(false);
        if (addresses.Length == 0) throw new SocketException((int)SocketError.HostNotFound);
        if (!_allowsPrivate && !Array.TrueForAll(addresses, PublicAddresses.Contains)) throw new AddressRefusedException();

        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        try
        {
            await socket.ConnectAsync(addresses, endPoint.Port, cancellationToken).ConfigureAwait(false);
            return new NetworkStream(socket, ownsSocket: true);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    private static async Task<(ReadOnlyMemory<byte> Body, bool IsWhole)> ReadAsync(HttpContent content, CancellationToken cancellationToken)
    {
        var buffer = new byte[FirstBytes]; // it grows with what comes, whatever the header says
        var length = 0;
        try
        {
            await using var body = await content.ReadAsStreamAsync(cancellationToken).ConfigureAwait(false);
            while (length < buffer.Length && await body.ReadAsync(buffer.AsMemory(length), cancellationToken).ConfigureAwait(false) is > 0 and var read)
            {
                length += read;
                if (length == buffer.Length) Array.Resize(ref buffer, Math.Min(buffer.Length * 2, MaxAnswerBytes + 1));
            }

            return (buffer.AsMemory(0, Math.Min(length, MaxAnswerBytes)), length <= MaxAnswerBytes);
        }
        catch (Exception exception) when (exception is HttpRequestException or OperationCanceledException or IOException)
        {
            return (buffer.AsMemory(0, Math.Min(length, MaxAnswerBytes)), false); // the status was there: what it says is known
        }
    }

    private sealed class AddressRefusedException() : IOException("The address is not on the public internet.");

    /// <summary>Notes when the body begins to be sent.</summary>
    private sealed class WatchedContent : HttpContent
    {
        private readonly HttpContent _content;

        public WatchedContent(HttpContent content)
        {
            _content = content;
            foreach (var header in content.Headers.NonValidated) Headers.TryAddWithoutValidation(header.Key, header.Value);
        }

        public bool HasBegun { get; private set; }

        protected override Task SerializeToStreamAsync(Stream stream, TransportContext? context) => SerializeToStreamAsync(stream, context, CancellationToken.None);

        protected override Task SerializeToStreamAsync(Stream stream, TransportContext? context, CancellationToken cancellationToken)
        {
            HasBegun = true;
            return _content.CopyToAsync(stream, context, cancellationToken);
        }

        protected override bool TryComputeLength(out long length)
        {
            length = _content.Headers.ContentLength ?? 0;
            return _content.Headers.ContentLength is not null;
        }

        protected override void Dispose(bool disposing)
        {
            if (disposing) _content.Dispose();
            base.Dispose(disposing);
        }
    }
}
