using System.Text;

namespace Tidings.Bench.Network;

/// <summary>Pusher Channels, protocol 7, on one public channel.</summary>
internal sealed class PusherDialect(string key, string channel) : Dialect
{
    private readonly byte[] _subscribe = Encoding.UTF8.GetBytes($"{{\"event\":\"pusher:subscribe\",\"data\":{{\"auth\":\"\",\"channel\":\"{channel}\"}}}}");

    internal override string Path(int number) => $"/app/{key}?protocol=7&client=js&version=8.6.0&flash=false";

    internal override void OnUpgraded(WebSocketConnection connection)
    {
        // The server speaks first: pusher:connection_established.
    }

    internal override void OnReply(WebSocketConnection connection, ReadOnlySpan<byte> message)
    {
        if (message.IndexOf("pusher:connection_established"u8) >= 0)
            connection.SendText(_subscribe);
        else if (message.IndexOf("pusher_internal:subscription_succeeded"u8) >= 0)
            connection.ConfirmSubscribed();
        else if (message.IndexOf("error"u8) >= 0)
            throw new BenchException($"Subscribing was refused: {Encoding.UTF8.GetString(message)}");
    }

    internal override void OnMessage(WebSocketConnection connection, ReadOnlySpan<byte> message, long at)
    {
        if (message.IndexOf("\"pusher:ping\""u8) >= 0)
            connection.SendText("{\"event\":\"pusher:pong\",\"data\":{}}"u8);
        else if (message.IndexOf("\"pusher_internal:"u8) < 0)
            connection.HandOn(message, at);
    }
}
