using System.Collections.Concurrent;
using System.Globalization;
using System.Net;
using System.Text.Json.Nodes;
using Tidings.Testing;
using Tidings.Testing.Clients;
using Tidings.Testing.Servers;

namespace Tidings.Faults.Tests;

/// <summary>What was taken back stays away: at once, over every transport, and also from those who come back with what they had.</summary>
public sealed class RevocationTests
{
    private const string Channel = "ticket:7";

    private static ServerSettings WithTickets => new()
    {
        Settings = new Dictionary<string, string> { ["Channels:ticket:Access"] = "token", ["Channels:ticket:History"] = "10000", ["Channels:room:Access"] = "signed-in" },
    };

    [Fact]
    public async Task In_a_flood_nothing_that_comes_after_the_revocation_reaches_whoever_lost_the_channel()
    {
        await using var server = await ServerProcess.StartAsync(WithTickets);
        using var backend = new Backend(server);
        var ticket = backend.SubscriptionToken("*", Channel);
        var seen = new ConcurrentDictionary<string, int>();
        var reader = UserToken.For("reader", server.AuthSecret);
        await using var witness = await NativeClient.ConnectAsync(server.Address, UserToken.For("witness", server.AuthSecret));
        await SubscribeAsync(witness, ticket);
        await using var socket = await NativeClient.ConnectAsync(server.Address, reader, onMessage: message => Note(seen, "ws", message.Text("id")));
        await SubscribeAsync(socket, ticket);
        using var enough = new CancellationTokenSource();
        using var stream = await SseClient.OpenAsync(server.Address, reader, Channel, query: $"&tokens={ticket}");
        var streaming = ReadAsync(stream, seen, enough.Token);
        using var poll = new PollClient(server.Address, reader, Channel, $"&tokens={ticket}");
        await poll.PollAsync();
        var polling = PollAsync(poll, seen);

        var published = 0;
        var flood = Task.Run(async () =>
        {
            while (!enough.IsCancellationRequested) await backend.PublishAsync(Channel, $"{Interlocked.Increment(ref published)}");
        });
        await Eventually.HoldsAsync(() => new[] { "ws", "sse", "poll" }.All(seen.ContainsKey), "all three read the flood");

        using var revoking = new Backend(server);
        (await revoking.PostAsync("/subscriptions/revoke", new { userId = "reader", channel = Channel })).GetProperty("revoked").GetInt32().ShouldBeGreaterThanOrEqualTo(2);
        var last = Volatile.Read(ref published) + 1; // one may have been under way

        (await socket.WaitForAsync(message => message.IsOfType("unsubscribed"), "the news")).Text("reason").ShouldBe("access_revoked");
        await witness.WaitForAsync(message => IsAfter(message.Text("id"), last + 50), "the flood goes on for others");
        (await polling).ShouldBe(HttpStatusCode.Forbidden, "its resume is refused");
        await enough.CancelAsync();
        await Task.WhenAll(flood, streaming);

        foreach (var (who, newest) in seen) newest.ShouldBeLessThanOrEqualTo(last, who);

        // Neither a new subscription nor a resume gets in with the old token; a token signed later does, and recovers.
        var since = socket.PositionOf(Channel);
        (await SubscribeAsync(socket, ticket, since)).Text("code").ShouldBe("forbidden");
        using var resumed = await SseClient.OpenAsync(server.Address, reader, Channel, stream.LastEventId, $"&tokens={ticket}");
        resumed.Status.ShouldBe(HttpStatusCode.Forbidden);
        await Eventually.HoldsAsync(
            async () => (await SubscribeAsync(socket, backend.SubscriptionToken("reader", Channel), since)).IsOfType("subscribed"),
            "a new token opens it again");
    }

    [Fact]
    public async Task A_revocation_for_everybody_ends_all_and_survives_a_restart()
    {
        await using var server = await ServerProcess.StartAsync(WithTickets);
        using var backend = new Backend(server);
        var ticket = backend.SubscriptionToken("*", Channel);
        await using (var first = await NativeClient.ConnectAsync(server.Address, UserToken.For("1", server.AuthSecret)))
        {
            await using var second = await NativeClient.ConnectAsync(server.Address, UserToken.For("2", server.AuthSecret));
            await SubscribeAsync(first, ticket);
            await SubscribeAsync(second, ticket);

            await backend.PostAsync("/subscriptions/revoke", new { channel = Channel });

            foreach (var client in new[] { first, second })
                (await client.WaitForAsync(message => message.IsOfType("unsubscribed"), "the news")).Text("channel").ShouldBe(Channel);
        }

        await server.KillAsync();
        await server.StartAgainAsync();

        await using var again = await NativeClient.ConnectAsync(server.Address, UserToken.For("1", server.AuthSecret));
        (await SubscribeAsync(again, ticket)).Text("code").ShouldBe("forbidden");
        (await again.TrySubscribeAsync("room:1")).Text("type").ShouldBe("subscribed");
    }

    [Fact]
    public async Task A_user_who_is_disconnected_is_told_over_every_transport()
    {
        await using var server = await ServerProcess.StartAsync(WithTickets);
        using var backend = new Backend(server);
        var token = UserToken.For("42", server.AuthSecret);
        await using var other = await NativeClient.ConnectAsync(server.Address, UserToken.For("4", server.AuthSecret));
        await using var socket = await NativeClient.ConnectAsync(server.Address, token);
        using var stream = await SseClient.OpenAsync(server.Address, token, "room:1");
        var closing = stream.WaitForAsync(happened => happened.Type == "closing", "closing");
        using var poll = new PollClient(server.Address, token, "room:1");
        await poll.PollAsync();
        var polling = poll.PollAsync();
        await Eventually.HoldsAsync(async () => (await backend.GetAsync("/connections?userId=42")).GetProperty("connections").GetArrayLength() == 3, "all three are there");

        (await backend.PostAsync("/users/42/disconnect", new { })).GetProperty("disconnected").GetInt32().ShouldBe(3);

        (await socket.WaitForCloseAsync()).ShouldBe(new WireClose(4403, "disconnected"));
        (await closing).Json.GetProperty("code").GetInt32().ShouldBe(4403);
        (await polling).Status.ShouldBe(HttpStatusCode.Forbidden);
        (await other.RequestAsync(new JsonObject { ["type"] = "ping" })).Text("type").ShouldBe("pong");
        await using var back = await NativeClient.ConnectAsync(server.Address, token);
    }

    [Fact]
    public async Task A_user_whose_tokens_are_revoked_comes_back_with_a_new_one_only()
    {
        await using var server = await ServerProcess.StartAsync(WithTickets);
        using var backend = new Backend(server);
        var token = UserToken.For("42", server.AuthSecret);
        await using var socket = await NativeClient.ConnectAsync(server.Address, token);
        using var poll = new PollClient(server.Address, token, "room:1");
        await poll.PollAsync();

        await backend.PostAsync("/users/42/disconnect", new { revokeTokens = true });

        (await socket.WaitForCloseAsync()).Code.ShouldBe(4403);
        await using var refused = await NativeClient.OpenAsync(server.Address, token);
        (await refused.WaitForCloseAsync()).ShouldBe(new WireClose(4401, "invalid_token"));
        (await poll.PollAsync()).Status.ShouldBe(HttpStatusCode.Unauthorized, "a resume passes the same checks");
        await Eventually.HoldsAsync(
            async () =>
            {
                await using var fresh = await NativeClient.OpenAsync(server.Address, NewToken("42", server));
                try
                {
                    await fresh.WaitForAsync(message => message.IsOfType("connected"), "connected");
                    return true;
                }
                catch (ConnectionEndedException)
                {
                    return false; // signed in the same second
                }
            },
            "a token signed later opens a connection");
    }

    [Fact]
    public async Task A_deleted_post_and_an_ended_follow_cut_the_channel_over_every_transport()
    {
        await using var server = await ServerProcess.StartAsync();
        using var author = await Account.RegisterAsync(server, "author");
        using var follower = await Account.RegisterAsync(server, "follower");
        await follower.FollowAsync(author);
        var post = (await author.PostAsync("soon gone")).Text("id");
        var channels = $"post:{post},{follower.Feed}";
        await using var socket = await NativeClient.ConnectAsync(follower);
        foreach (var channel in channels.Split(',')) await socket.SubscribeAsync(channel);
        using var stream = await SseClient.OpenAsync(server.Address, follower.Token, channels);
        var streamEnds = stream.WaitForAsync(happened => happened.Type == "unsubscribed", "the end of the channel");
        using var poll = new PollClient(server.Address, follower.Token, channels);
        await poll.PollAsync();
        var seen = new List<string?>();

        await author.Http.DeleteAsync($"/api/posts/{post}");

        (await socket.WaitForAsync(message => message.IsOfType("unsubscribed"), "the end of the channel")).Text("reason").ShouldBe("access_revoked");
        (await streamEnds).Json.Text("channel").ShouldBe($"post:{post}");
        await Eventually.HoldsAsync(
            async () =>
            {
                seen.AddRange((await poll.PollAsync(timeoutSeconds: 1)).Events.Select(happened => happened.Text("type")));
                return seen.Contains("unsubscribed");
            },
            "the poll hears of it");

        using var ended = await follower.Http.DeleteAsync($"/api/creators/{author.Id}/follow");
        ended.StatusCode.ShouldBe(HttpStatusCode.NoContent);
        await author.PostAsync("for those who stayed");
        await author.FollowAsync(follower);
        var own = (await follower.PostAsync("a post of the follower")).Text("id");
        await socket.WaitForAsync(message => message.Text("channel") == follower.Feed && message.PostText() == "a post of the follower", $"the own post {own}");
        socket.EventsOf(follower.Feed, "post_created").ShouldNotContain(happened => happened.PostText() == "for those who stayed");
    }

    [Fact]
    public async Task A_signed_out_session_ends_its_connections()
    {
        await using var server = await ServerProcess.StartAsync();
        using var account = await Account.RegisterAsync(server, "somebody");
        await using var socket = await NativeClient.ConnectAsync(account);
        using var poll = new PollClient(server.Address, account.Token, account.Feed);
        await poll.PollAsync();
        var polling = poll.PollAsync();

        using var answer = await account.Http.PostAsync("/api/auth/logout", content: null);

        answer.IsSuccessStatusCode.ShouldBeTrue();
        (await socket.WaitForCloseAsync()).Code.ShouldBe(4401);
        (await polling).Status.ShouldBe(HttpStatusCode.Unauthorized);
    }

    private static string NewToken(string userId, ServerProcess server)
    {
        var now = TimeProvider.System.GetUtcNow().ToUnixTimeSeconds();
        return UserToken.Sign("""{"alg":"HS256"}""", $$"""{"sub":"{{userId}}","iat":{{now}},"exp":{{now + 600}}}""", server.AuthSecret);
    }

    private static Task<System.Text.Json.JsonElement> SubscribeAsync(NativeClient client, string ticket, string? since = null)
    {
        var message = new JsonObject { ["type"] = "subscribe", ["channel"] = Channel, ["token"] = ticket };
        if (since is not null) message["since"] = since;
        return client.RequestAsync(message);
    }

    private static async Task ReadAsync(SseClient stream, ConcurrentDictionary<string, int> seen, CancellationToken cancellationToken)
    {
        try
        {
            await foreach (var happened in stream.ReadAsync(cancellationToken))
                if (happened.Type == "note") Note(seen, "sse", happened.Json.Text("id"));
        }
        catch (OperationCanceledException)
        {
            // Enough was seen.
        }
    }

    /// <summary>Polls until it is refused.</summary>
    private static async Task<HttpStatusCode> PollAsync(PollClient poll, ConcurrentDictionary<string, int> seen)
    {
        while (true)
        {
            var answer = await poll.PollAsync();
            if (answer.Status == HttpStatusCode.ServiceUnavailable) continue; // a busy server asks to come back
            if (answer.Status != HttpStatusCode.OK) return answer.Status;
            foreach (var happened in answer.Events) Note(seen, "poll", happened.Text("id"));
        }
    }

    private static void Note(ConcurrentDictionary<string, int> seen, string who, string? id)
    {
        if (int.TryParse(id, NumberStyles.None, CultureInfo.InvariantCulture, out var number)) seen.AddOrUpdate(who, number, (_, newest) => Math.Max(newest, number));
    }

    private static bool IsAfter(string? id, int number) =>
        int.TryParse(id, NumberStyles.None, CultureInfo.InvariantCulture, out var it) && it > number;
}
