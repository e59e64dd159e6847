using System.Net;
using System.Text.Json.Nodes;
using Tidings.Testing.Clients;
using Tidings.Testing.Servers;

namespace Tidings.Faults.Tests;

/// <summary>
/// Nobody reads what is another's, however its name is spelled and over whatever transport. User 42 owns the channels, user 4 tries: a
/// server that looks for "4" in a name lets them in.
/// </summary>
public sealed class ChannelAuthorizationTests(RunningServer running) : IClassFixture<RunningServer>
{
    private const string Owner = "42";
    private static readonly string[] Kinds = ["feed", "user", "notifications"];
    private static readonly string[] Refusals = ["forbidden", "bad_request", "unknown_channel"];

    private readonly ServerProcess _server = running.Server;

    /// <summary>Who tries: a part of the owner's id, the owner's id as a part, and nobody.</summary>
    public static TheoryData<string?> Others { get; } = new("4", "2", "420", "142", "4 2", "42 ", "42:42", null);

    [Theory]
    [MemberData(nameof(Others))]
    public async Task Nobody_subscribes_to_another_over_a_websocket_in_any_spelling(string? other)
    {
        using var owner = await Account.OfHostAsync(_server, Owner);
        await using var client = await ConnectAsAsync(other);
        if (client is null) return;

        foreach (var channel in Kinds.SelectMany(kind => Names(kind).Concat(Objects(kind))))
        {
            var answer = await client.TrySubscribeAsync(channel);
            answer.Text("type").ShouldBe("error", channel.ToJsonString());
            Refusals.ShouldContain(answer.Text("code"), channel.ToJsonString());
        }

        foreach (var kind in Kinds)
        {
            foreach (var type in new[] { "history", "presence" })
                (await client.RequestAsync(new JsonObject { ["type"] = type, ["channel"] = $"{kind}:{Owner}" })).Text("type").ShouldBe("error", $"{type} {kind}");
            (await client.RequestAsync(new JsonObject { ["type"] = "publish", ["channel"] = $"{kind}:{Owner}", ["event"] = "typing", ["data"] = new JsonObject() }))
                .Text("type").ShouldBe("error", $"publish {kind}");
        }

        await owner.PostAsync("nobody else's business");
        await client.RequestAsync(new JsonObject { ["type"] = "ping" });
        client.Messages.ShouldNotContain(message => message.IsEvent());
    }

    [Theory]
    [MemberData(nameof(Others))]
    public async Task Nobody_subscribes_to_another_over_an_event_stream_or_by_polling_in_any_spelling(string? other)
    {
        var token = other is null ? null : UserToken.For(other, _server.AuthSecret);
        foreach (var name in Kinds.SelectMany(Names).Select(name => name.GetValue<string>()))
        {
            using var stream = await SseClient.OpenAsync(_server.Address, token, name);
            HttpStatusCode[] refusals = [HttpStatusCode.Forbidden, HttpStatusCode.BadRequest, HttpStatusCode.NotFound, HttpStatusCode.Unauthorized];
            refusals.ShouldContain(stream.Status, $"sse {name}");
            using var poll = new PollClient(_server.Address, token, name);
            refusals.ShouldContain((await poll.PollAsync(timeoutSeconds: 1)).Status, $"poll {name}");
        }
    }

    [Fact]
    public async Task The_owner_subscribes_in_every_spelling_that_is_documented()
    {
        foreach (var kind in Kinds)
        {
            foreach (var channel in ValidNames(kind).Concat(Objects(kind)))
            {
                await using var client = await NativeClient.ConnectAsync(_server.Address, UserToken.For(Owner, _server.AuthSecret));
                (await client.TrySubscribeAsync(channel)).Text("type").ShouldBe("subscribed", channel.ToJsonString());
            }

            foreach (var name in ValidNames(kind).Select(name => name.GetValue<string>()))
            {
                using var stream = await SseClient.OpenAsync(_server.Address, UserToken.For(Owner, _server.AuthSecret), name);
                stream.Status.ShouldBe(HttpStatusCode.OK, name);
                using var poll = new PollClient(_server.Address, UserToken.For(Owner, _server.AuthSecret), name);
                (await poll.PollAsync(timeoutSeconds: 0)).Status.ShouldBe(HttpStatusCode.OK, name);
            }
        }
    }

    [Fact]
    public async Task One_refused_channel_refuses_the_whole_first_request()
    {
        var channels = $"feed:4,feed:{Owner}";
        var token = UserToken.For("4", _server.AuthSecret);

        using var stream = await SseClient.OpenAsync(_server.Address, token, channels);
        using var poll = new PollClient(_server.Address, token, channels);

        stream.Status.ShouldBe(HttpStatusCode.Forbidden);
        (await poll.PollAsync()).Status.ShouldBe(HttpStatusCode.Forbidden);
    }

    [Fact]
    public async Task A_place_that_somebody_else_was_given_opens_nothing()
    {
        using var owner = await Account.OfHostAsync(_server, Owner);
        using var poll = new PollClient(_server.Address, owner.Token, owner.Feed);
        await poll.PollAsync(timeoutSeconds: 0);
        var secret = $"only for {Owner} {Guid.NewGuid()}";
        await owner.PostAsync(secret);

        // A resume drops what is not the reader's and goes on with the rest.
        using var thief = new PollClient(_server.Address, UserToken.For("4", _server.AuthSecret), $"{owner.Feed},feed:4") { Since = poll.Since };
        for (var attempt = 0; attempt < 3; attempt++) (await thief.PollAsync(timeoutSeconds: 1)).Body.GetRawText().ShouldNotContain(secret);

        using var stream = await SseClient.OpenAsync(_server.Address, UserToken.For("4", _server.AuthSecret), $"{owner.Feed},feed:4", poll.Since);
        if (stream.Status == HttpStatusCode.OK) await NothingButFarewellsAsync(stream, secret);

        (await poll.PollAsync()).Events.Select(happened => happened.PostText()).ShouldContain(secret, "the owner's own resume has it");
    }

    private static async Task NothingButFarewellsAsync(SseClient stream, string secret)
    {
        using var enough = new CancellationTokenSource(TimeSpan.FromSeconds(1));
        try
        {
            await foreach (var happened in stream.ReadAsync(enough.Token)) happened.Data.ShouldNotContain(secret);
        }
        catch (OperationCanceledException)
        {
            // It had a second to leak.
        }
    }

    /// <summary>Null if already the handshake says no.</summary>
    private async Task<NativeClient?> ConnectAsAsync(string? userId)
    {
        var client = await NativeClient.OpenAsync(_server.Address, userId is null ? null : UserToken.For(userId, _server.AuthSecret));
        try
        {
            await client.WaitForAsync(message => message.IsOfType("connected"), "connected", TimeSpan.FromSeconds(12));
            return client;
        }
        catch (ConnectionEndedException ended)
        {
            ended.Close.Code.ShouldBe(4401);
            await client.DisposeAsync();
            return null;
        }
    }

    private static IEnumerable<JsonNode> ValidNames(string kind) =>
        Texts([$"{kind}:{Owner}", $"{kind}_{Owner}", $"private-{kind}-{Owner}", $"presence-{kind}-{Owner}"]);

    /// <summary>The documented spellings, and everything that some parser somewhere has taken for one of them.</summary>
    private static IEnumerable<JsonNode> Names(string kind) => ValidNames(kind).Concat(Texts(
    [
        $"{kind}-{Owner}", $"{kind}::{Owner}", $":{kind}:{Owner}", $"{kind}:{Owner}:", $"{kind}:{Owner}:4", $"{kind}:4:{Owner}", $"{kind}:{Owner}/", $"{kind}:../{kind}:{Owner}",
        $"{kind.ToUpperInvariant()}:{Owner}", $"{kind}: {Owner}", $"{kind}:{Owner} ", $" {kind}:{Owner}", $"{kind}:{Owner}\n", $"{kind}:{Owner}\0", $"{kind}\0:{Owner}",
        $"{kind}:%34%32", $"{kind}%3A{Owner}", $"{kind}:\uFF14\uFF12", $"{kind}:4\u200B2", $"{kind}:*", $"{kind}:", $"{kind}", $"{kind}:4,{kind}:{Owner}", $"{kind}:4|{Owner}", $"{kind}:4-{Owner}",
        $"{kind}:user-{Owner}", $"{kind}_4_{Owner}", $"private-{kind}-4-{Owner}", $"private-{kind}:{Owner}", $"presence-{kind}_{Owner}", $"private-private-{kind}-{Owner}",
        $"private-{kind}-{Owner}-4", $"private_{kind}_{Owner}", $"Private-{kind}-{Owner}", $"private-encrypted-{kind}-{Owner}", $"/{kind}:{Owner}", $"{kind}:{new string('4', 200)}{Owner}",
    ]));

    private static IEnumerable<JsonNode> Objects(string kind) =>
        new[] { "userId", "creatorId", "postId", "id" }.Select(field => (JsonNode)new JsonObject { ["type"] = kind, [field] = Owner });

    private static IEnumerable<JsonNode> Texts(string[] names) => names.Select(name => (JsonNode)JsonValue.Create(name));
}
