using System.Net;
using System.Net.Sockets;
using System.Net.WebSockets;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Shouldly;
using Tidings.Protocols.Tests.Support;
using Xunit;

namespace Tidings.Protocols.Tests.WebSockets;

/// <summary>
/// Which connections are taken before HTTP, and that all others reach it untouched. That both ways do the same is shown by the handshake,
/// session and close code tests, which run over both.
/// </summary>
public sealed class EarlyUpgradeTests : IAsyncLifetime
{
    private const string Usual =
        "Host: {0}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";

    private TestServer _server = null!;

    /// <summary>Heads that are a WebSocket to HTTP as well, but not in plain words: what HTTP makes of them is what counts.</summary>
    public static TheoryData<string, string, int> Unusual => new()
    {
        { "another case of the method", "get /ws?token=42 HTTP/1.1\r\n" + Usual + "\r\n", 0 },
        { "an absolute target", "GET http://{0}/ws?token=42 HTTP/1.1\r\n" + Usual + "\r\n", 101 },
        { "an encoded path", "GET /%77s?token=42 HTTP/1.1\r\n" + Usual + "\r\n", 101 },
        { "another case of the path", "GET /WS?token=42 HTTP/1.1\r\n" + Usual + "\r\n", 101 },
        { "a field twice", "GET /ws?token=42 HTTP/1.1\r\n" + Usual + "X-Twice: 1\r\nX-Twice: 2\r\n\r\n", 101 },
        { "two hosts", "GET /ws?token=42 HTTP/1.1\r\n" + Usual + "Host: other\r\n\r\n", 400 },
        { "a body", "GET /ws?token=42 HTTP/1.1\r\n" + Usual + "Content-Length: 3\r\n\r\nabc", 0 },
        { "a folded field", "GET /ws?token=42 HTTP/1.1\r\n" + Usual + "X-Folded: a\r\n b\r\n\r\n", 400 },
        { "an older version", "GET /ws?token=42 HTTP/1.0\r\n" + Usual + "\r\n", 426 },
        { "a name with a space", "GET /ws?token=42 HTTP/1.1\r\n" + Usual + "X Space: a\r\n\r\n", 400 },
        { "a control character", "GET /ws?token=42 HTTP/1.1\r\n" + Usual + "X-Control: a\u0001\r\n\r\n", 0 },
        { "a proxy's word", "GET /ws?token=42 HTTP/1.1\r\n" + Usual + "X-Forwarded-For: 192.0.2.1\r\n\r\n", 101 },
        { "a cookie", "GET /ws HTTP/1.1\r\n" + Usual + "Cookie: user=42\r\nOrigin: http://{0}\r\n\r\n", 101 },
        { "another version of WebSockets", "GET /ws?token=42 HTTP/1.1\r\nHost: {0}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 8\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n", 426 },
        { "a strange page", "GET /ws?token=42 HTTP/1.1\r\n" + Usual + "Origin: https://evil.example\r\n\r\n", 403 },
        { "a long head", "GET /ws?token=42 HTTP/1.1\r\n" + Usual + "X-Long: " + new string('a', 9_000) + "\r\n\r\n", 101 },
        { "another path", "GET /other HTTP/1.1\r\n" + Usual + "\r\n", 404 },
        { "a longer path", "GET /ws/more HTTP/1.1\r\n" + Usual + "\r\n", 404 },
    };

    public async ValueTask InitializeAsync() => _server = await TestServer.StartAsync(isEarly: true);

    public ValueTask DisposeAsync() => _server.DisposeAsync();

    [Fact]
    public async Task A_plain_handshake_never_reaches_http()
    {
        await using var socket = await TestSocket.ConnectAsync(_server);
        (await socket.AskAsync("""{"type":"ping","id":1}""")).GetProperty("type").GetString().ShouldBe("pong");
        _server.HttpRequests.ShouldBe(0);
    }

    [Theory, MemberData(nameof(Unusual))]
    public async Task What_is_unusual_is_for_http_to_judge(string name, string head, int status)
    {
        ArgumentNullException.ThrowIfNull(head);
        var answers = new List<int>();
        foreach (var isEarly in new[] { true, false })
        {
            await using var server = await TestServer.StartAsync(isEarly: isEarly);
            using var client = await ConnectAsync(server);
            await client.GetStream().WriteAsync(Encoding.Latin1.GetBytes(head.Replace("{0}", $"127.0.0.1:{server.Address.Port}", StringComparison.Ordinal)));
            answers.Add(int.Parse((await ReadLineAsync(client.GetStream())).AsSpan(9, 3), System.Globalization.CultureInfo.InvariantCulture));
            if (answers[^1] is not 400) server.HttpRequests.ShouldBe(1, name); // a head that HTTP cannot read is no request
        }

        answers[0].ShouldBe(answers[1], "both ways answer alike");
        if (status != 0) answers[0].ShouldBe(status, name);
    }

    [Fact]
    public async Task A_head_may_come_in_any_pieces_and_frames_may_come_with_it()
    {
        using var client = await ConnectAsync(_server);
        var stream = client.GetStream();
        var head = $"GET /ws?token=42 HTTP/1.1\r\n{Usual.Replace("{0}", "127.0.0.1", StringComparison.Ordinal)}\r\n";
        foreach (var letter in Encoding.ASCII.GetBytes(head[..^1])) await stream.WriteAsync(new[] { letter });
        byte[] rest = [(byte)'\n', .. ClientFrames.Text("""{"type":"ping","id":1}"""), .. ClientFrames.Text("""{"type":"ping","id":2}""")];
        await stream.WriteAsync(rest);

        var received = new StringBuilder();
        var buffer = new byte[4096];
        while (!received.ToString().Contains("\"id\":2", StringComparison.Ordinal))
        {
            var count = await stream.ReadAsync(buffer).AsTask().WaitAsync(TestSocket.Deadline);
            count.ShouldBeGreaterThan(0);
            received.Append(Encoding.Latin1.GetString(buffer, 0, count));
        }

        received.ToString().ShouldStartWith("HTTP/1.1 101 ");
        received.ToString().IndexOf("connected", StringComparison.Ordinal).ShouldBeLessThan(received.ToString().IndexOf("\"id\":1", StringComparison.Ordinal));
        _server.HttpRequests.ShouldBe(0);
    }

    [Fact]
    public async Task A_connection_that_served_a_request_is_https_for_good()
    {
        using var client = await ConnectAsync(_server);
        var stream = client.GetStream();
        await stream.WriteAsync("GET /other HTTP/1.1\r\nHost: a\r\n\r\n"u8.ToArray());
        (await ReadLineAsync(stream)).ShouldStartWith("HTTP/1.1 404");
        while ((await ReadLineAsync(stream)).Length > 0)
        {
        }

        var head = $"GET /ws?token=42 HTTP/1.1\r\n{Usual.Replace("{0}", "127.0.0.1", StringComparison.Ordinal)}\r\n";
        await stream.WriteAsync(Encoding.ASCII.GetBytes(head));
        (await ReadLineAsync(stream)).ShouldStartWith("HTTP/1.1 101");
        _server.HttpRequests.ShouldBe(2);
    }

    [Fact]
    public async Task Under_tls_nothing_is_written_past_it()
    {
        using var certificate = SelfSigned();
        await using var server = await TestServer.StartAsync(isEarly: true, listen: endpoint => endpoint.UseHttps(certificate));
        using var client = new ClientWebSocket();
        client.Options.RemoteCertificateValidationCallback = (_, presented, _, _) => presented?.GetCertHashString() == certificate.GetCertHashString();
        await client.ConnectAsync(new Uri($"wss://127.0.0.1:{server.Address.Port}/ws?token=42"), CancellationToken.None).WaitAsync(TestSocket.Deadline);

        await SubscribeAndHearAsync(client, server);
        server.HttpRequests.ShouldBe(1, "it was HTTP's");
    }

    [Fact]
    public async Task Behind_anything_that_sees_the_bytes_nothing_is_written_past_it()
    {
        await using var server = await TestServer.StartAsync(isEarly: true, listen: endpoint => endpoint.UseConnectionLogging());
        using var client = new ClientWebSocket();
        await client.ConnectAsync(new Uri($"ws://127.0.0.1:{server.Address.Port}/ws?token=42"), CancellationToken.None).WaitAsync(TestSocket.Deadline);

        await SubscribeAndHearAsync(client, server);
        server.HttpRequests.ShouldBe(1, "it was HTTP's");
    }

    [Fact]
    public async Task Http2_in_clear_text_works_on_the_same_endpoint()
    {
        await using var server = await TestServer.StartAsync(isEarly: true, protocols: HttpProtocols.Http2);
        using var client = new HttpClient { BaseAddress = server.Address, DefaultRequestVersion = HttpVersion.Version20, DefaultVersionPolicy = HttpVersionPolicy.RequestVersionExact };
        using var response = await client.GetAsync(new Uri("/poll?token=42&channels=room:a", UriKind.Relative));
        response.StatusCode.ShouldBe(HttpStatusCode.OK);
    }

    [Fact]
    public async Task Large_events_arrive_whole_also_where_the_socket_takes_them_in_parts()
    {
        await using var socket = await TestSocket.ConnectAsync(_server);
        (await socket.AskAsync("""{"type":"subscribe","id":1,"channel":"room:a"}""")).GetProperty("type").GetString().ShouldBe("subscribed");

        // More than a socket's buffers hold, before the client reads on: the rest waits and is drained in order.
        const int events = 120;
        var text = new string('x', 60_000);
        var read = Task.CompletedTask;
        for (var number = 0; number < events; number++)
        {
            await _server.PublishAsync("room:a", "big", $$"""{"number":{{number}},"text":"{{text}}"}""");
            if (number % 10 != 9) continue;
            await read;
            var first = number - 9;
            read = ReadAsync(first, number);
        }

        await read;

        async Task ReadAsync(int first, int last)
        {
            for (var number = first; number <= last; number++)
            {
                var data = (await socket.ReceiveAsync()).GetProperty("data");
                data.GetProperty("number").GetInt32().ShouldBe(number);
                data.GetProperty("text").GetString().ShouldBe(text);
            }
        }
    }

    private static async Task SubscribeAndHearAsync(ClientWebSocket client, TestServer server)
    {
        await client.SendAsync("""{"type":"subscribe","id":1,"channel":"room:a"}"""u8.ToArray(), WebSocketMessageType.Text, true, CancellationToken.None);
        (await ReceiveAsync(client)).ShouldContain("connected");
        (await ReceiveAsync(client)).ShouldContain("subscribed");
        await server.PublishAsync("room:a", "wave");
        (await ReceiveAsync(client)).ShouldContain("wave");
    }

    private static async Task<string> ReceiveAsync(ClientWebSocket client)
    {
        var buffer = new byte[4096];
        var result = await client.ReceiveAsync(buffer, CancellationToken.None).WaitAsync(TestSocket.Deadline);
        return Encoding.UTF8.GetString(buffer, 0, result.Count);
    }

    private static async Task<TcpClient> ConnectAsync(TestServer server)
    {
        var client = new TcpClient { NoDelay = true };
        await client.ConnectAsync(server.EndPoint);
        return client;
    }

    private static async Task<string> ReadLineAsync(NetworkStream stream)
    {
        var line = new StringBuilder();
        var letter = new byte[1];
        while (await stream.ReadAsync(letter).AsTask().WaitAsync(TestSocket.Deadline) == 1)
        {
            if (letter[0] == '\n') return line.ToString().TrimEnd('\r');
            line.Append((char)letter[0]);
        }

        return line.ToString();
    }

    private static X509Certificate2 SelfSigned()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=127.0.0.1", key, HashAlgorithmName.SHA256);
        var now = TimeProvider.System.GetUtcNow();
        using var certificate = request.CreateSelfSigned(now.AddDays(-1), now.AddDays(1));
        return X509CertificateLoader.LoadPkcs12(certificate.Export(X509ContentType.Pkcs12), null);
    }
}
