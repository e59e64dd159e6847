using System.Text;
using System.Text.Json;

namespace Tidings.Bench.Network;

/// <summary>The native protocol: a token with the upgrade, <c>connected</c>, then one subscription.</summary>
internal sealed class TidingsDialect(Func<int, string> token, Func<int, string> channel) : Dialect
{
    internal override string Path(int number) => "/ws";

    internal override string Fields(int number) => $"Sec-WebSocket-Protocol: tidings.v1\r\nAuthorization: Bearer {token(number)}\r\n";

    internal override void OnUpgraded(WebSocketConnection connection)
    {
        // The server speaks first: `connected`.
    }

    internal override void OnReply(WebSocketConnection connection, ReadOnlySpan<byte> message)
    {
        switch (TypeOf(message))
        {
            case "connected":
                connection.SendText(Encoding.UTF8.GetBytes($"{{\"type\":\"subscribe\",\"id\":1,\"channel\":\"{channel(connection.Number)}\"}}"));
                break;
            case "subscribed" when message.IndexOf(Encoding.UTF8.GetBytes(channel(connection.Number))) >= 0:
                connection.ConfirmSubscribed();
                break;
            case "error":
                throw new BenchException($"Subscribing to {channel(connection.Number)} was refused: {Encoding.UTF8.GetString(message)}");
        }
    }

    private static string? TypeOf(ReadOnlySpan<byte> message)
    {
        var reader = new Utf8JsonReader(message);
        while (reader.Read())
        {
            if (reader.TokenType == JsonTokenType.PropertyName && reader.CurrentDepth == 1 && reader.ValueTextEquals("type"u8))
                return reader.Read() ? reader.GetString() : null;
        }

        return null;
    }
}
