using Shouldly;
using Tidings.Protocols.Tests.Support;
using Tidings.Realtime;
using Tidings.Realtime.Connections;
using Xunit;

namespace Tidings.Protocols.Tests.SocketIo;

public sealed class NamespaceTests
{
    [Theory]
    [InlineData("40", "44{\"message\":\"Authentication required\",\"data\":{\"code\":\"missing_token\"}}")]
    [InlineData("40{}", "44{\"message\":\"Authentication required\",\"data\":{\"code\":\"missing_token\"}}")]
    [InlineData("40{\"token\":null}", "44{\"message\":\"Authentication required\",\"data\":{\"code\":\"missing_token\"}}")]
    [InlineData("40{\"token\":\"invalid\"}", "44{\"message\":\"Invalid token\",\"data\":{\"code\":\"invalid_token\"}}")]
    [InlineData("40{\"token\":7}", "44{\"message\":\"Invalid token\",\"data\":{\"code\":\"invalid_token\"}}")]
    [InlineData("40{\"token\":{\"a\":[]}}", "44{\"message\":\"Invalid token\",\"data\":{\"code\":\"invalid_token\"}}")]
    [InlineData("40{\"token\":\"\\ud800\"}", "44{\"message\":\"Invalid token\",\"data\":{\"code\":\"invalid_token\"}}")]
    [InlineData("40{\"token\":\"expired\"}", "44{\"message\":\"Invalid token\",\"data\":{\"code\":\"token_expired\"}}")]
    [InlineData("40/admin,{\"token\":\"42\"}", "44/admin,{\"message\":\"Invalid namespace\"}")]
    [InlineData("40/?token=42,", "44/?token=42,{\"message\":\"Invalid namespace\"}")]
    public async Task A_CONNECT_that_is_refused_is_told_why(string packet, string answer)
    {
        await using var server = await TestServer.StartAsync();
        await using var client = await EngineClient.OpenAsync(server);
        await client.SendAsync(packet);
        (await client.NextAsync()).ShouldBe(answer);
        await client.SendAsync("40{\"token\":\"42\"}"); // the session goes on
        await client.ReadReplyAsync();
    }

    [Fact]
    public async Task The_token_of_CONNECT_comes_before_that_of_the_request()
    {
        await using var server = await TestServer.StartAsync();
        await using var client = await EngineClient.OpenAsync(server, "&token=invalid");
        await client.SendAsync("40");
        (await client.NextAsync()).ShouldBe("44{\"message\":\"Invalid token\",\"data\":{\"code\":\"invalid_token\"}}");
        await client.SendAsync("40{\"token\":\"42\"}");
        await client.ReadReplyAsync();
        (await client.EventAsync("connected")).GetProperty("userId").GetString().ShouldBe("42");
    }

    [Fact]
    public async Task A_cookie_counts_for_pages_of_the_servers_own_origin()
    {
        await using var server = await TestServer.StartAsync();
        foreach (var (origin, status) in new[] { ($"http://127.0.0.1:{server.Address.Port}", 101), ("", 403) })
        {
            await using var socket = await TestSocket.RequestAsync(
                server, "/socket.io/?EIO=4&transport=websocket", new Dictionary<string, string> { ["Cookie"] = "user=42", ["Origin"] = origin });
            socket.Status.ShouldBe(status);
            if (status != 101) continue;
            await socket.ReadFrameAsync();
            await socket.SendAsync("40");
            System.Text.Encoding.UTF8.GetString((await socket.ReadFrameAsync()).Payload).ShouldStartWith("40{\"sid\"");
        }
    }

    [Fact]
    public async Task The_socket_has_the_id_by_which_it_is_left_out()
    {
        await using var server = await TestServer.StartAsync();
        await using var client = await EngineClient.ReadyAsync(server);
        server.Engine.ConnectionsOf("42").Single().Id.ShouldBe(client.Sid);
    }

    [Fact]
    public async Task CONNECT_again_is_answered_with_the_same_reply()
    {
        await using var server = await TestServer.StartAsync();
        await using var client = await EngineClient.ReadyAsync(server);
        var (sid, pid) = (client.Sid, client.Pid);
        await client.SendAsync("40{\"token\":\"42\"}");
        await client.ReadReplyAsync();
        (client.Sid, client.Pid).ShouldBe((sid, pid));
        server.Engine.ConnectionCount.ShouldBe(1);
    }

    [Fact]
    public async Task Who_leaves_may_come_back_over_the_same_session_and_what_was_under_way_is_dropped()
    {
        await using var server = await TestServer.StartAsync();
        await using var client = await EngineClient.ReadyAsync(server);
        await client.SendAsync("41");
        await client.SendAsync("42[\"subscribe\",\"room:a\"]");
        await client.SendAsync("43999[]");
        await client.SendAsync("41");
        await client.SendAsync("40{\"token\":\"42\"}");
        var before = client.Sid;
        await client.ReadReplyAsync();
        client.Sid.ShouldNotBe(before);
        (await client.EventAsync("connected")).GetProperty("connectionId").GetString().ShouldBe(client.Sid);
        server.Engine.ConnectionCount.ShouldBe(1);
    }

    [Fact]
    public async Task A_user_whom_an_operator_sends_away_is_told_for_good()
    {
        await using var server = await TestServer.StartAsync();
        await using var client = await EngineClient.ReadyAsync(server);
        server.Engine.Disconnect("42", null, CloseReason.Disconnected);
        (await client.NextAsync()).ShouldBe("41");
        (await client.ReadCloseAsync()).ShouldBe("4403 disconnected");
    }

    [Fact]
    public async Task A_token_that_ends_is_warned_of_and_then_ends_the_session()
    {
        await using var server = await TestServer.StartAsync(new RealtimeOptions { ExpiryGrace = TimeSpan.Zero });
        await using var client = await EngineClient.ReadyAsync(server, "42~3");
        (await client.EventAsync("token_expiring")).GetProperty("expiresAt").GetString().ShouldNotBeNull();
        (await client.ReadCloseAsync()).ShouldBe("4401 token_expired");
    }

    [Fact]
    public async Task A_user_with_too_many_connections_is_told_so()
    {
        await using var server = await TestServer.StartAsync(new RealtimeOptions { ConnectionsPerUser = 1 });
        await using var first = await EngineClient.ReadyAsync(server);
        await using var second = await EngineClient.ConnectAsync(server);
        (await second.NextAsync()).ShouldBe("44{\"message\":\"Too many connections\",\"data\":{\"code\":\"rate_limited\"}}");
    }

    [Fact]
    public async Task A_flood_is_answered_with_refusals()
    {
        await using var server = await TestServer.StartAsync(new RealtimeOptions { MessagesPerSecond = 1, MessageBurst = 3 });
        await using var client = await EngineClient.ReadyAsync(server);
        for (var count = 0; count < 5; count++) await client.SendAsync("427[\"presence\",\"room:a\"]");
        var answers = new List<string>();
        while (answers.Count < 5) answers.Add(await client.NextAsync());
        answers[^1].ShouldBe("""437[{"ok":false,"error":{"code":"rate_limited","message":"Too many messages."}}]""");
    }

    [Fact]
    public async Task A_fault_while_finding_out_who_it_is_sends_the_client_away_to_come_back()
    {
        await using var server = await TestServer.StartAsync();
        await using var client = await EngineClient.OpenAsync(server);
        server.BreakAccess();
        await client.SendAsync("40{\"token\":\"42\"}");
        (await client.ReadCloseAsync()).ShouldStartWith("4503 retry=");
    }

    [Fact]
    public async Task Secrets_of_sessions_and_sockets_are_in_no_log()
    {
        await using var server = await TestServer.StartAsync();
        using var polling = await PollingClient.ReadyAsync(server);
        await using var client = await EngineClient.ReadyAsync(server, "token-canary");
        await client.SendAsync("4x");
        await client.ReadCloseAsync();
        var log = string.Join('\n', server.Logs.Lines.Where(static line => line.Contains(" Tidings.", StringComparison.Ordinal)));
        foreach (var secret in new[] { polling.Sid, client.Pid, "token-canary" }) log.ShouldNotContain(secret);
    }
}
