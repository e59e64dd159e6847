using Microsoft.AspNetCore.Http;

namespace Tidings.Protocols.EngineIo;

/// <summary>What the query of a request says.</summary>
/// <param name="IsWebSocket">Whether the transport is a WebSocket; otherwise it is polling.</param>
/// <param name="Sid">The session that it belongs to; null for a new one.</param>
/// <param name="TakesNoBinary">Whether the client wants binary messages as text.</param>
internal readonly record struct EngineRequest(bool IsWebSocket, string? Sid, bool TakesNoBinary)
{
    private const int LongestSid = 64;

    /// <summary>Reads it.</summary>
    /// <returns>Null, or what is wrong.</returns>
    public static EngineIoError? TryRead(HttpRequest request, out EngineRequest result)
    {
        result = default;
        var transport = request.Query["transport"].ToString();
        if (transport is not ("polling" or "websocket")) return EngineIoError.UnknownTransport;

        var sid = request.Query["sid"].ToString();
        if (sid.Length > LongestSid) return EngineIoError.UnknownSession;
        if (request.Query["EIO"] != "4") return sid.Length > 0 ? EngineIoError.BadRequest : EngineIoError.UnsupportedVersion;

        result = new EngineRequest(transport == "websocket", sid.Length > 0 ? sid : null, request.Query["b64"] == "1");
        return null;
    }
}
