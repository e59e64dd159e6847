using System.Net;
using System.Net.WebSockets;
using System.Text.Json;
using Shouldly;
using Tidings.Protocols.Tests.Support;
using Tidings.Realtime;
using Tidings.Realtime.Connections;
using Xunit;

namespace Tidings.Protocols.Tests.SignalR;

/// <summary>The door, the limits and the end of SignalR connections: the same rules as in every protocol.</summary>
public sealed class HubRulesTests
{
    [Theory]
    [InlineData("", "missing_token")]
    [InlineData("access_token=invalid", "invalid_token")]
    [InlineData("access_token=expired", "token_expired")]
    public async Task Who_is_not_let_in_is_told_by_the_negotiation_and_by_the_upgrade(string query, string code)
    {
        await using var server = await TestServer.StartAsync();
        using var client = server.CreateClient();
        using var answer = await client.PostAsync(new Uri($"/hubs/tidings/negotiate?negotiateVersion=1&{query}", UriKind.Relative), null);
        answer.StatusCode.ShouldBe(HttpStatusCode.Unauthorized);
        JsonDocument.Parse(await answer.Content.ReadAsStringAsync()).RootElement.GetProperty("code").GetString().ShouldBe(code);
        (await Should.ThrowAsync<WebSocketException>(() => HubSocket.OpenAsync(server, query))).Message.ShouldContain("401");
        server.Logs.Lines.ShouldNotContain(
            static line => line.Contains("Tidings", StringComparison.Ordinal) && line.Contains("access_token", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_page_of_a_strange_origin_gets_nothing_and_one_of_an_allowed_origin_everything()
    {
        await using var server = await TestServer.StartAsync(configure: static options => options.AllowedOrigins.Add("https://app.example"));
        using var client = server.CreateClient();
        foreach (var (origin, status) in (IEnumerable<(string, HttpStatusCode)>)[("https://evil.example", HttpStatusCode.Forbidden), ("https://app.example", HttpStatusCode.OK)])
        {
            using var negotiation = new HttpRequestMessage(HttpMethod.Post, "/hubs/tidings/negotiate?access_token=42") { Headers = { { "Origin", origin } } };
            using var answer = await client.SendAsync(negotiation);
            answer.StatusCode.ShouldBe(status);
            answer.Headers.Contains("Access-Control-Allow-Origin").ShouldBe(status == HttpStatusCode.OK);

            using var poll = new HttpRequestMessage(HttpMethod.Get, "/hubs/tidings?id=nothing") { Headers = { { "Origin", origin } } };
            using var answerToPoll = await client.SendAsync(poll);
            answerToPoll.StatusCode.ShouldBe(status == HttpStatusCode.OK ? HttpStatusCode.NotFound : status);
        }

        using var preflight = new HttpRequestMessage(HttpMethod.Options, "/hubs/tidings/negotiate") { Headers = { { "Origin", "https://app.example" } } };
        using var allowed = await client.SendAsync(preflight);
        allowed.StatusCode.ShouldBe(HttpStatusCode.NoContent);
        allowed.Headers.GetValues("Access-Control-Allow-Headers").Single().ShouldContain("X-SignalR-User-Agent");
        (await Should.ThrowAsync<WebSocketException>(
            () => HubSocket.OpenAsync(server, configure: static options => options.SetRequestHeader("Origin", "https://evil.example")))).Message.ShouldContain("403");
    }

    [Fact]
    public async Task A_cookie_counts_only_from_a_page_of_our_own()
    {
        await using var server = await TestServer.StartAsync();
        await using var hub = await HubSocket.OpenAsync(server, "", options =>
        {
            options.SetRequestHeader("Cookie", "user=42");
            options.SetRequestHeader("Origin", $"http://127.0.0.1:{server.Address.Port}");
        });
        (await hub.AskAsync("""{"protocol":"json","version":1}""")).ShouldBe("{}");
        (await hub.ReceiveEventAsync()).GetProperty("userId").GetString().ShouldBe("42");
        (await Should.ThrowAsync<WebSocketException>(
            () => HubSocket.OpenAsync(server, "", static options => options.SetRequestHeader("Cookie", "user=42")))).Message.ShouldContain("403");
    }

    [Fact]
    public async Task A_websocket_needs_no_negotiation_on_this_node()
    {
        await using var server = await TestServer.StartAsync();
        await using var hub = await HubSocket.ConnectAsync(server, "id=what-another-node-gave-it&access_token=42&events=receive");
        (await hub.CallAsync("Subscribe", "\"room:1\"")).ShouldContain("\"result\"");
    }

    [Fact]
    public async Task Who_does_not_shake_hands_in_time_is_cut()
    {
        await using var server = await TestServer.StartAsync(new RealtimeOptions { AuthenticationTimeout = TimeSpan.FromMilliseconds(200) });
        await using var hub = await HubSocket.OpenAsync(server);
        (await hub.ReceiveAsync()).ShouldBeNull();
    }

    [Fact]
    public async Task A_user_has_so_many_connections_and_a_client_comes_back_later()
    {
        await using var server = await TestServer.StartAsync(new RealtimeOptions { ConnectionsPerUser = 1 });
        await using var first = await HubSocket.ConnectAsync(server);
        await using var second = await HubSocket.OpenAsync(server);
        (await second.AskAsync("""{"protocol":"json","version":1}""")).ShouldNotBeNull().ShouldMatch("""^\{"error":"4429 retry=\d+"\}$""");
        (await second.ReceiveAsync()).ShouldBeNull();
    }

    [Fact]
    public async Task An_address_has_so_many_connections_by_any_carrier()
    {
        await using var server = await TestServer.StartAsync(configure: static options =>
        {
            options.TrustedProxies.Clear();
            options.ConnectionsPerAddress = 1;
        });
        await using (await HubSocket.ConnectAsync(server))
        {
            using var client = server.CreateClient();
            using var answer = await client.PostAsync(new Uri("/hubs/tidings/negotiate?access_token=42", UriKind.Relative), null);
            answer.StatusCode.ShouldBe(HttpStatusCode.TooManyRequests);
            answer.Headers.RetryAfter.ShouldNotBeNull();
        }

        await Eventually.IsTrueAsync(
            async () =>
            {
                using var client = server.CreateClient();
                using var answer = await client.PostAsync(new Uri("/hubs/tidings/negotiate?access_token=42", UriKind.Relative), null);
                return answer.StatusCode == HttpStatusCode.OK;
            },
            "the place is free again");
    }

    [Fact]
    public async Task Too_many_calls_are_refused_and_the_connection_stays()
    {
        await using var server = await TestServer.StartAsync(new RealtimeOptions { MessagesPerSecond = 1, MessageBurst = 3 });
        await using var hub = await HubSocket.ConnectAsync(server); // that is one call
        for (var call = 0; call < 2; call++) (await hub.CallAsync("Unsubscribe", "\"room:1\"")).ShouldContain("not_subscribed");
        (await hub.CallAsync("Unsubscribe", "\"room:1\"")).ShouldBe("""{"type":3,"invocationId":"call","error":"rate_limited: Too many messages."}""");
        server.Engine.ConnectionCount.ShouldBe(1);
    }

    [Fact]
    public async Task A_client_that_does_not_read_is_cut_and_holds_up_nobody()
    {
        await using var server = await TestServer.StartAsync(new RealtimeOptions { OutboundBytes = 64 * 1024 });
        await using var slow = await HubSocket.ConnectAsync(server, "access_token=slow&events=receive");
        await using var quick = await HubSocket.ConnectAsync(server, "access_token=quick&events=receive");
        await slow.CallAsync("Subscribe", "\"room:1\"");
        await quick.CallAsync("Subscribe", "\"room:1\"");

        var payload = $"\"{new string('x', 16_000)}\"";
        var published = 0;
        await Eventually.IsTrueAsync(
            async () =>
            {
                await server.PublishAsync("room:1", "note", payload);
                published++;
                (await quick.ReceiveEventAsync()).GetProperty("type").GetString().ShouldBe("note");
                return server.Engine.ConnectionCount == 1;
            },
            "the slow one is cut");
        published.ShouldBeGreaterThan(4);
    }

    [Fact]
    public async Task Signs_of_life_go_both_ways_and_silence_ends_the_connection()
    {
        await using var server = await TestServer.StartAsync(new RealtimeOptions
        {
            HeartbeatInterval = TimeSpan.FromSeconds(2),
            PongTimeout = TimeSpan.FromSeconds(2),
            StreamHeartbeatInterval = TimeSpan.FromSeconds(1),
        });
        await using var hub = await HubSocket.ConnectAsync(server);
        for (var pings = 0; pings < 6; pings++)
        {
            await hub.ReceiveAsync(static record => record == """{"type":6}""");
            await hub.SendAsync("""{"type":6}""");
        }

        (await hub.ReceiveAsync(static record => record.StartsWith("{\"type\":7", StringComparison.Ordinal))).ShouldBe("""{"type":7,"error":"4408 no_pong","allowReconnect":true}""");
    }

    [Fact]
    public async Task A_disconnected_user_is_told_and_does_not_come_back_by_itself()
    {
        await using var server = await TestServer.StartAsync();
        await using var hub = await HubSocket.ConnectAsync(server);
        server.Engine.Disconnect("42", null, CloseReason.Disconnected);
        (await hub.ReceiveAsync()).ShouldBe("""{"type":7,"error":"4403 disconnected"}""");
    }

    [Fact]
    public async Task A_revoked_subscription_ends_with_a_notice()
    {
        await using var server = await TestServer.StartAsync();
        await using var hub = await HubSocket.ConnectAsync(server);
        await hub.CallAsync("Subscribe", "\"room:1\"");
        server.Engine.Catalog.Parse("room:1", out var room);
        await server.Engine.RevokeAsync(room!, "42");
        (await hub.ReceiveAsync()).ShouldBe("""{"type":1,"target":"receive","arguments":[{"type":"unsubscribed","channel":"room:1","reason":"access_revoked"}]}""");
    }

    [Fact]
    public async Task A_polling_client_holds_its_place_between_its_polls_and_gives_it_back()
    {
        await using var server = await TestServer.StartAsync();
        using var client = server.CreateClient();
        using var negotiation = await client.PostAsync(new Uri("/hubs/tidings/negotiate?negotiateVersion=1&access_token=42", UriKind.Relative), null);
        var id = JsonDocument.Parse(await negotiation.Content.ReadAsStringAsync()).RootElement.GetProperty("connectionToken").GetString();
        var address = new Uri($"/hubs/tidings?id={id}&events=receive&access_token=42", UriKind.Relative);
        (await client.GetStringAsync(address)).ShouldBeEmpty(); // the first poll only says that the connection is there

        using var handshake = new StringContent("{\"protocol\":\"json\",\"version\":1}\u001e");
        (await client.PostAsync(address, handshake)).StatusCode.ShouldBe(HttpStatusCode.OK);
        (await client.GetStringAsync(address)).ShouldStartWith("{}\u001e");
        server.Engine.ConnectionCount.ShouldBe(1);

        (await client.DeleteAsync(address)).StatusCode.ShouldBe(HttpStatusCode.Accepted);
        await Eventually.IsTrueAsync(() => server.Engine.ConnectionCount == 0, "it is gone");
    }
}
