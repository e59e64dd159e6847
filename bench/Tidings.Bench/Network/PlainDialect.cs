namespace Tidings.Bench.Network;

/// <summary>For servers that only carry messages: one word to subscribe, one to confirm it, and then every message is an event.</summary>
internal sealed class PlainDialect : Dialect
{
    internal override void OnUpgraded(WebSocketConnection connection) => connection.SendText("subscribe"u8);

    internal override void OnReply(WebSocketConnection connection, ReadOnlySpan<byte> message)
    {
        if (!message.SequenceEqual("subscribed"u8))
            throw new BenchException("The server did not confirm the subscription.");
        connection.ConfirmSubscribed();
    }
}
