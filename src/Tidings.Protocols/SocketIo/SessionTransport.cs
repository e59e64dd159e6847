using Tidings.Protocols.EngineIo;
using Tidings.Protocols.WebSockets;
using Tidings.Realtime.Connections;

namespace Tidings.Protocols.SocketIo;

/// <summary>From a connection of the engine to the Engine.IO session that its socket is in.</summary>
internal sealed class SessionTransport(EngineSession session) : ITransport
{
    /// <inheritdoc />
    public bool WritesAtOnce => session.Outbox.WritesAtOnce;

    /// <inheritdoc />
    public int TryWrite(ReadOnlySpan<byte> bytes) => session.Outbox.TryWrite(bytes);

    /// <inheritdoc />
    public ValueTask WriteAsync(IReadOnlyList<ReadOnlyMemory<byte>> pieces, CancellationToken cancellationToken) =>
        session.Outbox.WriteAsync(pieces, cancellationToken);

    /// <summary>
    /// A socket that its client left takes nothing along. Every other end is one of the session, after which clients come back by themselves;
    /// those that shall not are told so first.
    /// </summary>
    public async ValueTask CloseAsync(CloseReason reason, bool writable)
    {
        if (reason == CloseReason.Normal) return;
        if (reason.Code == CloseReason.Disconnected.Code && writable) session.Send(SocketPackets.Disconnect("/"));
        await session.CloseAsync(reason, writable);
    }
}
