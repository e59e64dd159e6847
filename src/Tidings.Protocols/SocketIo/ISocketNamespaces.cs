using Tidings.Realtime.Connections;

namespace Tidings.Protocols.SocketIo;

/// <summary>The namespaces of an endpoint, and who may enter them.</summary>
internal interface ISocketNamespaces
{
    /// <summary>Lets a client into a namespace, or says why not. Whoever is let in has been sent the reply.</summary>
    /// <param name="session">Whose session it is.</param>
    /// <param name="name">The namespace.</param>
    /// <param name="auth">What the client sent along: an object in JSON, or nothing.</param>
    /// <param name="cancellationToken">Ends with the request that brought it.</param>
    ValueTask<SocketEntry> ConnectAsync(SocketSession session, string name, ReadOnlyMemory<byte> auth, CancellationToken cancellationToken);
}

/// <summary>What became of a CONNECT: exactly one is there.</summary>
/// <param name="Socket">The client is in.</param>
/// <param name="Error">It is not, and is told so in this frame.</param>
/// <param name="End">It is not, and shall come back over a new session.</param>
internal readonly record struct SocketEntry(ISocket? Socket, byte[]? Error = null, CloseReason? End = null);

/// <summary>One client in one namespace.</summary>
internal interface ISocket
{
    /// <summary>Deals with an event or an answer.</summary>
    /// <param name="packet">What came; good until this completes.</param>
    /// <param name="isOverRate">Whether it is one too many: it is to be refused.</param>
    /// <param name="cancellationToken">Ends with the request that brought it.</param>
    /// <returns>Why the session must end, or null.</returns>
    ValueTask<CloseReason?> ReceiveAsync(SocketPacket packet, bool isOverRate, CancellationToken cancellationToken);

    /// <summary>The client answered a ping. Any thread.</summary>
    void MarkAlive();

    /// <summary>The client asks again for what it has: it gets the same reply.</summary>
    void RepeatReply();

    /// <summary>The client leaves the namespace on purpose. Completes when nothing more will be sent to it.</summary>
    Task LeaveAsync();

    /// <summary>The session is over. Any thread. Must not throw.</summary>
    void Closed(CloseReason reason);
}
