using System.Net;
using System.Security.Claims;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Tidings.Library.Tests.Support;
using Tidings.Protocols;
using Tidings.Realtime.Channels;
using Tidings.Realtime.Connections;
using Tidings.Realtime.Tests;
using Tidings.Testing;
using Tidings.Testing.Clients;

namespace Tidings.Library.Tests;

/// <summary>What an app gets from <c>AddTidings</c> and <c>MapTidings</c>, seen from outside and through <see cref="ITidings"/>.</summary>
public sealed class HostAppTests
{
    [Fact]
    public async Task What_the_app_publishes_reaches_a_subscriber_as_its_own_JSON_and_stays_in_the_history()
    {
        await using var app = await HostApp.StartAsync();
        await using var client = await app.ConnectAsync("ann");
        var before = (await client.SubscribeAsync("room:1")).GetProperty("position").GetString()!;

        var published = await app.Tidings.PublishAsync("room:1", "hello", new { FromUser = "bob", Lines = "a\nb" }, id: "e1");

        var received = await client.WaitForAsync(message => message.IsOfType("hello"), "hello");
        received.GetProperty("data").GetRawText().ShouldBe("""{"fromUser":"bob","lines":"a\nb"}""");
        received.Text("id").ShouldBe("e1");
        received.Text("position").ShouldBe(published.Position);

        await using var later = await app.ConnectAsync("cid");
        (await later.SubscribeAsync("room:1", before)).GetProperty("recovered").GetBoolean().ShouldBeTrue();
        await later.WaitForAsync(message => message.IsOfType("hello"), "what was missed");
    }

    [Fact]
    public async Task An_event_of_a_channel_without_history_has_no_position()
    {
        await using var app = await HostApp.StartAsync(tidings => tidings.Channel("cursor", new() { Access = AccessRule.Public, History = 0, SlowReader = SlowReaderPolicy.Latest }));
        (await app.Tidings.PublishAsync("cursor:1", "moved", 7)).Position.ShouldBeNull();
    }

    [Fact]
    public async Task A_history_in_memory_gives_up_what_is_too_old()
    {
        var clock = new ManualClock();
        await using var app = await HostApp.StartAsync(
            static tidings => tidings.Channel("room", new() { Access = AccessRule.Public, HistoryAge = TimeSpan.FromMinutes(1) }).Clients(clients => clients.AllowAnonymous = true),
            services => services.AddSingleton<TimeProvider>(clock));
        var first = await app.Tidings.PublishAsync("room:1", "hello", 1);
        await app.Tidings.PublishAsync("room:1", "hello", 2);
        var isThere = await IsRecoveredAsync();
        isThere.ShouldBeTrue();

        await Eventually.HoldsAsync(
            async () =>
            {
                clock.Advance(TimeSpan.FromMinutes(2)); // longer than a channel without readers stays in memory
                return !await IsRecoveredAsync();
            },
            "the second event is given up");

        async Task<bool> IsRecoveredAsync()
        {
            await using var client = await NativeClient.ConnectAsync(app.Address, token: null);
            return (await client.SubscribeAsync("room:1", first.Position)).GetProperty("recovered").GetBoolean();
        }
    }

    [Fact]
    public async Task A_connection_that_caused_an_event_can_be_left_out()
    {
        await using var app = await HostApp.StartAsync();
        await using var author = await app.ConnectAsync("ann");
        await using var other = await app.ConnectAsync("bob");
        await author.SubscribeAsync("room:1");
        await other.SubscribeAsync("room:1");
        var connectionId = author.Messages[0].Text("connectionId");

        await app.Tidings.PublishAsync("room:1", "first", 1, exceptConnectionId: connectionId);
        await app.Tidings.PublishAsync("room:1", "second", 2);

        await other.WaitForAsync(message => message.IsOfType("first"), "first");
        await author.WaitForAsync(message => message.IsOfType("second"), "second");
        author.EventsOf("room:1", "first").ShouldBeEmpty();
    }

    [Fact]
    public async Task Names_ids_and_data_that_cannot_be_are_refused_with_a_sentence()
    {
        await using var app = await HostApp.StartAsync();
        await Refused(() => app.Tidings.PublishAsync("lobby:1", "hello", 1), "AddTidings");
        await Refused(() => app.Tidings.PublishAsync("room", "hello", 1), "kind:id");
        await Refused(() => app.Tidings.PublishAsync("room:1", "two words", 1), "event's name");
        await Refused(() => app.Tidings.PublishAsync("room:1", "presence_joined", 1), "engine's own");
        await Refused(() => app.Tidings.PublishAsync("room:1", "hello", 1, id: ""), "An id");
        await Refused(() => app.Tidings.PublishAsync("room:1", "hello", new string('x', 65 * 1024)), "65536 bytes");

        static async Task Refused(Func<ValueTask<PublishedEvent>> publish, string sentence) =>
            (await Should.ThrowAsync<ArgumentException>(async () => await publish())).Message.ShouldContain(sentence);
    }

    [Fact]
    public async Task Whom_the_apps_authentication_accepts_may_connect_until_the_ticket_ends_and_nobody_else()
    {
        await using var app = await HostApp.StartAsync();
        var token = await app.SignInAsync("ann");

        await using var byHeader = await NativeClient.ConnectAsync(app.Address, token);
        byHeader.Messages[0].Text("userId").ShouldBe("ann");
        byHeader.Messages[0].Text("expiresAt").ShouldNotBeNull();
        await using var byQuery = await NativeClient.ConnectAsync(app.Address, null, $"token={Uri.EscapeDataString(token)}");
        byQuery.Messages[0].Text("userId").ShouldBe("ann");

        await using var stranger = await NativeClient.OpenAsync(app.Address, "made-up");
        (await stranger.WaitForCloseAsync()).ShouldBe(new WireClose(4401, "invalid_token"));

        var renewed = await byHeader.RequestAsync(new JsonObject { ["type"] = "auth", ["token"] = await app.SignInAsync("ann") });
        renewed.IsOfType("authenticated").ShouldBeTrue(renewed.ToString());
    }

    [Fact]
    public async Task The_rule_and_the_delegate_of_a_kind_must_both_allow_it()
    {
        await using var app = await HostApp.StartAsync(tidings => tidings
            .Channel("staff", new() { Access = AccessRule.SignedIn }, (client, channel) => client.Principal!.IsInRole("staff") && channel.Id != "closed")
            .Channel("inbox", new() { Access = AccessRule.Owner })
            .Channel("slow", new(), async (client, _) =>
            {
                await Task.Yield();
                return client.UserId == "ann";
            }));
        await using var ann = await app.ConnectAsync("ann", "staff");
        await using var bob = await app.ConnectAsync("bob");

        await ann.SubscribeAsync("staff:1");
        await ann.SubscribeAsync("inbox:ann");
        await ann.SubscribeAsync("slow:1");
        await Forbidden(ann, "staff:closed");
        await Forbidden(ann, "inbox:bob");
        await Forbidden(bob, "staff:1");
        await Forbidden(bob, "slow:1");

        static async Task Forbidden(NativeClient client, string channel) => (await client.TrySubscribeAsync(channel)).Text("code").ShouldBe("forbidden");
    }

    [Fact]
    public async Task An_authorizer_and_an_authenticator_of_the_apps_own_replace_ours()
    {
        await using var app = await HostApp.StartAsync(
            static tidings => tidings.Channel("room", new()),
            static services => services.AddSingleton<IChannelAuthorizer, OnlyRoomOne>().AddSingleton<IConnectionAuthenticator, NameIsToken>());
        await using var client = await NativeClient.ConnectAsync(app.Address, "zoe");

        await client.SubscribeAsync("room:1");
        (await client.TrySubscribeAsync("room:2")).Text("code").ShouldBe("forbidden");
    }

    [Fact]
    public async Task Presence_revocation_and_disconnection_are_within_reach()
    {
        await using var app = await HostApp.StartAsync(static tidings => tidings.Channel("room", new() { Access = AccessRule.SignedIn, Presence = PresenceRule.Always }));
        await using var ann = await app.ConnectAsync("ann");
        await using var bob = await app.ConnectAsync("bob");
        await ann.SubscribeAsync("room:1");
        await bob.SubscribeAsync("room:1");

        await Eventually.HoldsAsync(async () => (await app.Tidings.ReadPresenceAsync("room:1")).Count == 2, "two members");
        (await app.Tidings.ReadPresenceAsync("room:1")).Members.Select(member => member.UserId).ShouldBe(["ann", "bob"], ignoreOrder: true);
        (await app.Tidings.CountSubscribersAsync("room:1")).ShouldBe(2);
        app.Tidings.ConnectionCount.ShouldBe(2);

        (await app.Tidings.RevokeAsync("room:1", "ann")).ShouldBe(1);
        (await ann.WaitForAsync(message => message.IsOfType("unsubscribed"), "unsubscribed")).Text("reason").ShouldBe("access_revoked");
        app.Tidings.Disconnect("bob").ShouldBe(1);
        (await bob.WaitForCloseAsync()).ShouldBe(new WireClose(4403, "disconnected"));
    }

    [Fact]
    public async Task When_the_app_stops_its_clients_are_told_when_to_come_back()
    {
        await using var app = await HostApp.StartAsync();
        await using var client = await app.ConnectAsync("ann");

        var stopping = app.StopAsync();

        var close = await client.WaitForCloseAsync();
        close.Code.ShouldBe(1001);
        close.Reason.ShouldStartWith("retry=");
        await stopping.WaitAsync(TimeSpan.FromSeconds(10));
    }

    [Fact]
    public async Task What_the_app_asks_of_the_endpoints_holds_for_all_three()
    {
        await using var app = await HostApp.StartAsync(map: static app => app.MapTidings().RequireAuthorization());
        foreach (var path in (string[])["/ws", "/sse?channels=room:1", "/poll?channels=room:1"])
        {
            using var answer = await app.Http.GetAsync(new Uri(path, UriKind.Relative));
            answer.StatusCode.ShouldBe(HttpStatusCode.Unauthorized, path);
        }

        await using var client = await app.ConnectAsync("ann");
    }

    [Fact]
    public async Task The_endpoints_can_be_in_a_group()
    {
        await using var app = await HostApp.StartAsync(map: static app => app.MapGroup("/live").MapTidings());
        using var inside = await app.Http.GetAsync(new Uri("/live/ws", UriKind.Relative));
        inside.StatusCode.ShouldBe(HttpStatusCode.UpgradeRequired);
        using var outside = await app.Http.GetAsync(new Uri("/ws", UriKind.Relative));
        outside.StatusCode.ShouldBe(HttpStatusCode.NotFound);
    }

    [Fact]
    public async Task Mapping_without_adding_is_refused_with_a_sentence()
    {
        await using var app = WebApplication.CreateSlimBuilder().Build();
        Should.Throw<InvalidOperationException>(() => app.MapTidings()).Message.ShouldContain("AddTidings");
    }

    [Theory]
    [MemberData(nameof(Mistakes))]
    public async Task A_mistake_stops_the_app_at_start_with_a_sentence(Action<TidingsBuilder> configure, string sentence)
    {
        var refusal = await Should.ThrowAsync<Exception>(() => HostApp.StartAsync(configure));
        refusal.Message.ShouldContain(sentence);
    }

    public static TheoryData<Action<TidingsBuilder>, string> Mistakes => new()
    {
        { static _ => { }, "There is no kind of channels" },
        { static tidings => tidings.Channel("Room", new() { Access = AccessRule.Public }), "is not a channel kind" },
        { static tidings => tidings.Channel("room", new()), "Nobody could subscribe" },
        { static tidings => tidings.Channel("room", new() { Access = AccessRule.Token }), "IChannelAuthorizer" },
        { static tidings => tidings.Channel("room", new()).Channel("room", new()), "was added before" },
        { static tidings => tidings.Channel("room", new() { Access = AccessRule.Public, SlowReader = SlowReaderPolicy.Latest }), "a slow reader must be cut" },
        { static tidings => tidings.Channel("room", new() { Access = AccessRule.Public }).Limits = new() { ConnectionsPerUser = 0 }, "Limits.ConnectionsPerUser" },
        { static tidings => tidings.Channel("room", new() { Access = AccessRule.Public }).Limits = new() { OnlineChannel = new ChannelName("room", "all") }, "with Presence" },
        { static tidings => tidings.Channel("room", new() { Access = AccessRule.Public }).Clients(clients => clients.AllowedOrigins.Add("*")), "allowed origin" },
    };

    private sealed class OnlyRoomOne : IChannelAuthorizer
    {
        public ValueTask<ChannelGrant> AuthorizeAsync(ClientIdentity identity, ChannelName channel, string? token, CancellationToken cancellationToken) =>
            ValueTask.FromResult(channel.Value == "room:1" ? ChannelGrant.Open : ChannelGrant.Denied);
    }

    private sealed class NameIsToken : IConnectionAuthenticator
    {
        public ValueTask<TokenVerdict> AuthenticateAsync(string token, CancellationToken cancellationToken) =>
            ValueTask.FromResult(new TokenVerdict(new ClientIdentity(token, null)));
    }
}
