using Tidings.Protocols.EngineIo;
using Tidings.Protocols.WebSockets;
using Tidings.Realtime.Connections;

namespace Tidings.ProtocolHost;

/// <summary>Sends every message back.</summary>
internal sealed class EchoPeer(EngineSession session) : IEngineIoPeer
{
    /// <inheritdoc />
    public ValueTask<CloseReason?> ReceiveAsync(ReadOnlyMemory<byte> message, bool isBinary, CancellationToken cancellationToken)
    {
        session.Send(isBinary ? session.BinaryFrame(message.Span) : FrameWriter.Text([EnginePackets.Message, .. message.Span]));
        return ValueTask.FromResult<CloseReason?>(null);
    }

    /// <inheritdoc />
    public void MarkAlive()
    {
    }

    /// <inheritdoc />
    public CloseReason? Tick(long now) => null;

    /// <inheritdoc />
    public void Closed(CloseReason reason)
    {
    }
}
