using Shouldly;
using Tidings.Protocols.Tests.Support;
using Tidings.Realtime;
using Tidings.Realtime.Channels;
using Xunit;

namespace Tidings.Protocols.Tests.SocketIo;

public sealed class RecoveryTests
{
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task What_was_missed_comes_first_and_then_the_reply_with_the_old_ids(bool isEarly)
    {
        await using var server = await TestServer.StartAsync(isEarly: isEarly);
        var (sid, back) = await DropAsync(server, "[\"subscribe\",\"room:a\"]", "[\"subscribe\",\"post:7\",{\"presence\":true}]");
        await server.PublishAsync("room:a", "x", "1");
        await server.PublishAsync("post:7", "post_liked", "{\"likesCount\":2}");
        await server.PublishAsync("creator:of-42", "post_created", "{\"post\":{}}"); // through the feed
        await server.PublishAsync("room:other", "x", "9");

        await using var client = await EngineClient.ConnectAsync(server, back: back);
        var missed = new List<string>();
        while (missed.Count < 3) missed.Add(await client.NextAsync());
        missed.Order(StringComparer.Ordinal).Select(static packet => packet[..packet.IndexOf(',', StringComparison.Ordinal)])
            .ShouldBe(["42[\"post_created\"", "42[\"post_liked\"", "42[\"x\""]);
        await client.ReadReplyAsync();
        (client.Sid, client.Pid).ShouldBe((sid, back.Pid));
        await client.EventAsync("connected");

        await server.PublishAsync("room:a", "x", "2");
        (await client.EventAsync("x")).GetInt32().ShouldBe(2);
    }

    [Fact]
    public async Task It_can_be_repeated_from_the_newest_offset()
    {
        await using var server = await TestServer.StartAsync();
        var (sid, back) = await DropAsync(server, "[\"subscribe\",\"room:a\"]");
        for (var round = 0; round < 3; round++)
        {
            await server.PublishAsync("room:a", "x", $"{round}");
            await using var client = await EngineClient.ConnectAsync(server, back: back);
            (await client.EventAsync("x")).GetInt32().ShouldBe(round);
            await client.ReadReplyAsync();
            client.Sid.ShouldBe(sid);
            back = back with { Offset = client.Offset };
            client.Socket.Cut();
        }
    }

    [Fact]
    public async Task Rooms_without_history_are_joined_again()
    {
        await using var server = await TestServer.StartAsync();
        var (sid, back) = await DropAsync(server, "[\"subscribe\",\"live:a\"]");
        await using var client = await EngineClient.ReadyAsync(server, back: back);
        client.Sid.ShouldBe(sid);
        await server.PublishAsync("live:a", "x", "1");
        (await client.EventAsync("x")).GetInt32().ShouldBe(1);
    }

    [Fact]
    public async Task Rooms_that_were_left_are_not_joined_again()
    {
        await using var server = await TestServer.StartAsync();
        var (_, back) = await DropAsync(server, "[\"subscribe\",\"room:a\"]", "[\"subscribe\",\"room:b\"]", "[\"unsubscribe\",\"room:a\"]");
        await server.PublishAsync("room:a", "x", "1");
        await server.PublishAsync("room:b", "x", "2");
        await using var client = await EngineClient.ConnectAsync(server, back: back);
        (await client.EventAsync("x")).GetInt32().ShouldBe(2);
        await client.ReadReplyAsync();
    }

    [Fact]
    public async Task A_channel_that_may_no_longer_be_read_makes_it_a_new_socket()
    {
        await using var server = await TestServer.StartAsync();
        var (sid, back) = await DropAsync(server, "[\"subscribe\",\"room:a\"]");
        await server.PublishAsync("room:a", "x", "1");
        server.Forbid("room:a");
        await ExpectNewAsync(server, sid, back);
    }

    [Fact]
    public async Task A_history_that_no_longer_reaches_back_makes_it_a_new_socket()
    {
        await using var server = await TestServer.StartAsync();
        var (sid, back) = await DropAsync(server, "[\"subscribe\",\"short:a\"]");
        for (var number = 0; number < 5; number++) await server.PublishAsync("short:a", "x", $"{number}");
        await ExpectNewAsync(server, sid, back);
    }

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("-")]
    [InlineData("nonsense")]
    [InlineData("AQ AR")]
    [InlineData("////")]
    public async Task An_offset_that_is_none_makes_it_a_new_socket(string? offset)
    {
        await using var server = await TestServer.StartAsync();
        var (sid, back) = await DropAsync(server);
        await ExpectNewAsync(server, sid, back with { Offset = offset });
    }

    [Fact]
    public async Task A_secret_that_is_none_or_is_not_the_users_makes_it_a_new_socket()
    {
        await using var server = await TestServer.StartAsync();
        var (sid, back) = await DropAsync(server);
        await ExpectNewAsync(server, sid, back with { Pid = "nonsense" });
        await ExpectNewAsync(server, sid, back with { Pid = new string('A', 5_000) });
        await ExpectNewAsync(server, sid, back with { Pid = back.Pid[..^1] + (back.Pid[^1] == 'A' ? 'E' : 'A') });
        await ExpectNewAsync(server, sid, back, "43");
    }

    [Fact]
    public async Task Another_user_with_somebodys_secret_and_offset_gets_nothing_that_is_private()
    {
        await using var server = await TestServer.StartAsync();
        var (sid, back) = await DropAsync(server);
        await server.PublishAsync("user:42", "private", "1");
        await server.PublishAsync("creator:of-42", "post_created", "{\"post\":{}}"); // in the feed of 42 alone

        await using var thief = await EngineClient.ReadyAsync(server, "43", back); // its events would be before the reply
        thief.Sid.ShouldNotBe(sid);
        await server.PublishAsync("user:42", "private", "2");
        await server.PublishAsync("user:43", "own", "3");
        (await thief.EventAsync("own")).GetInt32().ShouldBe(3);

        await using var owner = await EngineClient.ConnectAsync(server, back: back);
        var missed = new[] { await owner.NextAsync(), await owner.NextAsync(), await owner.NextAsync() };
        missed.Count(packet => packet.StartsWith("42[\"private\"", StringComparison.Ordinal)).ShouldBe(2);
        await owner.ReadReplyAsync();
        owner.Sid.ShouldBe(sid);
    }

    [Fact]
    public async Task Two_clients_of_a_user_with_one_secret_are_never_one_socket()
    {
        await using var server = await TestServer.StartAsync();
        var (sid, back) = await DropAsync(server);
        await using var first = await EngineClient.ReadyAsync(server, back: back);
        await using var second = await EngineClient.ReadyAsync(server, back: back);

        (first.Sid, second.Sid).ShouldBe((sid, sid));
        await first.Socket.ReadToEndAsync(); // the later one has taken its place
        server.Engine.ConnectionsOf("42").ShouldHaveSingleItem().Id.ShouldBe(sid);
        await server.PublishAsync("user:42", "own", "1");
        (await second.EventAsync("own")).GetInt32().ShouldBe(1);
    }

    [Fact]
    public async Task Nothing_of_it_spares_the_token()
    {
        await using var server = await TestServer.StartAsync();
        var (_, back) = await DropAsync(server);
        await using var client = await EngineClient.ConnectAsync(server, "expired", back);
        (await client.NextAsync()).ShouldBe("44{\"message\":\"Invalid token\",\"data\":{\"code\":\"token_expired\"}}");
    }

    [Fact]
    public async Task A_socket_that_was_left_on_purpose_does_not_come_back()
    {
        await using var server = await TestServer.StartAsync();
        await using var client = await EngineClient.ReadyAsync(server);
        var (sid, back) = (client.Sid, (client.Pid, client.Offset));
        await client.SendAsync("41");
        await Eventually.IsTrueAsync(() => server.Engine.ConnectionCount == 0, "the connection ends");
        await ExpectNewAsync(server, sid, back);
    }

    [Fact]
    public async Task A_link_that_is_dead_only_for_the_client_is_replaced()
    {
        await using var server = await TestServer.StartAsync();
        await using var silent = await EngineClient.ReadyAsync(server);
        await using var client = await EngineClient.ReadyAsync(server, back: (silent.Pid, silent.Offset));
        client.Sid.ShouldBe(silent.Sid);
        server.Engine.ConnectionsOf("42").Count().ShouldBe(1);
        await silent.Socket.ReadToEndAsync();
    }

    [Fact]
    public async Task An_older_client_that_brings_nothing_back_gets_what_it_missed_when_it_joins_again()
    {
        await using var server = await TestServer.StartAsync();
        var (sid, _) = await DropAsync(server, "[\"subscribe\",\"room:a\"]");
        await server.PublishAsync("room:a", "x", "1");
        await server.PublishAsync("creator:of-42", "post_created", "{\"post\":{}}"); // its feed is joined for it

        await using var client = await EngineClient.ConnectAsync(server);
        await client.ReadReplyAsync();
        client.Sid.ShouldNotBe(sid);
        await client.EventAsync("post_created");
        await client.EventAsync("connected");
        await client.SendAsync("42[\"subscribe\",\"room:a\"]");
        (await client.EventAsync("subscribed")).GetProperty("recovered").GetBoolean().ShouldBeTrue();
        (await client.EventAsync("x")).GetInt32().ShouldBe(1);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_link_that_is_dead_without_a_word_is_found_by_asking_when_an_older_client_comes_anew(bool isPolling)
    {
        await using var server = await TestServer.StartAsync();
        using var poller = isPolling ? await PollingClient.ReadyAsync(server) : null; // no poll is under way, as in between two
        await using var silent = isPolling ? null : await EngineClient.ReadyAsync(server);
        if (poller is not null)
        {
            await poller.PostAsync("427[\"subscribe\",\"room:a\"]");
            (await poller.NextAsync()).ShouldContain("subscribed");
        }
        else
        {
            await silent!.AskAsync("[\"subscribe\",\"room:a\"]");
        }

        await server.PublishAsync("room:a", "x", "1");
        await using var client = await EngineClient.ReadyAsync(server);
        await client.SendAsync("42[\"subscribe\",\"room:a\"]");
        (await client.EventAsync("subscribed")).GetProperty("recovered").GetBoolean().ShouldBeTrue();
        (await client.EventAsync("x")).GetInt32().ShouldBe(1);
    }

    [Fact]
    public async Task Beside_an_older_client_that_answers_another_begins_live()
    {
        await using var server = await TestServer.StartAsync();
        await using var first = await EngineClient.ReadyAsync(server);
        await first.AskAsync("[\"subscribe\",\"room:a\"]");
        await server.PublishAsync("room:a", "x", "1");
        await first.EventAsync("x");
        var answering = Task.Run(async () =>
        {
            System.Text.Encoding.UTF8.GetString((await first.Socket.ReadFrameAsync()).Payload).ShouldBe("2");
            await first.SendAsync("3");
        });

        await using var second = await EngineClient.ReadyAsync(server);
        await answering;
        var joined = await second.AskAsync("[\"subscribe\",\"room:a\"]");
        joined.TryGetProperty("recovered", out _).ShouldBeFalse();
        await server.PublishAsync("room:a", "x", "2");
        (await second.EventAsync("x")).GetInt32().ShouldBe(2);
    }

    [Fact]
    public async Task More_rooms_than_fit_into_an_offset_are_told_by_one_that_is_none()
    {
        await using var server = await TestServer.StartAsync(catalog: Catalogs.WithBroadcast);
        await using var client = await EngineClient.ReadyAsync(server);
        for (var number = 0; number < 30; number++) (await client.AskAsync($"[\"subscribe\",\"room:{new string('r', 60)}{number}\"]")).GetProperty("ok").GetBoolean().ShouldBeTrue();
        client.Offset.ShouldBe("-");
    }

    [Fact]
    public async Task Events_of_the_six_names_that_clients_keep_for_themselves_arrive_under_another()
    {
        await using var server = await TestServer.StartAsync();
        await using var client = await EngineClient.ReadyAsync(server);
        await client.AskAsync("[\"subscribe\",\"room:a\"]");
        await server.PublishAsync("room:a", "disconnect", "1");
        (await client.EventAsync("event:disconnect")).GetInt32().ShouldBe(1);
    }

    [Fact]
    public async Task Who_missed_more_than_may_wait_gets_it_as_it_is_read()
    {
        await using var server = await TestServer.StartAsync(new RealtimeOptions { OutboundBytes = 64 * 1024 });
        var (_, back) = await DropAsync(server, "[\"subscribe\",\"room:a\"]");
        for (var number = 0; number < 100; number++) await server.PublishAsync("room:a", "x", $"[{number},\"{new string('x', 8_000)}\"]");
        await using var client = await EngineClient.ConnectAsync(server, back: back);
        var numbers = new List<int>();
        while (numbers.Count < 100)
        {
            var packet = await client.NextAsync();
            if (packet.StartsWith("42[\"x\"", StringComparison.Ordinal)) numbers.Add(System.Text.Json.JsonDocument.Parse(packet[2..]).RootElement[1][0].GetInt32());
        }

        numbers.ShouldBe(Enumerable.Range(0, 100));
    }

    /// <summary>Connects, asks for some things, and is cut.</summary>
    private static async Task<(string Sid, (string Pid, string? Offset) Back)> DropAsync(TestServer server, params string[] requests)
    {
        await using var client = await EngineClient.ReadyAsync(server);
        foreach (var request in requests) (await client.AskAsync(request)).GetProperty("ok").GetBoolean().ShouldBeTrue();
        client.Socket.Cut();
        await Eventually.IsTrueAsync(() => server.Engine.ConnectionCount == 0, "the connection ends");
        client.Offset.ShouldNotBeNull();
        return (client.Sid, (client.Pid, client.Offset));
    }

    private static async Task ExpectNewAsync(TestServer server, string sid, (string Pid, string? Offset) back, string user = "42")
    {
        await using var client = await EngineClient.ReadyAsync(server, user, back);
        client.Sid.ShouldNotBe(sid);
        client.Pid.ShouldNotBe(back.Pid);
    }
}
