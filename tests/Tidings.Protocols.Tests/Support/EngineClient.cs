using System.Net;
using System.Text;
using System.Text.Json;
using Shouldly;
using Tidings.Protocols.WebSockets;

namespace Tidings.Protocols.Tests.Support;

/// <summary>An Engine.IO client over a WebSocket that does exactly what it is told.</summary>
internal sealed class EngineClient : IAsyncDisposable
{
    private const string Query = "/socket.io/?EIO=4&transport=websocket";

    private EngineClient(TestSocket socket) => Socket = socket;

    public TestSocket Socket { get; }

    /// <summary>The reply to CONNECT, if it has been asked for.</summary>
    public JsonElement Reply { get; private set; }

    /// <summary>The offset of the last event.</summary>
    public string? Offset { get; private set; }

    public string Sid => Reply.GetProperty("sid").GetString()!;

    public string Pid => Reply.GetProperty("pid").GetString()!;

    /// <summary>Opens a session.</summary>
    public static async Task<EngineClient> OpenAsync(TestServer server, string more = "")
    {
        var client = await RequestAsync(server, more);
        (await client.NextAsync()).ShouldStartWith("0{");
        return client;
    }

    /// <summary>Asks for a WebSocket, of a session that there is if <paramref name="more"/> names one.</summary>
    public static async Task<EngineClient> RequestAsync(TestServer server, string more = "")
    {
        var socket = await TestSocket.RequestAsync(server, Query + more);
        socket.Status.ShouldBe(101);
        return new EngineClient(socket);
    }

    /// <summary>Opens a session and connects to the main namespace.</summary>
    /// <param name="server">Where.</param>
    /// <param name="user">Who.</param>
    /// <param name="back">What a client sends that wants its socket back.</param>
    public static async Task<EngineClient> ConnectAsync(TestServer server, string user = "42", (string Pid, string? Offset)? back = null)
    {
        var client = await OpenAsync(server);
        var auth = new Dictionary<string, string> { ["token"] = user };
        if (back is { } known)
        {
            auth["pid"] = known.Pid;
            if (known.Offset is not null) auth["offset"] = known.Offset;
        }

        await client.SendAsync("40" + JsonSerializer.Serialize(auth));
        return client;
    }

    /// <summary>As <see cref="ConnectAsync"/>, up to the event that tells that everything is there.</summary>
    public static async Task<EngineClient> ReadyAsync(TestServer server, string user = "42", (string Pid, string? Offset)? back = null)
    {
        var client = await ConnectAsync(server, user, back);
        await client.ReadReplyAsync();
        await client.EventAsync("connected");
        return client;
    }

    public Task SendAsync(string packet) => Socket.SendAsync(packet);

    public Task SendAsync(byte[] message) => Socket.SendAsync(ClientFrames.Binary(message));

    /// <summary>The next packet, as text. Pings are not among them.</summary>
    public async Task<string> NextAsync()
    {
        while (true)
        {
            var (opcode, payload) = await Socket.ReadFrameAsync();
            opcode.ShouldBe(FrameOpcode.Text, Convert.ToHexString(payload));
            var text = Encoding.UTF8.GetString(payload);
            if (text == "2") continue;
            if (text.StartsWith("42", StringComparison.Ordinal) && JsonDocument.Parse(text[2..]).RootElement.EnumerateArray().Last() is { ValueKind: JsonValueKind.String } offset) Offset = offset.GetString();
            return text;
        }
    }

    /// <summary>Reads the reply to CONNECT, which is the next packet.</summary>
    public async Task ReadReplyAsync()
    {
        var reply = await NextAsync();
        reply.ShouldStartWith("40{");
        Reply = JsonDocument.Parse(reply[2..]).RootElement;
    }

    /// <summary>The next packet, which is this event: its arguments.</summary>
    public async Task<JsonElement> EventAsync(string name)
    {
        var packet = await NextAsync();
        packet.ShouldStartWith("42");
        var elements = JsonDocument.Parse(packet[2..]).RootElement;
        elements[0].GetString().ShouldBe(name, packet);
        return elements[1];
    }

    /// <summary>Emits an event and gives its acknowledgement; events that come before are passed over.</summary>
    public async Task<JsonElement> AskAsync(string json)
    {
        await SendAsync("427" + json);
        while (true)
        {
            var packet = await NextAsync();
            if (packet.StartsWith("437", StringComparison.Ordinal)) return JsonDocument.Parse(packet[3..]).RootElement[0];
        }
    }

    /// <summary>Reads to the end of the link.</summary>
    public async Task<string> ReadCloseAsync() => await Socket.ReadCloseAsync();

    public ValueTask DisposeAsync() => Socket.DisposeAsync();
}

/// <summary>An Engine.IO client over polling that does exactly what it is told.</summary>
internal sealed class PollingClient(TestServer server) : IDisposable
{
    private readonly HttpClient _http = server.CreateClient();

    public string Sid { get; private set; } = "";

    public string Url => $"/socket.io/?EIO=4&transport=polling&sid={Sid}";

    public HttpClient Http => _http;

    /// <summary>Opens a session.</summary>
    public static async Task<PollingClient> OpenAsync(TestServer server)
    {
        var client = new PollingClient(server);
        var body = await client._http.GetStringAsync("/socket.io/?EIO=4&transport=polling");
        client.Sid = JsonDocument.Parse(body[1..]).RootElement.GetProperty("sid").GetString()!;
        return client;
    }

    /// <summary>Opens a session and connects to the main namespace.</summary>
    public static async Task<PollingClient> ReadyAsync(TestServer server, string user = "42")
    {
        var client = await OpenAsync(server);
        (await client.PostAsync($$"""40{"token":"{{user}}"}""")).ShouldBe((HttpStatusCode.OK, "ok"));
        var seen = "";
        while (!seen.Contains("\"connected\"", StringComparison.Ordinal)) seen += await client.NextAsync();
        seen.ShouldStartWith("40{");
        return client;
    }

    public async Task<(HttpStatusCode Status, string Body)> PollAsync()
    {
        using var answer = await _http.GetAsync(Url).WaitAsync(TestSocket.Deadline);
        return (answer.StatusCode, await answer.Content.ReadAsStringAsync());
    }

    /// <summary>The packets of the next poll, of a session that is there.</summary>
    public async Task<string> NextAsync()
    {
        var (status, body) = await PollAsync();
        status.ShouldBe(HttpStatusCode.OK, body);
        return body;
    }

    public async Task<(HttpStatusCode Status, string Body)> PostAsync(string body, string type = "text/plain")
    {
        using var content = new StringContent(body, Encoding.UTF8, type);
        using var answer = await _http.PostAsync(Url, content).WaitAsync(TestSocket.Deadline);
        return (answer.StatusCode, await answer.Content.ReadAsStringAsync());
    }

    public void Dispose() => _http.Dispose();
}
