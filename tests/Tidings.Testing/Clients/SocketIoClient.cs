using System.Net.WebSockets;
using System.Text;
using System.Text.Json;
using Tidings.Testing.Checks;

namespace Tidings.Testing.Clients;

/// <summary>A Socket.IO client over WebSocket, as little of one as it takes to connect, to join and to come back.</summary>
public sealed class SocketIoClient : IAsyncDisposable
{
    private readonly ClientWebSocket _socket = new();
    private readonly byte[] _buffer = new byte[64 * 1024];

    private readonly string _token;

    private SocketIoClient(string token) => _token = token;

    /// <summary>The socket's id, once there is a reply.</summary>
    public string? Sid { get; private set; }

    /// <summary>The secret with which it comes back.</summary>
    public string? Pid { get; private set; }

    /// <summary>The place to come back to.</summary>
    public string? Offset { get; private set; }

    /// <summary>The names and first arguments of all events so far.</summary>
    public IReadOnlyList<(string Name, JsonElement Value)> Events => _events;

    private readonly List<(string Name, JsonElement Value)> _events = [];

    /// <summary>Connects, and waits until everything is there.</summary>
    /// <param name="server">The server's address; a proxy's will do.</param>
    /// <param name="token">Who it is.</param>
    /// <param name="before">A client whose socket it wants back; null for a new one.</param>
    public static async Task<SocketIoClient> ConnectAsync(Uri server, string token, SocketIoClient? before = null)
    {
        var client = new SocketIoClient(token);
        try
        {
            using var deadline = new CancellationTokenSource(Eventually.Patience);
            await client._socket.ConnectAsync(
                new UriBuilder(server) { Scheme = "ws", Path = "/socket.io/", Query = "EIO=4&transport=websocket" }.Uri, deadline.Token);
            var auth = new Dictionary<string, string> { ["token"] = token };
            if (before is { Pid: { } pid, Offset: { } offset }) (auth["pid"], auth["offset"]) = (pid, offset);
            await client.SendAsync("40" + JsonSerializer.Serialize(auth));
            await client.ReadUntilAsync(static read => read._events.Exists(static known => known.Name == "connected"));
            return client;
        }
        catch
        {
            await client.DisposeAsync();
            throw;
        }
    }

    /// <summary>Emits an event, and waits for what it changes.</summary>
    public async Task SubscribeAsync(string channel)
    {
        var before = _events.Count;
        await SendAsync($"42[\"subscribe\",{JsonSerializer.Serialize(channel)}]");
        await ReadUntilAsync(read => read._events.Skip(before).Any(static known => known.Name == "subscribed"));
    }

    /// <summary>Reads until a condition holds.</summary>
    public async Task ReadUntilAsync(Func<SocketIoClient, bool> condition)
    {
        using var deadline = new CancellationTokenSource(Eventually.Patience);
        while (!condition(this)) await ReadAsync(deadline.Token);
    }

    /// <summary>Ends the link without a word.</summary>
    public void Cut() => _socket.Abort();

    /// <inheritdoc />
    public ValueTask DisposeAsync()
    {
        _socket.Dispose();
        return ValueTask.CompletedTask;
    }

    private Task SendAsync(string packet) => _socket.SendAsync(Encoding.UTF8.GetBytes(packet), WebSocketMessageType.Text, endOfMessage: true, CancellationToken.None);

    private async Task ReadAsync(CancellationToken cancellationToken)
    {
        var length = 0;
        while (true)
        {
            var part = await _socket.ReceiveAsync(_buffer.AsMemory(length), cancellationToken);
            if (part.MessageType == WebSocketMessageType.Close) throw new IOException($"The server closed: {_socket.CloseStatus} {_socket.CloseStatusDescription}");
            length += part.Count;
            if (part.EndOfMessage) break;
        }

        CanaryWatch.Shared.Look(_token, "Socket.IO", _buffer.AsSpan(0, length));
        var packet = Encoding.UTF8.GetString(_buffer, 0, length);
        if (packet == "2") await SendAsync("3");
        if (packet.StartsWith("44", StringComparison.Ordinal)) throw new IOException(packet);
        if (packet.StartsWith("40", StringComparison.Ordinal))
        {
            using var reply = JsonDocument.Parse(packet.AsMemory(2));
            (Sid, Pid) = (reply.RootElement.GetProperty("sid").GetString(), reply.RootElement.GetProperty("pid").GetString());
        }

        if (!packet.StartsWith("42", StringComparison.Ordinal)) return;
        using var document = JsonDocument.Parse(packet.AsMemory(2));
        var elements = document.RootElement.EnumerateArray().Select(static element => element.Clone()).ToList();
        if (elements[^1].ValueKind == JsonValueKind.String) Offset = elements[^1].GetString();
        _events.Add((elements[0].GetString()!, elements[1]));
    }
}
