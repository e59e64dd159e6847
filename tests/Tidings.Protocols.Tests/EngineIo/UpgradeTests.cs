using System.Net;
using Shouldly;
using Tidings.Protocols.Tests.Support;
using Tidings.Protocols.WebSockets;
using Tidings.Realtime;
using Xunit;

namespace Tidings.Protocols.Tests.EngineIo;

public sealed class UpgradeTests
{
    public static TheoryData<bool> BothWays { get; } = [false, true];

    [Theory]
    [MemberData(nameof(BothWays))]
    public async Task Events_of_before_during_and_after_an_upgrade_arrive_once_and_in_order(bool isEarly)
    {
        await using var server = await TestServer.StartAsync(isEarly: isEarly);
        using var client = await PollingClient.ReadyAsync(server);
        await client.PostAsync("42[\"subscribe\",\"room:a\"]");
        (await client.PollAsync()).Body.ShouldStartWith("42[\"subscribed\"");

        await server.PublishAsync("room:a", "count", "0");
        await using var socket = await EngineClient.RequestAsync(server, $"&sid={client.Sid}");
        await server.PublishAsync("room:a", "count", "1");
        await socket.SendAsync("2probe");
        (await socket.NextAsync()).ShouldBe("3probe");
        await server.PublishAsync("room:a", "count", "2");
        var seen = (await client.PollAsync()).Body.Split('\x1e').Where(static packet => packet.StartsWith("42", StringComparison.Ordinal)).ToList();
        await server.PublishAsync("room:a", "count", "3");
        await socket.SendAsync("5");
        await server.PublishAsync("room:a", "count", "4");
        while (seen.Count < 5) seen.Add(await socket.NextAsync());
        seen.Select(static packet => packet.Split(',')[1]).ShouldBe(["0", "1", "2", "3", "4"]);
        (await client.PollAsync()).ShouldBe((HttpStatusCode.BadRequest, """{"code":3,"message":"Bad request"}"""));
        (await client.PostAsync("3")).Status.ShouldBe(HttpStatusCode.BadRequest);
    }

    [Theory]
    [InlineData("4hello")]
    [InlineData("2")]
    [InlineData("2probe2")]
    [InlineData("")]
    public async Task A_wrong_first_packet_ends_that_WebSocket_alone(string packet)
    {
        await using var server = await TestServer.StartAsync();
        using var client = await PollingClient.ReadyAsync(server);
        await using (var socket = await EngineClient.RequestAsync(server, $"&sid={client.Sid}"))
        {
            await socket.SendAsync(packet);
            await socket.ReadCloseAsync();
        }

        (await client.PostAsync("427[\"nothing\"]")).Status.ShouldBe(HttpStatusCode.OK);
        (await client.PollAsync()).Body.ShouldStartWith("437[");
        await UpgradeAsync(server, client);
    }

    [Fact]
    public async Task A_WebSocket_that_drops_after_its_probe_may_be_followed_by_another()
    {
        await using var server = await TestServer.StartAsync();
        using var client = await PollingClient.ReadyAsync(server);
        await using (var socket = await EngineClient.RequestAsync(server, $"&sid={client.Sid}"))
        {
            await socket.SendAsync("2probe");
            (await socket.NextAsync()).ShouldBe("3probe");
            socket.Socket.Cut();
        }

        (await client.PostAsync("427[\"nothing\"]")).Status.ShouldBe(HttpStatusCode.OK);
        (await client.PollAsync()).Body.ShouldStartWith("437[");
        (string Body, bool IsUpgraded) second = default;
        await Eventually.IsTrueAsync(
            async () =>
            {
                await using var again = await EngineClient.RequestAsync(server, $"&sid={client.Sid}");
                await again.SendAsync("2probe");
                var (opcode, payload) = await again.Socket.ReadFrameAsync();
                second = (System.Text.Encoding.UTF8.GetString(payload), opcode == FrameOpcode.Text);
                return second.IsUpgraded;
            },
            "the server has noticed that the first is gone");
        second.Body.ShouldBe("3probe");
    }

    [Fact]
    public async Task A_second_WebSocket_is_closed_and_changes_nothing()
    {
        await using var server = await TestServer.StartAsync();
        using var client = await PollingClient.ReadyAsync(server);
        await using var socket = await EngineClient.RequestAsync(server, $"&sid={client.Sid}");
        await using (var second = await EngineClient.RequestAsync(server, $"&sid={client.Sid}")) await second.ReadCloseAsync();
        await socket.SendAsync("2probe");
        (await socket.NextAsync()).ShouldBe("3probe");
        await socket.SendAsync("5");
        (await socket.AskAsync("[\"nothing\"]")).GetProperty("ok").GetBoolean().ShouldBeFalse();
        await using (var third = await EngineClient.RequestAsync(server, $"&sid={client.Sid}")) await third.ReadCloseAsync();
        (await socket.AskAsync("[\"nothing\"]")).GetProperty("ok").GetBoolean().ShouldBeFalse();
    }

    [Fact]
    public async Task A_poll_that_is_still_held_when_the_WebSocket_takes_over_is_told_so()
    {
        await using var server = await TestServer.StartAsync();
        using var client = await PollingClient.ReadyAsync(server);
        var held = client.PollAsync();
        await using var socket = await EngineClient.RequestAsync(server, $"&sid={client.Sid}");
        await socket.SendAsync("5"); // without a probe, as the reference allows
        (await held).Body.ShouldBeOneOf("1", """{"code":3,"message":"Bad request"}""");
        (await socket.AskAsync("[\"nothing\"]")).GetProperty("ok").GetBoolean().ShouldBeFalse();
    }

    [Fact]
    public async Task The_header_of_a_packet_may_come_by_polling_and_its_binary_by_WebSocket()
    {
        await using var server = await TestServer.StartAsync();
        using var client = await PollingClient.ReadyAsync(server);
        (await client.PostAsync("""451-7["publish","room:a","x",{"_placeholder":true,"num":0}]""")).Status.ShouldBe(HttpStatusCode.OK);
        await using var socket = await UpgradeAsync(server, client);
        await socket.SendAsync([1, 2, 3]);
        (await socket.NextAsync()).ShouldStartWith("437[{\"ok\":false");
    }

    [Theory]
    [MemberData(nameof(BothWays))]
    public async Task A_ping_that_is_out_at_the_switch_still_has_to_be_answered(bool isEarly)
    {
        await using var server = await TestServer.StartAsync(
            new RealtimeOptions { HeartbeatInterval = TimeSpan.FromMilliseconds(200), PongTimeout = TimeSpan.FromMilliseconds(500) }, isEarly: isEarly);
        using var client = await PollingClient.OpenAsync(server);
        (await client.PollAsync()).Body.ShouldBe("2");
        await using var socket = await UpgradeAsync(server, client);
        await socket.ReadCloseAsync();
    }

    private static async Task<EngineClient> UpgradeAsync(TestServer server, PollingClient client)
    {
        var socket = await EngineClient.RequestAsync(server, $"&sid={client.Sid}");
        await socket.SendAsync("2probe");
        (await socket.NextAsync()).ShouldBe("3probe");
        await socket.SendAsync("5");
        return socket;
    }
}
