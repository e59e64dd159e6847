namespace Tidings.Bench.Network;

/// <summary>SignalR's JSON hub protocol without negotiation: records that end in 0x1E, several of which may share a message.</summary>
internal sealed class SignalRDialect : Dialect
{
    private const byte RecordEnd = 0x1E;

    internal override string Path(int number) => "/hub";

    internal override void OnUpgraded(WebSocketConnection connection) => connection.SendText("{\"protocol\":\"json\",\"version\":1}\x1E"u8);

    internal override void OnReply(WebSocketConnection connection, ReadOnlySpan<byte> message)
    {
        foreach (var range in message.Split(RecordEnd))
        {
            var record = message[range];
            if (record.SequenceEqual("{}"u8))
                connection.SendText("{\"type\":1,\"invocationId\":\"1\",\"target\":\"Subscribe\",\"arguments\":[]}\x1E"u8);
            else if (record.StartsWith("{\"type\":3,"u8))
                connection.ConfirmSubscribed();
        }
    }

    internal override void OnMessage(WebSocketConnection connection, ReadOnlySpan<byte> message, long at)
    {
        for (int end; (end = message.IndexOf(RecordEnd)) >= 0; message = message[(end + 1)..])
        {
            if (message.StartsWith("{\"type\":1,"u8))
                connection.HandOn(message[..end], at);
            else if (message.StartsWith("{\"type\":6}"u8))
                connection.SendText("{\"type\":6}\x1E"u8);
            else
                throw new BenchException("An unexpected record of SignalR.");
        }
    }
}
