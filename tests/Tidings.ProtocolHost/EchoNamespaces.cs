using System.Security.Cryptography;
using System.Text;
using Tidings.Protocols.SocketIo;
using Tidings.Realtime.Connections;

namespace Tidings.ProtocolHost;

/// <summary>The namespaces <c>/</c> and <c>/custom</c>: they tell a client what it sent along, and send back what it says.</summary>
internal sealed class EchoNamespaces : ISocketNamespaces
{
    /// <summary>A client that takes one message at a time must find the two of the beginning apart.</summary>
    private static readonly TimeSpan Apart = TimeSpan.FromMilliseconds(10);

    /// <inheritdoc />
    public async ValueTask<SocketEntry> ConnectAsync(SocketSession session, string name, ReadOnlyMemory<byte> auth, CancellationToken cancellationToken)
    {
        if (name is not ("/" or "/custom")) return new(null, SocketPackets.ConnectError(name, "Invalid namespace", null));

        var payload = auth.IsEmpty ? "{}"u8.ToArray() : auth.ToArray();
        var socket = new EchoSocket(session, name);
        socket.RepeatReply();
        await Task.Delay(Apart, cancellationToken);
        session.Engine.Send(SocketPackets.Event(name, "auth", payload));
        return new(socket);
    }

    private sealed class EchoSocket(SocketSession session, string name) : ISocket
    {
        private readonly string _sid = Convert.ToHexString(RandomNumberGenerator.GetBytes(10));

        public ValueTask<CloseReason?> ReceiveAsync(SocketPacket packet, bool isOverRate, CancellationToken cancellationToken)
        {
            var arguments = Encoding.UTF8.GetBytes(string.Join(',', packet.Arguments.Select(static argument => Encoding.UTF8.GetString(argument.Span))));
            switch (packet.Name)
            {
                case "message" when packet.Attachments == 0:
                    session.Engine.Send(SocketPackets.Event(name, "message-back", arguments));
                    break;
                case "message":
                    Send(SocketPacketType.BinaryEvent, null, [.. "[\"message-back\","u8, .. arguments, (byte)']']);
                    break;
                case "message-with-ack" when packet.Id is { } id && packet.Attachments == 0:
                    session.Engine.Send(SocketPackets.Ack(name, id, arguments));
                    break;
                case "message-with-ack" when packet.Id is not null:
                    Send(SocketPacketType.BinaryAck, packet.Id, [(byte)'[', .. arguments, (byte)']']);
                    break;
            }

            return ValueTask.FromResult<CloseReason?>(null);

            void Send(SocketPacketType type, long? id, byte[] payload) =>
                session.Engine.Send(SocketPackets.WithBinaries(session.Engine, type, name, id, payload, packet.Binaries));
        }

        public void RepeatReply() => session.Engine.Send(SocketPackets.Connected(name, _sid, null));

        public void MarkAlive()
        {
        }

        public Task LeaveAsync() => Task.CompletedTask;

        public void Closed(CloseReason reason)
        {
        }
    }
}
