using System.Security.Cryptography;
using System.Text;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Http.Timeouts;
using Microsoft.Extensions.Primitives;

namespace Tidings.Protocols.WebSockets;

/// <summary>What a request for a WebSocket amounts to.</summary>
internal enum HandshakeVerdict
{
    /// <summary>It is one.</summary>
    Good,

    /// <summary>405: another method.</summary>
    Method,

    /// <summary>426: a request that does not ask for an upgrade.</summary>
    NotAnUpgrade,

    /// <summary>426 with the version that we speak.</summary>
    Version,

    /// <summary>400: a key that is not 16 bytes.</summary>
    Key,
}

/// <summary>The opening handshake, RFC 6455 section 4 over HTTP/1.1 and RFC 8441 over HTTP/2.</summary>
internal static class WebSocketHandshake
{
    /// <summary>What a subprotocol that carries a token begins with.</summary>
    public const string BearerPrefix = "bearer.";

    private const string Version = "13";
    private const string Protocol = "websocket";
    private const int KeyBytes = 16;

    /// <summary>Checks a request without answering it.</summary>
    public static HandshakeVerdict Judge(HttpContext context)
    {
        var request = context.Request;
        if (context.Features.Get<IHttpExtendedConnectFeature>() is { IsExtendedConnect: true } connect)
        {
            if (!string.Equals(connect.Protocol, Protocol, StringComparison.OrdinalIgnoreCase)) return HandshakeVerdict.NotAnUpgrade;
            return request.Headers.SecWebSocketVersion == Version ? HandshakeVerdict.Good : HandshakeVerdict.Version;
        }

        if (!HttpMethods.IsGet(request.Method)) return HandshakeVerdict.Method;
        return HttpProtocol.IsHttp11(request.Protocol) && context.Features.Get<IHttpUpgradeFeature>() is { IsUpgradableRequest: true } ? JudgeFields(request) : HandshakeVerdict.NotAnUpgrade;
    }

    /// <summary>Checks the fields of a handshake over HTTP/1.1.</summary>
    public static HandshakeVerdict JudgeFields(HttpRequest request)
    {
        if (!Lists(request.Headers.Upgrade, Protocol, StringComparison.OrdinalIgnoreCase)) return HandshakeVerdict.NotAnUpgrade;
        if (request.Headers.SecWebSocketVersion != Version) return HandshakeVerdict.Version;
        return IsKey(request.Headers.SecWebSocketKey) ? HandshakeVerdict.Good : HandshakeVerdict.Key;
    }

    /// <summary>The whole answer to a handshake over HTTP/1.1 that was found good.</summary>
    public static byte[] AnswerTo(HttpRequest request, string? subprotocol)
    {
        var chosen = Offers(request, subprotocol) ? $"Sec-WebSocket-Protocol: {subprotocol}\r\n" : "";
        return Encoding.ASCII.GetBytes(
            $"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: {Protocol}\r\n"
            + $"Sec-WebSocket-Accept: {AcceptFor(request.Headers.SecWebSocketKey.ToString())}\r\n{chosen}\r\n");
    }

    /// <summary>Accepts a request that was found good, and gives its stream.</summary>
    /// <param name="context">The request.</param>
    /// <param name="subprotocol">The one subprotocol that we speak; named in the answer if the client offered it; null for none.</param>
    public static async ValueTask<Stream> AcceptAsync(HttpContext context, string? subprotocol)
    {
        var (request, response) = (context.Request, context.Response);
        if (Offers(request, subprotocol)) response.Headers.SecWebSocketProtocol = subprotocol;

        // A live link is no request: nothing about it is over in time, and its bytes are not a body.
        if (context.Features.Get<IHttpMaxRequestBodySizeFeature>() is { IsReadOnly: false } size) size.MaxRequestBodySize = null;
        context.Features.Get<IHttpRequestTimeoutFeature>()?.DisableTimeout();

        if (context.Features.Get<IHttpExtendedConnectFeature>() is { IsExtendedConnect: true } connect)
        {
            response.StatusCode = StatusCodes.Status200OK;
            return await connect.AcceptAsync();
        }

        response.Headers.Upgrade = Protocol;
        response.Headers.SecWebSocketAccept = AcceptFor(request.Headers.SecWebSocketKey.ToString());
        return await context.Features.GetRequiredFeature<IHttpUpgradeFeature>().UpgradeAsync();
    }

    /// <summary>The answer to a key.</summary>
    public static string AcceptFor(string key)
    {
        Span<byte> hash = stackalloc byte[SHA1.HashSizeInBytes];
#pragma warning disable CA5350 // RFC 6455 names SHA-1; it proves nothing but that we read the request.
        SHA1.HashData(Encoding.ASCII.GetBytes(key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"), hash);
#pragma warning restore CA5350
        return Convert.ToBase64String(hash);
    }

    /// <summary>The token that a client put among its subprotocols, because a page can't set headers.</summary>
    public static string? TokenAmong(StringValues subprotocols)
    {
        foreach (var line in subprotocols)
        {
            foreach (var range in line.AsSpan().Split(','))
            {
                var offered = line.AsSpan()[range].Trim();
                if (offered.StartsWith(BearerPrefix, StringComparison.Ordinal)) return offered[BearerPrefix.Length..].ToString();
            }
        }

        return null;
    }

    private static bool Offers(HttpRequest request, string? subprotocol) =>
        subprotocol is not null && Lists(request.Headers.SecWebSocketProtocol, subprotocol, StringComparison.Ordinal);

    private static bool Lists(StringValues header, string item, StringComparison comparison)
    {
        foreach (var line in header)
        {
            foreach (var range in line.AsSpan().Split(','))
                if (line.AsSpan()[range].Trim().Equals(item, comparison)) return true;
        }

        return false;
    }

    private static bool IsKey(StringValues key)
    {
        Span<byte> bytes = stackalloc byte[KeyBytes + 2];
        return key.Count == 1 && key[0] is { Length: 24 } text && Convert.TryFromBase64String(text, bytes, out var count) && count == KeyBytes;
    }
}
