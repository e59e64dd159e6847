using System.Text;

namespace Tidings.Bench.Network;

/// <summary>Socket.IO as Tidings speaks it: the token in the CONNECT packet, and a channel that is subscribed to.</summary>
internal sealed class TidingsSocketIoDialect(Func<int, string> token, string channel) : Dialect
{
    private readonly byte[] _subscribe = Encoding.UTF8.GetBytes($"42[\"subscribe\",\"{channel}\"]");
    private readonly byte[] _subscribed = Encoding.UTF8.GetBytes($"42[\"subscribed\",{{\"channel\":\"{channel}\"");

    internal override string Path(int number) => "/socket.io/?EIO=4&transport=websocket";

    internal override void OnUpgraded(WebSocketConnection connection)
    {
        // The server speaks first: an Engine.IO open packet.
    }

    internal override void OnReply(WebSocketConnection connection, ReadOnlySpan<byte> message)
    {
        if (message.StartsWith("0{"u8))
            connection.SendText(Encoding.UTF8.GetBytes($"40{{\"token\":\"{token(connection.Number)}\"}}"));
        else if (message.StartsWith("40{"u8))
            connection.SendText(_subscribe);
        else if (message.StartsWith(_subscribed))
            connection.ConfirmSubscribed();
        else if (message.StartsWith("44"u8) || message.StartsWith("42[\"error\""u8))
            throw new BenchException($"Subscribing was refused: {Encoding.UTF8.GetString(message)}");
    }

    internal override void OnMessage(WebSocketConnection connection, ReadOnlySpan<byte> message, long at)
    {
        if (message.StartsWith("42"u8))
            connection.HandOn(message, at);
        else if (message.SequenceEqual("2"u8))
            connection.SendText("3"u8);
        else
            throw new BenchException("An unexpected packet of Socket.IO.");
    }
}
