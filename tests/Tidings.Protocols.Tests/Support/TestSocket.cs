using System.Buffers.Binary;
using System.Net.Sockets;
using System.Text;
using System.Text.Json;
using Shouldly;
using Tidings.Protocols.WebSockets;

namespace Tidings.Protocols.Tests.Support;

/// <summary>A WebSocket client that does exactly what it is told, on a bare socket.</summary>
internal sealed class TestSocket : IAsyncDisposable
{
    public static readonly TimeSpan Deadline = TimeSpan.FromSeconds(10);

    private readonly TcpClient _client;
    private readonly NetworkStream _stream;

    private TestSocket(TcpClient client)
    {
        _client = client;
        _stream = client.GetStream();
    }

    /// <summary>The status line and headers of the answer.</summary>
    public string Head { get; private set; } = "";

    public int Status => int.Parse(Head.AsSpan(9, 3), System.Globalization.CultureInfo.InvariantCulture);

    /// <summary>Asks for an upgrade.</summary>
    /// <param name="server">Where.</param>
    /// <param name="target">Path and query.</param>
    /// <param name="headers">Lines instead of or beside the usual ones; an empty value leaves one out.</param>
    /// <param name="method">The method.</param>
    public static async Task<TestSocket> RequestAsync(TestServer server, string target, IReadOnlyDictionary<string, string>? headers = null, string method = "GET")
    {
        var client = new TcpClient { NoDelay = true };
        await client.ConnectAsync(server.EndPoint);
        var socket = new TestSocket(client);
        var all = new Dictionary<string, string>(StringComparer.OrdinalIgnoreCase)
        {
            ["Host"] = $"127.0.0.1:{server.Address.Port}",
            ["Connection"] = "keep-alive, Upgrade",
            ["Upgrade"] = "WebSocket",
            ["Sec-WebSocket-Version"] = "13",
            ["Sec-WebSocket-Key"] = "dGhlIHNhbXBsZSBub25jZQ==",
        };
        foreach (var (name, value) in headers ?? new Dictionary<string, string>()) all[name] = value;
        var lines = all.Where(static header => header.Value.Length > 0).Select(static header => $"{header.Key}: {header.Value}\r\n");
        await socket.SendAsync(Encoding.Latin1.GetBytes($"{method} {target} HTTP/1.1\r\n{string.Concat(lines)}\r\n"));
        await socket.ReadHeadAsync();
        return socket;
    }

    /// <summary>Connects and swallows <c>connected</c>.</summary>
    public static async Task<TestSocket> ConnectAsync(TestServer server, string user = "42", string more = "")
    {
        var socket = await RequestAsync(server, $"/ws?token={user}{more}");
        socket.Status.ShouldBe(101);
        (await socket.ReceiveAsync()).GetProperty("type").GetString().ShouldBe("connected");
        return socket;
    }

    public async Task SendAsync(params byte[] bytes) => await _stream.WriteAsync(bytes).AsTask().WaitAsync(Deadline);

    public Task SendAsync(string text) => SendAsync(ClientFrames.Text(text));

    /// <summary>The next message as JSON.</summary>
    public async Task<JsonElement> ReceiveAsync()
    {
        var (opcode, payload) = await ReadFrameAsync();
        opcode.ShouldBe(FrameOpcode.Text, Encoding.UTF8.GetString(payload));
        return JsonDocument.Parse(payload).RootElement;
    }

    /// <summary>The next message as text.</summary>
    public async Task<string> ReceiveTextAsync() => (await ReceiveAsync()).GetRawText();

    /// <summary>Sends a message and receives the next.</summary>
    public async Task<JsonElement> AskAsync(string text)
    {
        await SendAsync(text);
        return await ReceiveAsync();
    }

    /// <summary>Reads until the close frame, then that the server ends the link: <c>4401 missing_token</c>.</summary>
    public async Task<string> ReadCloseAsync(bool answer = true)
    {
        while (true)
        {
            var (opcode, payload) = await ReadFrameAsync();
            if (opcode != FrameOpcode.Close) continue;
            if (answer) await SendAsync(ClientFrames.Of(FrameOpcode.Close, payload));
            (await ReadToEndAsync()).ShouldBeEmpty("nothing comes after a close");
            if (payload.Length == 0) return "";
            return $"{BinaryPrimitives.ReadUInt16BigEndian(payload)} {Encoding.UTF8.GetString(payload.AsSpan(2))}".TrimEnd();
        }
    }

    public async Task<(FrameOpcode Opcode, byte[] Payload)> ReadFrameAsync()
    {
        var start = await ReadAsync(2);
        (start[0] & 0x80).ShouldNotBe(0, "the server does not fragment");
        (start[1] & 0x80).ShouldBe(0, "a server does not mask");
        long length = start[1];
        if (length == 126) length = BinaryPrimitives.ReadUInt16BigEndian(await ReadAsync(2));
        else if (length == 127) length = BinaryPrimitives.ReadInt64BigEndian(await ReadAsync(8));
        return ((FrameOpcode)(start[0] & 0x0F), await ReadAsync((int)length));
    }

    /// <summary>Whatever still comes, until the server ends the link.</summary>
    public async Task<byte[]> ReadToEndAsync()
    {
        using var rest = new MemoryStream();
        try
        {
            await _stream.CopyToAsync(rest).WaitAsync(Deadline);
        }
        catch (IOException)
        {
            // A reset is an end, too.
        }

        return rest.ToArray();
    }

    public void StopSending() => _client.Client.Shutdown(SocketShutdown.Send);

    public void Cut()
    {
        _client.LingerState = new LingerOption(true, 0);
        _client.Close();
    }

    public ValueTask DisposeAsync()
    {
        _client.Dispose();
        return ValueTask.CompletedTask;
    }

    private async Task ReadHeadAsync()
    {
        var head = new StringBuilder();
        while (!head.ToString().EndsWith("\r\n\r\n", StringComparison.Ordinal)) head.Append((char)(await ReadAsync(1))[0]);
        Head = head.ToString();
    }

    private async Task<byte[]> ReadAsync(int count)
    {
        var bytes = new byte[count];
        await _stream.ReadExactlyAsync(bytes).AsTask().WaitAsync(Deadline);
        return bytes;
    }
}
