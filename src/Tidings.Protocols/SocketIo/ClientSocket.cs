using Tidings.Protocols.Native;
using Tidings.Realtime;
using Tidings.Realtime.Connections;

namespace Tidings.Protocols.SocketIo;

/// <summary>One client in the main namespace: its events become commands of its connection.</summary>
internal sealed class ClientSocket(RealtimeEngine engine, ClientEvents events, RecoveryKeys keys, Connection connection) : ISocket
{
    /// <inheritdoc />
    public async ValueTask<CloseReason?> ReceiveAsync(SocketPacket packet, bool isOverRate, CancellationToken cancellationToken)
    {
        connection.MarkAlive();
        if (packet.Type is not (SocketPacketType.Event or SocketPacketType.BinaryEvent)) return null; // we ask for no answers
        if (isOverRate)
        {
            engine.Metrics.CountRefusal(Refusal.Messages);
            connection.Send(new ErrorMessage(packet.Id ?? SocketIoFormat.NoAck, ErrorCode.RateLimited, "Too many messages."));
            return null;
        }

        var parsed = events.Parse(packet);
        if (parsed.Error is { } error) connection.Send(error);
        else await engine.HandleAsync(connection, parsed.Command!, cancellationToken);
        return null;
    }

    /// <inheritdoc />
    public void MarkAlive() => connection.MarkAlive();

    /// <inheritdoc />
    public void RepeatReply() => connection.Send(new SocketReplyMessage());

    /// <inheritdoc />
    public async Task LeaveAsync()
    {
        keys.End(connection.Id);
        connection.Close(CloseReason.Normal);
        await connection.Completion;
    }

    /// <inheritdoc />
    public void Closed(CloseReason reason) => connection.Close(reason);
}
