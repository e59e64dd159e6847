using System.Net;
using System.Text.Json.Nodes;
using Tidings.Testing.Clients;
using Tidings.Testing.Servers;

namespace Tidings.Faults.Tests;

/// <summary>Channels that open for whoever shows a token of the backend, over all transports.</summary>
public sealed class SubscriptionTokenTests(SubscriptionTokenTests.TicketServer running) : IClassFixture<SubscriptionTokenTests.TicketServer>
{
    private const string User = "42";
    private const string Channel = "ticket:7";

    private readonly ServerProcess _server = running.Server;
    private readonly string _token = UserToken.For(User, running.Server.AuthSecret);

    /// <summary>Claims, what signs them (the app's secret, the users' or nobody's), and whether they open <c>ticket:7</c> for user 42.</summary>
    public static TheoryData<string, string, string, bool> Tokens => new()
    {
        { HS256, """ "sub":"42","channel":"ticket:7","exp":{soon} """, "app", true },
        { HS256, """ "sub":"*","channel":"ticket:7","exp":{soon} """, "app", true },
        { HS256, """ "sub":"42","channel":"private-ticket-7","exp":{soon} """, "app", true },
        { HS256, """ "sub":"42","channel":"ticket:7","exp":{soon} """, "auth", false },
        { HS256, """ "sub":"42","exp":{soon} """, "auth", false },
        { HS256, """ "sub":"4","channel":"ticket:7","exp":{soon} """, "app", false },
        { HS256, """ "sub":"42","channel":"ticket:70","exp":{soon} """, "app", false },
        { HS256, """ "sub":"42","channel":"room:7","exp":{soon} """, "app", false },
        { HS256, """ "sub":"42","channel":"*","exp":{soon} """, "app", false },
        { HS256, """ "sub":"42","channel":["ticket:7"],"exp":{soon} """, "app", false },
        { HS256, """ "sub":["42"],"channel":"ticket:7","exp":{soon} """, "app", false },
        { HS256, """ "sub":"42","channel":"ticket:7" """, "app", false },
        { HS256, """ "sub":"42","channel":"ticket:7","exp":1000000000 """, "app", false },
        { HS256, """ "sub":"42","channel":"ticket:7","exp":{soon}.5 """, "app", false },
        { HS256, """ "sub":"42","channel":"ticket:7","exp":"{soon}" """, "app", false },
        { HS256, """ "sub":"42","channel":"ticket:7","exp":4000000000 """, "app", false },
        { HS256, """ "sub":"42","channel":"ticket:7","exp":{soon},"nbf":{soon} """, "app", false },
        { HS256, """ "sub":"42","sub":"42","channel":"ticket:7","exp":{soon} """, "app", false },
        { """{"alg":"none"}""", """ "sub":"42","channel":"ticket:7","exp":{soon} """, "app", false },
        { """{"alg":"nOnE"}""", """ "sub":"42","channel":"ticket:7","exp":{soon} """, "", false },
        { """{"alg":"RS256"}""", """ "sub":"42","channel":"ticket:7","exp":{soon} """, "app", false },
    };

    private const string HS256 = """{"alg":"HS256"}""";

    [Theory]
    [MemberData(nameof(Tokens))]
    public async Task A_token_opens_its_channel_for_its_user_over_every_transport(string header, string claims, string signer, bool opens)
    {
        var soon = TimeProvider.System.GetUtcNow().AddMinutes(10).ToUnixTimeSeconds();
        var secret = signer switch { "app" => _server.AppSecret, "auth" => _server.AuthSecret, _ => "" };
        var token = UserToken.Sign(header, $"{{{claims.Replace("{soon}", $"{soon}", StringComparison.Ordinal)}}}", secret);

        await using var socket = await NativeClient.ConnectAsync(_server.Address, _token);
        (await SubscribeAsync(socket, Channel, token)).Text("type").ShouldBe(opens ? "subscribed" : "error");

        using var stream = await SseClient.OpenAsync(_server.Address, _token, Channel, query: $"&tokens={token}");
        stream.Status.ShouldBe(opens ? HttpStatusCode.OK : HttpStatusCode.Forbidden);
        using var poll = new PollClient(_server.Address, _token, Channel, $"&tokens={token}");
        (await poll.PollAsync(timeoutSeconds: 1)).Status.ShouldBe(opens ? HttpStatusCode.OK : HttpStatusCode.Forbidden);
    }

    [Fact]
    public async Task A_subscription_token_is_no_token_of_a_user()
    {
        using var backend = new Backend(_server);
        var ticket = backend.SubscriptionToken(User, Channel);

        await using var socket = await NativeClient.OpenAsync(_server.Address, ticket);
        (await socket.WaitForCloseAsync()).ShouldBe(new WireClose(4401, "invalid_token"));
        using var poll = new PollClient(_server.Address, ticket, "open:a");
        (await poll.PollAsync()).Status.ShouldBe(HttpStatusCode.Unauthorized);
    }

    [Fact]
    public async Task A_token_opens_what_the_rules_do_not_but_never_what_is_anothers_own()
    {
        using var backend = new Backend(_server);
        await using var socket = await NativeClient.ConnectAsync(_server.Address, _token);

        (await SubscribeAsync(socket, "post:elsewhere", null)).Text("code").ShouldBe("forbidden");
        (await SubscribeAsync(socket, "post:elsewhere", backend.SubscriptionToken(User, "post:elsewhere"))).Text("type").ShouldBe("subscribed");
        foreach (var kind in new[] { "feed", "user", "notifications" })
            (await SubscribeAsync(socket, $"{kind}:4", backend.SubscriptionToken("*", $"{kind}:4"))).Text("code").ShouldBe("forbidden", kind);
    }

    [Fact]
    public async Task Tokens_of_streams_belong_to_their_channels()
    {
        using var backend = new Backend(_server);
        var ticket = backend.SubscriptionToken(User, Channel);

        using var poll = new PollClient(_server.Address, _token, $"open:a,{Channel}", $"&tokens=,{ticket}");
        (await poll.PollAsync(timeoutSeconds: 1)).Status.ShouldBe(HttpStatusCode.OK);
        using var swapped = new PollClient(_server.Address, _token, $"open:a,{Channel}", $"&tokens={ticket},");
        (await swapped.PollAsync(timeoutSeconds: 1)).Status.ShouldBe(HttpStatusCode.Forbidden);
        using var few = new PollClient(_server.Address, _token, $"open:a,{Channel}", $"&tokens={ticket}");
        (await few.PollAsync(timeoutSeconds: 1)).Status.ShouldBe(HttpStatusCode.BadRequest);
    }

    [Fact]
    public async Task Whoever_subscribed_with_a_token_reads_the_history_until_the_subscription_ends()
    {
        using var backend = new Backend(_server);
        const string channel = "ticket:history";
        await using var socket = await NativeClient.ConnectAsync(_server.Address, _token);
        await backend.PublishAsync(channel, "before");
        (await HistoryAsync()).Text("code").ShouldBe("forbidden", "not subscribed yet");

        await SubscribeAsync(socket, channel, backend.SubscriptionToken(User, channel));
        (await HistoryAsync()).GetProperty("events").EnumerateArray().Select(happened => happened.Text("id")).ShouldBe(["before"]);

        await backend.PostAsync("/subscriptions/revoke", new { userId = User, channel });
        await socket.WaitForAsync(message => message.IsOfType("unsubscribed"), "the end of the subscription");
        (await HistoryAsync()).Text("code").ShouldBe("forbidden", "not subscribed any more");

        Task<System.Text.Json.JsonElement> HistoryAsync() => socket.RequestAsync(new JsonObject { ["type"] = "history", ["channel"] = channel });
    }

    [Fact]
    public async Task A_subscription_ends_with_its_token_and_goes_on_with_a_new_one()
    {
        using var backend = new Backend(_server);
        const string channel = "ticket:short";
        var ticket = backend.SubscriptionToken(User, channel, TimeSpan.FromSeconds(3));
        await using var socket = await NativeClient.ConnectAsync(_server.Address, _token);
        var subscribed = await SubscribeAsync(socket, channel, ticket);
        using var stream = await SseClient.OpenAsync(_server.Address, _token, channel, query: $"&tokens={ticket}");
        var streamEnds = stream.WaitForAsync(happened => happened.Type == "unsubscribed", "the end of the subscription");
        using var poll = new PollClient(_server.Address, _token, channel, $"&tokens={ticket}");
        await poll.PollAsync();
        var pollEnds = poll.PollAsync();

        (await socket.WaitForAsync(message => message.IsOfType("unsubscribed"), "the end of the subscription")).Text("reason").ShouldBe("token_expired");
        (await streamEnds).Json.Text("reason").ShouldBe("token_expired");
        (await pollEnds).Events.Single().Text("reason").ShouldBe("token_expired");

        await backend.PublishAsync(channel, "missed");
        (await SubscribeAsync(socket, channel, ticket)).Text("code").ShouldBe("forbidden");
        (await poll.PollAsync()).Status.ShouldBe(HttpStatusCode.Forbidden);
        (await SubscribeAsync(socket, channel, backend.SubscriptionToken(User, channel), subscribed.Text("position"))).Text("type").ShouldBe("subscribed");
        await socket.WaitForAsync(message => message.Text("id") == "missed", "what it missed in between");
    }

    private static Task<System.Text.Json.JsonElement> SubscribeAsync(NativeClient socket, string channel, string? token, string? since = null)
    {
        var message = new JsonObject { ["type"] = "subscribe", ["channel"] = channel };
        if (token is not null) message["token"] = token;
        if (since is not null) message["since"] = since;
        return socket.RequestAsync(message);
    }

    /// <summary>A server with a kind that opens by token, where a token's time is over when it says so.</summary>
    public sealed class TicketServer : IAsyncLifetime
    {
        public ServerProcess Server { get; private set; } = null!;

        public async ValueTask InitializeAsync() => Server = await ServerProcess.StartAsync(new ServerSettings
        {
            Settings = new Dictionary<string, string>
            {
                ["Channels:ticket:Access"] = "token",
                ["Channels:open:Access"] = "public",
                ["Channels:room:Access"] = "signed-in",
                ["Auth:ClockSkew"] = "0s",
            },
        });

        public ValueTask DisposeAsync() => Server.DisposeAsync();
    }
}
