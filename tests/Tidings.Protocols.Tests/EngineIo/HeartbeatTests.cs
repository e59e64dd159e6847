using Shouldly;
using Tidings.Protocols.Tests.Support;
using Tidings.Protocols.WebSockets;
using Tidings.Realtime;
using Xunit;

namespace Tidings.Protocols.Tests.EngineIo;

public sealed class HeartbeatTests
{
    private static RealtimeOptions Fast { get; } = new() { HeartbeatInterval = TimeSpan.FromMilliseconds(300), PongTimeout = TimeSpan.FromMilliseconds(600) };

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_client_is_pinged_however_much_it_hears(bool isEarly)
    {
        await using var server = await TestServer.StartAsync(Fast with { PongTimeout = TestSocket.Deadline }, isEarly: isEarly);
        await using var client = await EngineClient.ReadyAsync(server);
        await client.AskAsync("[\"subscribe\",\"room:a\"]");
        using var end = new CancellationTokenSource();
        var publishing = Task.Run(async () =>
        {
            while (!end.IsCancellationRequested)
            {
                await server.PublishAsync("room:a", "noise", "1");
                await Task.Delay(TimeSpan.FromMilliseconds(10)); // many more than there are pings
            }
        });

        try
        {
            for (var pings = 0; pings < 3;)
            {
                var (_, payload) = await client.Socket.ReadFrameAsync();
                if (!payload.AsSpan().SequenceEqual("2"u8)) continue;
                pings++;
                await client.SendAsync("3");
            }
        }
        finally
        {
            await end.CancelAsync();
            await publishing;
        }
    }

    [Fact]
    public async Task A_client_that_only_talks_and_never_answers_a_ping_is_gone()
    {
        await using var server = await TestServer.StartAsync(Fast);
        await using var client = await EngineClient.ReadyAsync(server);
        var isClosed = false;
        await Eventually.IsTrueAsync(
            async () =>
            {
                await client.SendAsync("427[\"nothing\"]");
                var (opcode, _) = await client.Socket.ReadFrameAsync();
                return isClosed = opcode == FrameOpcode.Close;
            },
            "the session ends");
        isClosed.ShouldBeTrue();
        await Eventually.IsTrueAsync(() => server.Engine.ConnectionCount == 0, "the connection ends");
    }

    [Fact]
    public async Task A_pong_that_nobody_asked_for_is_ignored_and_a_ping_is_not()
    {
        await using var server = await TestServer.StartAsync();
        await using var client = await EngineClient.ReadyAsync(server);
        await client.SendAsync("3");
        await client.SendAsync("3probe");
        (await client.AskAsync("[\"nothing\"]")).GetProperty("ok").GetBoolean().ShouldBeFalse();
        await client.SendAsync("2");
        (await client.ReadCloseAsync()).ShouldBe("4400 transport_error");
    }

    [Theory]
    [InlineData("0{}")]
    [InlineData("5")]
    [InlineData("6")]
    public async Task A_packet_that_is_ours_to_send_is_ignored(string packet)
    {
        await using var server = await TestServer.StartAsync();
        await using var client = await EngineClient.ReadyAsync(server);
        await client.SendAsync(packet);
        (await client.AskAsync("[\"nothing\"]")).GetProperty("ok").GetBoolean().ShouldBeFalse();
    }

    [Theory]
    [InlineData("1", "1000")]
    [InlineData("", "4400 parse_error")]
    [InlineData("abc", "4400 parse_error")]
    [InlineData("7", "4400 parse_error")]
    public async Task A_packet_that_ends_the_session_closes_the_WebSocket(string packet, string close)
    {
        await using var server = await TestServer.StartAsync();
        await using var client = await EngineClient.OpenAsync(server);
        await client.SendAsync(packet);
        (await client.ReadCloseAsync()).ShouldBe(close);
    }

    [Fact]
    public async Task The_pings_of_WebSockets_are_answered_too()
    {
        await using var server = await TestServer.StartAsync();
        await using var client = await EngineClient.ReadyAsync(server);
        await client.Socket.SendAsync(ClientFrames.Ping("hi"));
        var (opcode, payload) = await client.Socket.ReadFrameAsync();
        opcode.ShouldBe(FrameOpcode.Pong);
        payload.ShouldBe("hi"u8.ToArray());
    }
}
