using System.Net;
using System.Net.WebSockets;
using System.Text;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Shouldly;
using Tidings.Protocols.Tests.Support;
using Xunit;

namespace Tidings.Protocols.Tests.Native;

public sealed class Http2Tests : IAsyncLifetime
{
    private readonly HttpMessageInvoker _invoker = new(new SocketsHttpHandler());
    private TestServer _server = null!;

    public async ValueTask InitializeAsync() => _server = await TestServer.StartAsync(protocols: HttpProtocols.Http2);

    public async ValueTask DisposeAsync()
    {
        _invoker.Dispose();
        await _server.DisposeAsync();
    }

    [Fact]
    public async Task A_WebSocket_over_http2_works_like_any_other()
    {
        using var client = Client();
        client.Options.AddSubProtocol("tidings.v1");
        await ConnectAsync(client, "token=42");

        client.SubProtocol.ShouldBe("tidings.v1");
        (await ReceiveAsync(client)).ShouldStartWith("""{"type":"connected",""");
        await client.SendAsync("""{"type":"subscribe","id":1,"channel":"room:a"}"""u8.ToArray(), WebSocketMessageType.Text, true, CancellationToken.None);
        (await ReceiveAsync(client)).ShouldStartWith("""{"type":"subscribed","id":1,"channel":"room:a",""");
        await _server.PublishAsync("room:a", "wave");
        (await ReceiveAsync(client)).ShouldStartWith("""{"type":"wave","channel":"room:a",""");

        await client.CloseAsync(WebSocketCloseStatus.NormalClosure, "bye", CancellationToken.None).WaitAsync(TestSocket.Deadline);
        client.CloseStatus.ShouldBe(WebSocketCloseStatus.NormalClosure);
        await Eventually.IsTrueAsync(() => _server.Engine.ConnectionCount == 0, "it is forgotten");
    }

    [Fact]
    public async Task A_close_code_arrives_over_http2()
    {
        using var client = Client();
        await ConnectAsync(client, "token=expired");

        var result = await client.ReceiveAsync(new byte[16], CancellationToken.None).WaitAsync(TestSocket.Deadline);

        ((int)result.CloseStatus!.Value).ShouldBe(4401);
        result.CloseStatusDescription.ShouldBe("token_expired");
    }

    [Fact]
    public async Task An_event_stream_over_http2_works_like_any_other()
    {
        using var client = new HttpClient { BaseAddress = _server.Address, DefaultRequestVersion = HttpVersion.Version20, DefaultVersionPolicy = HttpVersionPolicy.RequestVersionExact };
        using var response = await client.GetAsync(new Uri("/sse?token=42&channels=room:a", UriKind.Relative), HttpCompletionOption.ResponseHeadersRead);
        using var lines = new StreamReader(await response.Content.ReadAsStreamAsync());

        string? line;
        do line = await lines.ReadLineAsync().WaitAsync(TestSocket.Deadline);
        while (line != "event: subscribed");

        await _server.PublishAsync("room:a", "wave");
        do line = await lines.ReadLineAsync().WaitAsync(TestSocket.Deadline);
        while (line != "event: wave");
    }

    private static ClientWebSocket Client()
    {
        var client = new ClientWebSocket();
        client.Options.HttpVersion = HttpVersion.Version20;
        client.Options.HttpVersionPolicy = HttpVersionPolicy.RequestVersionExact;
        return client;
    }

    private async Task ConnectAsync(ClientWebSocket client, string query)
    {
        await client.ConnectAsync(new Uri($"ws://127.0.0.1:{_server.Address.Port}/ws?{query}"), _invoker, CancellationToken.None).WaitAsync(TestSocket.Deadline);
    }

    private static async Task<string> ReceiveAsync(ClientWebSocket client)
    {
        var buffer = new byte[4096];
        var result = await client.ReceiveAsync(buffer, CancellationToken.None).WaitAsync(TestSocket.Deadline);
        result.EndOfMessage.ShouldBeTrue();
        return Encoding.UTF8.GetString(buffer, 0, result.Count);
    }
}
