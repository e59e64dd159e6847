using Shouldly;
using Tidings.Protocols.Tests.Support;
using Tidings.Protocols.WebSockets;
using Tidings.Realtime;
using Tidings.Realtime.Channels;
using Tidings.Realtime.Connections;
using Xunit;

namespace Tidings.Protocols.Tests.Native;

public abstract class CloseCodeTests(bool isEarly) : IAsyncLifetime
{
    private TestServer _server = null!;

    /// <summary>What a client sends after it has connected, and how it is sent away.</summary>
    public static TheoryData<string, byte[], string> Offences => new()
    {
        { "empty message", ClientFrames.Text(""), "4400 not_json" },
        { "not JSON", ClientFrames.Text("hello"), "4400 not_json" },
        { "not an object", ClientFrames.Text("[]"), "4400 not_an_object" },
        { "no type", ClientFrames.Text("{}"), "4400 no_type" },
        { "binary", ClientFrames.Binary(1, 2, 3), "1003 binary_not_supported" },
        { "not UTF-8", ClientFrames.Of(FrameOpcode.Text, [0xC0, 0xAF]), "1007 not_utf8" },
        { "64 KiB and one", ClientFrames.Text(new string(' ', (64 * 1024) + 1)), "1009 too_big" },
        { "a promise of 2^40 bytes", ClientFrames.Of(FrameOpcode.Text, [], declared: 1UL << 40, form: 8), "1009 too_big" },
        { "10,000 empty fragments", [.. Enumerable.Range(0, 10_000).SelectMany(static index => index == 0 ? ClientFrames.First(FrameOpcode.Text) : ClientFrames.Middle())], "1009 too_big" },
        { "unmasked", ClientFrames.Of(FrameOpcode.Text, "{}"u8.ToArray(), isMasked: false), "1002 not_masked" },
        { "RSV1", ClientFrames.Of(FrameOpcode.Text, [], reserved: 0x40), "1002 reserved_bits" },
        { "opcode 3", ClientFrames.Of((FrameOpcode)3, []), "1002 opcode" },
        { "fragmented ping", ClientFrames.First(FrameOpcode.Ping), "1002 fragmented_control" },
        { "close with one byte", ClientFrames.Of(FrameOpcode.Close, [3]), "1002 close_payload" },
        { "close with 1005", ClientFrames.Close(1005), "1002 close_code" },
        { "close", ClientFrames.Close(1000, "bye"), "1000" },
        { "close of an application", ClientFrames.Close(3999), "3999" },
        { "empty close", ClientFrames.Close(), "" },
        { "not JSON, and a close behind it", [.. ClientFrames.Text("hello"), .. ClientFrames.Close(1000)], "4400 not_json" },
        { "close inside a message", [.. ClientFrames.First(FrameOpcode.Text, (byte)'{'), .. ClientFrames.Close(1001)], "1001" },
    };

    public async ValueTask InitializeAsync() => _server = await StartAsync();

    public ValueTask DisposeAsync()
    {
        GC.SuppressFinalize(this);
        return _server.DisposeAsync();
    }

    private Task<TestServer> StartAsync(
        RealtimeOptions? options = null, Action<NativeProtocolOptions>? configure = null, ChannelCatalog? catalog = null) =>
        TestServer.StartAsync(options, configure, catalog, isEarly: isEarly);

    [Theory]
    [MemberData(nameof(Offences))]
    public async Task An_offence_has_its_code(string name, byte[] bytes, string expected)
    {
        await using var socket = await TestSocket.ConnectAsync(_server);

        await socket.SendAsync(bytes);

        (await socket.ReadCloseAsync()).ShouldBe(expected, name);
    }

    [Theory]
    [InlineData("/ws?token=invalid", "4401 invalid_token")]
    [InlineData("/ws?token=expired", "4401 token_expired")]
    public async Task A_bad_token_is_upgraded_and_told(string target, string expected)
    {
        await using var socket = await TestSocket.RequestAsync(_server, target);

        socket.Status.ShouldBe(101);
        (await socket.ReadCloseAsync()).ShouldBe(expected);
    }

    [Theory]
    [InlineData("""{"type":"auth","token":"invalid"}""", "4401 invalid_token")]
    [InlineData("""{"type":"auth","token":"expired"}""", "4401 token_expired")]
    [InlineData("""{"type":"ping"}""", "4401 missing_token")]
    [InlineData("""{"type":"auth"}""", "4401 missing_token")]
    [InlineData("hello", "4400 not_json")]
    public async Task The_first_message_must_be_a_good_token(string message, string expected)
    {
        await using var socket = await TestSocket.RequestAsync(_server, "/ws");

        await socket.SendAsync(message);

        (await socket.ReadCloseAsync()).ShouldBe(expected);
    }

    [Fact]
    public async Task The_token_may_come_in_the_first_message_and_pings_before_it_are_answered()
    {
        await using var socket = await TestSocket.RequestAsync(_server, "/ws");

        await socket.SendAsync(ClientFrames.Ping("early"));
        (await socket.ReadFrameAsync()).Opcode.ShouldBe(FrameOpcode.Pong);
        await socket.SendAsync("""{"type":"auth","id":1,"token":"42"}""");

        (await socket.ReceiveAsync()).GetProperty("userId").GetString().ShouldBe("42");
        (await socket.ReceiveTextAsync()).ShouldStartWith("""{"type":"authenticated","id":1""");
    }

    [Fact]
    public async Task Without_a_token_in_time_the_connection_ends()
    {
        await using var server = await StartAsync(new RealtimeOptions { AuthenticationTimeout = TimeSpan.FromMilliseconds(200) });
        await using var socket = await TestSocket.RequestAsync(server, "/ws");

        (await socket.ReadCloseAsync()).ShouldBe("4401 missing_token");
    }

    [Fact]
    public async Task Exactly_64_KiB_are_taken()
    {
        await using var socket = await TestSocket.ConnectAsync(_server);
        const string message = """{"type":"ping","id":1}""";

        (await socket.AskAsync(message + new string(' ', (64 * 1024) - message.Length))).GetProperty("type").GetString().ShouldBe("pong");
    }

    [Fact]
    public async Task A_silent_peer_is_pinged_and_then_closed()
    {
        await using var server = await StartAsync(new RealtimeOptions
        {
            HeartbeatInterval = TimeSpan.FromMilliseconds(500),
            PongTimeout = TimeSpan.FromMilliseconds(500),
        });
        await using var socket = await TestSocket.ConnectAsync(server);

        (await socket.ReadFrameAsync()).Opcode.ShouldBe(FrameOpcode.Ping);
        (await socket.ReadCloseAsync(answer: false)).ShouldBe("4408 no_pong");
    }

    [Fact]
    public async Task A_peer_that_never_answers_the_close_is_cut()
    {
        await using var server = await StartAsync(new RealtimeOptions { CloseTimeout = TimeSpan.FromMilliseconds(300) });
        await using var socket = await TestSocket.ConnectAsync(server);

        await socket.SendAsync("hello");

        (await socket.ReadCloseAsync(answer: false)).ShouldBe("4400 not_json");
        await Eventually.IsTrueAsync(() => server.Engine.ConnectionCount == 0, "it is forgotten");
    }

    [Fact]
    public async Task A_token_ends_the_connection_when_it_expires()
    {
        await using var server = await StartAsync(new RealtimeOptions { ExpiryGrace = TimeSpan.Zero });
        await using var soon = await TestSocket.RequestAsync(server, "/ws?token=42~30");
        await using var now = await TestSocket.RequestAsync(server, "/ws?token=42~0.1");

        (await soon.ReceiveTextAsync()).ShouldContain("\"expiresAt\":\"20");
        (await soon.ReceiveTextAsync()).ShouldStartWith("""{"type":"token_expiring","expiresAt":"20""");
        (await now.ReadCloseAsync()).ShouldBe("4401 token_expired");
    }

    [Fact]
    public async Task Too_many_connections_of_one_user_are_told_when_to_come_back()
    {
        await using var server = await StartAsync(new RealtimeOptions { ConnectionsPerUser = 1 });
        await using var first = await TestSocket.ConnectAsync(server);
        await using var second = await TestSocket.RequestAsync(server, "/ws?token=42");

        (await second.ReadCloseAsync()).ShouldMatch("^4429 retry=[0-9]+$");
        await using var other = await TestSocket.ConnectAsync(server, "43");
    }

    [Fact]
    public async Task A_leaving_server_says_when_to_come_back()
    {
        await using var socket = await TestSocket.ConnectAsync(_server);

        var draining = _server.Engine.DrainAsync(CancellationToken.None);

        (await socket.ReadCloseAsync()).ShouldMatch("^1001 retry=[0-9]+$");
        await draining;
        await using var late = await TestSocket.RequestAsync(_server, "/ws?token=42");
        (await late.ReadCloseAsync()).ShouldMatch("^1001 retry=[0-9]+$");
    }

    [Fact]
    public async Task A_fault_of_ours_is_not_told_as_a_bad_token()
    {
        _server.BreakAccess();
        await using var socket = await TestSocket.RequestAsync(_server, "/ws?token=42");

        (await socket.ReadCloseAsync()).ShouldMatch("^4503 retry=[0-9]+$");
    }

    [Fact]
    public async Task An_operator_sends_a_user_away()
    {
        await using var socket = await TestSocket.ConnectAsync(_server);

        _server.Engine.Disconnect("42", null, CloseReason.Disconnected);

        (await socket.ReadCloseAsync()).ShouldBe("4403 disconnected");
    }

    [Fact]
    public async Task Messages_over_the_rate_are_refused_one_by_one()
    {
        await using var server = await StartAsync(new RealtimeOptions { MessagesPerSecond = 1, MessageBurst = 3 });
        await using var socket = await TestSocket.ConnectAsync(server);

        for (var id = 1; id <= 4; id++) await socket.SendAsync($$"""{"type":"ping","id":{{id}}}""");

        for (var id = 1; id <= 3; id++) (await socket.ReceiveAsync()).GetProperty("type").GetString().ShouldBe("pong");
        var refused = await socket.ReceiveAsync();
        refused.GetProperty("code").GetString().ShouldBe("rate_limited");
        refused.GetProperty("id").GetInt64().ShouldBe(4);
    }

    [Fact]
    public async Task A_peer_that_vanishes_is_forgotten()
    {
        await using var cut = await TestSocket.ConnectAsync(_server);
        await using var ended = await TestSocket.ConnectAsync(_server);

        cut.Cut();
        ended.StopSending();

        await Eventually.IsTrueAsync(() => _server.Engine.ConnectionCount == 0, "both are forgotten");
    }

    [Fact]
    public async Task A_reader_that_stalls_is_cut_and_others_go_on()
    {
        await using var server = await StartAsync(new RealtimeOptions { OutboundBytes = 512 * 1024, CloseTimeout = TimeSpan.FromMilliseconds(300) });
        await using var stalled = await TestSocket.ConnectAsync(server, "1");
        await using var other = await TestSocket.ConnectAsync(server, "2");
        await stalled.AskAsync("""{"type":"subscribe","id":1,"channel":"room:a"}""");
        await other.AskAsync("""{"type":"subscribe","id":1,"channel":"room:a"}""");

        var payload = $"\"{new string('x', 32 * 1024)}\"";
        var published = 0;
        for (; server.Engine.ConnectionCount > 1 && published < 2000; published++)
        {
            await server.PublishAsync("room:a", payload: payload);
            (await other.ReceiveAsync()).GetProperty("id").GetString().ShouldBe($"{published + 1}");
        }

        await Eventually.IsTrueAsync(() => server.Engine.ConnectionCount == 1, "the one that stalled is cut");
        (await other.AskAsync("""{"type":"ping","id":1}""")).GetProperty("type").GetString().ShouldBe("pong");
    }
}

/// <summary>Over HTTP's upgrade.</summary>
public sealed class HttpCloseCodeTests() : CloseCodeTests(isEarly: false);

/// <summary>Recognised before HTTP.</summary>
public sealed class EarlyCloseCodeTests() : CloseCodeTests(isEarly: true);
