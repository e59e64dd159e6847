using Microsoft.AspNetCore.Http;

namespace Tidings.Protocols.WebSockets;

/// <summary>
/// What takes WebSockets at some path, whichever way they came: before HTTP or through it. Both ways make the same checks by calling the
/// same members. Safe for all threads.
/// </summary>
internal interface IWebSocketEndpoint
{
    /// <summary>Where it is: <c>/ws</c>, or <c>/app/{key}</c> for any one segment at the end.</summary>
    IReadOnlyList<string> Paths { get; }

    /// <summary>The subprotocol that it names in the answer if the client offered it; null for none.</summary>
    string? Subprotocol { get; }

    /// <summary>The longest message that it takes, in bytes.</summary>
    int MessageBytes { get; }

    /// <summary>Decides about a handshake whose form is good, without answering it.</summary>
    /// <returns>Null if the client gets no WebSocket; <see cref="RefuseAsync"/> says why.</returns>
    ValueTask<WebSocketVisit?> AdmitAsync(HttpContext context);

    /// <summary>Answers a request that is no good handshake, or was not admitted.</summary>
    Task RefuseAsync(HttpContext context, HandshakeVerdict verdict);
}

/// <summary>A client that gets its WebSocket. Whoever gets this either runs it or disposes it.</summary>
internal abstract class WebSocketVisit : IDisposable
{
    /// <summary>Serves the client to its end, and disposes the visit. The task does not keep the request.</summary>
    /// <param name="receiver">What the client says; disposed at the end.</param>
    /// <param name="transport">The way to the client.</param>
    /// <param name="closed">Ends with the link.</param>
    public abstract Task RunAsync(WebSocketReceiver receiver, WebSocketTransport transport, CancellationToken closed);

    /// <summary>Gives back what the handshake took of the limits. Harmless when repeated.</summary>
    public abstract void Dispose();
}
