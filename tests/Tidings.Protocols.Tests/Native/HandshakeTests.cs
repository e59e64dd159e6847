using System.Net;
using Shouldly;
using Tidings.Protocols.Tests.Support;
using Tidings.Realtime;
using Tidings.Realtime.Channels;
using Xunit;

namespace Tidings.Protocols.Tests.Native;

public abstract class HandshakeTests(bool isEarly) : IAsyncLifetime
{
    private TestServer _server = null!;

    public static TheoryData<string, string, string, int> Refusals => new()
    {
        { "no upgrade", "Upgrade", "", 426 },
        { "another upgrade", "Upgrade", "h2c", 426 },
        { "no Connection: upgrade", "Connection", "keep-alive", 426 },
        { "version 8", "Sec-WebSocket-Version", "8", 426 },
        { "no version", "Sec-WebSocket-Version", "", 426 },
        { "no key", "Sec-WebSocket-Key", "", 400 },
        { "key of 15 bytes", "Sec-WebSocket-Key", "AAAAAAAAAAAAAAAAAAAA", 400 },
        { "key that is no Base64", "Sec-WebSocket-Key", "????????????????????????", 400 },
        { "strange origin", "Origin", "https://evil.example", 403 },
    };

    /// <summary>The allowlist is https://good.example and https://good.example:8443; {own} is the server's own.</summary>
    public static TheoryData<string, bool> Origins => new()
    {
        { "", true },
        { "{own}", true },
        { "https://good.example", true },
        { "https://good.example:8443", true },
        { "https://good.example:444", false },
        { "http://good.example", false },
        { "https://good.example.evil.tld", false },
        { "https://evilgood.example", false },
        { "https://sub.good.example", false },
        { "https://GOOD.example", false },
        { "https://good.example.", false },
        { "https://good.example/", false },
        { "null", false },
        { "{own}.evil.tld", false },
        { "https://127.0.0.1", false },
        { "https://good.example, https://good.example", false },
    };

    public async ValueTask InitializeAsync() => _server = await StartAsync(configure: static options =>
    {
        options.AllowedOrigins.Add("https://good.example");
        options.AllowedOrigins.Add("https://good.example:8443");
    });

    public ValueTask DisposeAsync()
    {
        GC.SuppressFinalize(this);
        return _server.DisposeAsync();
    }

    private Task<TestServer> StartAsync(
        RealtimeOptions? options = null, Action<NativeProtocolOptions>? configure = null, ChannelCatalog? catalog = null) =>
        TestServer.StartAsync(options, configure, catalog, isEarly: isEarly);

    [Fact]
    public async Task An_upgrade_is_answered_as_the_rfc_says()
    {
        await using var socket = await TestSocket.RequestAsync(_server, "/ws?token=42");

        socket.Status.ShouldBe(101);
        socket.Head.ShouldContain("Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
        socket.Head.ShouldContain("Upgrade: websocket");
        socket.Head.ShouldNotContain("Sec-WebSocket-Protocol");
        socket.Head.ShouldNotContain("Sec-WebSocket-Extensions");
    }

    [Theory]
    [MemberData(nameof(Refusals))]
    public async Task What_is_no_handshake_is_refused_with_a_status(string name, string header, string value, int status)
    {
        await using var socket = await TestSocket.RequestAsync(_server, "/ws?token=42", new Dictionary<string, string> { [header] = value });

        socket.Status.ShouldBe(status, name);
        socket.Head.ShouldContain("application/problem+json");
        if (header == "Sec-WebSocket-Version") socket.Head.ShouldContain("Sec-WebSocket-Version: 13");
    }

    [Theory]
    [InlineData("POST")]
    [InlineData("HEAD")]
    [InlineData("DELETE")]
    public async Task Another_method_is_refused(string method)
    {
        await using var socket = await TestSocket.RequestAsync(_server, "/ws?token=42", method: method);

        socket.Status.ShouldBe(405);
        socket.Head.ShouldContain("Allow: GET");
    }

    [Theory]
    [MemberData(nameof(Origins))]
    public async Task Only_exact_origins_may_connect(string origin, bool isAllowed)
    {
        origin = origin.Replace("{own}", $"http://127.0.0.1:{_server.Address.Port}", StringComparison.Ordinal);

        await using var socket = await TestSocket.RequestAsync(_server, "/ws?token=42", new Dictionary<string, string> { ["Origin"] = origin });
        socket.Status.ShouldBe(isAllowed ? 101 : 403);

        using var client = _server.CreateClient();
        foreach (var path in (string[])["/sse", "/poll"])
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, $"{path}?channels=open:a&token=42");
            if (origin.Length > 0) request.Headers.TryAddWithoutValidation("Origin", origin);
            using var response = await client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead);
            response.StatusCode.ShouldBe(isAllowed ? HttpStatusCode.OK : HttpStatusCode.Forbidden, path);

            var mayRead = isAllowed && origin.StartsWith("https", StringComparison.Ordinal);
            response.Headers.TryGetValues("Access-Control-Allow-Origin", out var echoed);
            echoed.ShouldBe(mayRead ? [origin] : null, path);
            response.Headers.Contains("Access-Control-Allow-Credentials").ShouldBe(mayRead, path);
            response.Headers.Vary.ShouldContain("Origin");
        }
    }

    [Theory]
    [InlineData("tidings.v1", true)]
    [InlineData("other, tidings.v1", true)]
    [InlineData("tidings.v1, bearer.42", true)]
    [InlineData("other", false)]
    [InlineData("Tidings.V1", false)]
    [InlineData("bearer.42", false)]
    public async Task Only_our_subprotocol_is_ever_named(string offered, bool isNamed)
    {
        await using var socket = await TestSocket.RequestAsync(
            _server, "/ws?token=42", new Dictionary<string, string> { ["Sec-WebSocket-Protocol"] = offered });

        socket.Status.ShouldBe(101);
        socket.Head.Contains("Sec-WebSocket-Protocol: tidings.v1\r\n", StringComparison.Ordinal).ShouldBe(isNamed);
        socket.Head.ShouldNotContain("bearer");
    }

    [Theory]
    [InlineData("/ws?token=a&access_token=b", "", "", "a")]
    [InlineData("/ws?access_token=b", "", "", "b")]
    [InlineData("/ws?token=a", "", "tidings.v1, bearer.c", "c")]
    [InlineData("/ws?token=a", "Bearer d", "tidings.v1, bearer.c", "d")]
    [InlineData("/ws", "bearer d", "", "d")]
    [InlineData("/ws?token=a", "Basic d", "", "a")]
    public async Task The_first_token_found_wins(string target, string authorization, string subprotocols, string user)
    {
        await using var socket = await TestSocket.RequestAsync(
            _server, target, new Dictionary<string, string> { ["Authorization"] = authorization, ["Sec-WebSocket-Protocol"] = subprotocols });

        (await socket.ReceiveAsync()).GetProperty("userId").GetString().ShouldBe(user);
    }

    [Theory]
    [InlineData("{own}", "", 101)]
    [InlineData("https://good.example", "", 101)]
    [InlineData("", "same-origin", 101)]
    [InlineData("", "", 403)]
    [InlineData("", "cross-site", 403)]
    [InlineData("https://evil.example", "same-origin", 403)]
    public async Task A_cookie_is_believed_only_from_an_allowed_page(string origin, string fetchSite, int status)
    {
        origin = origin.Replace("{own}", $"http://127.0.0.1:{_server.Address.Port}", StringComparison.Ordinal);

        await using var socket = await TestSocket.RequestAsync(
            _server, "/ws", new Dictionary<string, string> { ["Origin"] = origin, ["Sec-Fetch-Site"] = fetchSite, ["Cookie"] = "user=42" });

        socket.Status.ShouldBe(status);
        if (status == 101) (await socket.ReceiveAsync()).GetProperty("userId").GetString().ShouldBe("42");
    }

    [Fact]
    public async Task A_token_reaches_no_log()
    {
        const string canary = "canaryQ7x";
        foreach (var target in (string[])[$"/ws?token={canary}", $"/ws?access_token=invalid{canary}", $"/sse?channels=open:a&token=invalid{canary}", $"/poll?channels=open:a&token={canary}"])
        {
            await using var socket = await TestSocket.RequestAsync(_server, target, new Dictionary<string, string> { ["Authorization"] = "" });
            await using var refused = await TestSocket.RequestAsync(_server, target, new Dictionary<string, string> { ["Origin"] = "https://evil.example" });
        }

        _server.Logs.Lines.Where(static line => line.Contains(canary, StringComparison.Ordinal) && line.Contains("Tidings", StringComparison.Ordinal)).ShouldBeEmpty();
    }
}

/// <summary>Over HTTP's upgrade.</summary>
public sealed class HttpHandshakeTests() : HandshakeTests(isEarly: false);

/// <summary>Recognised before HTTP.</summary>
public sealed class EarlyHandshakeTests() : HandshakeTests(isEarly: true);
