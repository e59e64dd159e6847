using System.Net.WebSockets;
using System.Text;
using System.Text.Json;
using Shouldly;

namespace Tidings.Protocols.Tests.Support;

/// <summary>A SignalR client that sends and shows records as they are, without the byte that ends them.</summary>
internal sealed class HubSocket : IAsyncDisposable
{
    private readonly ClientWebSocket _socket = new();
    private readonly Queue<string> _records = new();
    private readonly StringBuilder _rest = new();

    private HubSocket()
    {
    }

    /// <summary>Opens the WebSocket; the handshake is the test's.</summary>
    public static async Task<HubSocket> OpenAsync(TestServer server, string query = "access_token=42", Action<ClientWebSocketOptions>? configure = null)
    {
        var hub = new HubSocket();
        configure?.Invoke(hub._socket.Options);
        await hub._socket.ConnectAsync(new Uri($"ws://127.0.0.1:{server.Address.Port}/hubs/tidings?{query}"), CancellationToken.None).WaitAsync(TestSocket.Deadline);
        return hub;
    }

    /// <summary>Shakes hands and swallows <c>connected</c> and what is attached.</summary>
    public static async Task<HubSocket> ConnectAsync(TestServer server, string query = "access_token=42&events=receive")
    {
        var hub = await OpenAsync(server, query);
        (await hub.AskAsync("""{"protocol":"json","version":1}""")).ShouldBe("{}");
        await hub.SendAsync("""{"type":1,"invocationId":"ready","target":"Ready","arguments":[]}""");
        await hub.ReceiveAsync(static record => record.Contains("\"ready\"", StringComparison.Ordinal));
        return hub;
    }

    public Task SendAsync(string record) => SendRawAsync(record + "\u001e");

    public async Task SendRawAsync(string text) =>
        await _socket.SendAsync(Encoding.UTF8.GetBytes(text), WebSocketMessageType.Text, true, CancellationToken.None).WaitAsync(TestSocket.Deadline);

    /// <summary>Sends a record and receives the next.</summary>
    public async Task<string?> AskAsync(string record)
    {
        await SendAsync(record);
        return await ReceiveAsync();
    }

    /// <summary>Calls a method and gives the completion, passing over everything before it.</summary>
    public async Task<string> CallAsync(string target, string arguments)
    {
        await SendAsync($$"""{"type":1,"invocationId":"call","target":"{{target}}","arguments":[{{arguments}}]}""");
        return await ReceiveAsync(static record => record.StartsWith("{\"type\":3,", StringComparison.Ordinal));
    }

    /// <summary>The argument of the next call of <c>receive</c>.</summary>
    public async Task<JsonElement> ReceiveEventAsync() =>
        JsonDocument.Parse(await ReceiveAsync(static record => record.StartsWith("{\"type\":1,\"target\":\"receive\"", StringComparison.Ordinal)))
            .RootElement.GetProperty("arguments")[0];

    public async Task<string> ReceiveAsync(Func<string, bool> isWanted)
    {
        while (true)
        {
            var record = (await ReceiveAsync()).ShouldNotBeNull("the connection ended before");
            if (isWanted(record)) return record;
        }
    }

    /// <summary>The next record; null at the end.</summary>
    public async Task<string?> ReceiveAsync()
    {
        var buffer = new byte[64 * 1024];
        while (_records.Count == 0)
        {
            WebSocketReceiveResult result;
            try
            {
                result = await _socket.ReceiveAsync(buffer, CancellationToken.None).WaitAsync(TestSocket.Deadline);
            }
            catch (WebSocketException)
            {
                return null;
            }

            if (result.MessageType == WebSocketMessageType.Close) return null;
            _rest.Append(Encoding.UTF8.GetString(buffer, 0, result.Count));
            var parts = _rest.ToString().Split('\u001e');
            foreach (var part in parts[..^1]) _records.Enqueue(part);
            _rest.Clear().Append(parts[^1]);
        }

        return _records.Dequeue();
    }

    public ValueTask DisposeAsync()
    {
        _socket.Abort();
        _socket.Dispose();
        return ValueTask.CompletedTask;
    }
}
