using System.Text;
using System.Text.Json;
using Tidings.Bench.Measurements;

namespace Tidings.Bench.Network;

/// <summary>The native protocol, of clients that name the position that they have.</summary>
internal sealed class StormDialect(IReadOnlyList<StormClient> clients) : Dialect
{
    internal override string Path(int number) => "/ws";

    internal override string Fields(int number) => $"Sec-WebSocket-Protocol: tidings.v1\r\nAuthorization: Bearer {clients[number].Token}\r\n";

    internal override void OnUpgraded(WebSocketConnection connection)
    {
        // The server speaks first: `connected`.
    }

    internal override void OnReply(WebSocketConnection connection, ReadOnlySpan<byte> message)
    {
        var client = clients[connection.Number];
        var reply = JsonElement.Parse(message);
        switch (reply.GetProperty("type").GetString())
        {
            case "connected":
                connection.SendText(client.Subscribe());
                break;
            // The server subscribes a signed-in user to the announcements by itself.
            case "subscribed" when reply.GetProperty("channel").GetString() == client.Channel:
                client.OnSubscribed(reply);
                connection.ConfirmSubscribed();
                break;
            case "error":
                throw new BenchException($"Subscribing was refused: {Encoding.UTF8.GetString(message)}");
        }
    }
}
