namespace Tidings.Bench.Network;

/// <summary>Engine.IO 4 over WebSocket with Socket.IO 5 in it: one packet a message, the first digits are its type.</summary>
internal sealed class SocketIoDialect : Dialect
{
    internal override string Path(int number) => "/socket.io/?EIO=4&transport=websocket";

    internal override void OnUpgraded(WebSocketConnection connection)
    {
        // The server speaks first: an Engine.IO open packet.
    }

    internal override void OnReply(WebSocketConnection connection, ReadOnlySpan<byte> message)
    {
        if (message.StartsWith("0"u8))
            connection.SendText("40"u8);
        else if (message.StartsWith("40"u8))
            connection.SendText("42[\"subscribe\"]"u8);
        else if (message.StartsWith("42[\"subscribed\""u8))
            connection.ConfirmSubscribed();
        else
            OnMessage(connection, message, 0);
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
