using Shouldly;
using Tidings.Protocols.Pusher;
using Tidings.Protocols.Tests.Support;
using Tidings.Realtime;
using Tidings.Realtime.Channels;
using Tidings.Realtime.Connections;
using Tidings.Realtime.Presence;
using Xunit;
using static Tidings.Protocols.Tests.Pusher.PusherClient;

namespace Tidings.Protocols.Tests.Pusher;

/// <summary>What a Pusher client may have, and what it is told.</summary>
public sealed class PusherSessionTests
{
    private static readonly RealtimeOptions Options = new() { Shards = 2 };

    [Fact]
    public async Task A_channel_of_ours_takes_a_signature_and_the_right_to_read_it()
    {
        await using var server = await StartServerAsync(Options);
        await using var client = await ConnectAsync(server);

        (await client.SubscribeAsync("private-user-42", """{"user_id":"42"}""")).ShouldBe(Succeeded("private-user-42"));
        (await client.SubscribeAsync("private-user-4", """{"user_id":"42"}""")).ShouldBe(Refused("private-user-4", "AuthError", "You may not subscribe to this channel.", 403));
        (await client.SubscribeAsync("private-feed-4", """{"user_id":"4"}""")).ShouldBe(Refused("private-feed-4", "AuthError", "The connection is another user's.", 403));
        server.Engine.ConnectionsOf("42").Count().ShouldBe(1);
        server.Engine.ConnectionsOf("4").ShouldBeEmpty();
    }

    [Fact]
    public async Task A_signature_without_a_user_opens_no_channel_that_is_somebodys()
    {
        await using var server = await StartServerAsync(Options);
        await using var client = await ConnectAsync(server);
        (await client.SubscribeAsync("private-user-42")).ShouldBe(Refused("private-user-42", "AuthError", "You may not subscribe to this channel.", 403));
        (await client.AskAsync(Subscription("user_42", ""))).ShouldBe(Refused("user_42", "AuthError", "You may not subscribe to this channel.", 403));
        (await client.AskAsync(Subscription("open_1", ""))).ShouldBe(Succeeded("open_1"));
    }

    [Fact]
    public async Task Who_has_signed_in_needs_no_name_in_the_signature()
    {
        await using var server = await StartServerAsync(Options);
        await using var client = await ConnectAsync(server);
        (await client.SignInAsync("""{"id":"42","user_info":{"name":"é"}}"""))
            .ShouldBe("""{"event":"pusher:signin_success","data":"{\"user_data\":\"{\\\"id\\\":\\\"42\\\",\\\"user_info\\\":{\\\"name\\\":\\\"é\\\"}}\"}"}""");
        (await client.SubscribeAsync("private-user-42")).ShouldBe(Succeeded("private-user-42"));
        (await client.AskAsync(Subscription("#server-to-user-42", ""))).ShouldBe(Succeeded("#server-to-user-42"));
        (await client.AskAsync(Subscription("#server-to-user-4", ""))).ShouldBe(Refused("#server-to-user-4", "AuthError", "You may not subscribe to this channel.", 403));
        (await client.SignInAsync("""{"id":"4"}""")).ShouldBe(Error("The connection is signed in as another user.", "4009"));
        (await client.SignInAsync("""{"id":4}""")).ShouldBe(Error("user_data must be an object with the id of a user.", "4009"));
    }

    [Fact]
    public async Task A_token_in_the_handshake_says_who_it_is()
    {
        await using var server = await StartServerAsync(Options);
        await using var client = await ConnectAsync(server, "?protocol=7&token=42");
        (await client.AskAsync(Subscription("user_42", ""))).ShouldBe(Succeeded("user_42"));
        (await client.SubscribeAsync("private-feed-42")).ShouldBe(Succeeded("private-feed-42"));
    }

    [Fact]
    public async Task An_event_of_ours_is_the_text_of_the_flat_object_under_the_name_as_subscribed()
    {
        await using var server = await StartServerAsync(Options);
        await using var client = await ConnectAsync(server);
        await client.SubscribeAsync("private-feed-42", """{"user_id":"42"}""");
        await client.SubscribeAsync("private-creator-of-42", """{"user_id":"42"}""");

        var published = await server.PublishAsync("creator:of-42", "post_created", """{"post":{"text":"a \"b\" é"}}""");

        var (feed, own) = (await client.ReceiveAsync(), await client.ReceiveAsync());
        if (own.Contains("private-feed-42", StringComparison.Ordinal)) (feed, own) = (own, feed);
        var time = published.Draft.Timestamp.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss.fff'Z'", System.Globalization.CultureInfo.InvariantCulture);
        string Expected(string canonical, Realtime.Publications.Position position, string spelled) =>
            "{\"event\":\"post_created\",\"data\":\"{\\\"type\\\":\\\"post_created\\\",\\\"channel\\\":\\\"" + canonical + "\\\",\\\"position\\\":\\\"" + position
            + "\\\",\\\"id\\\":\\\"" + published.Draft.Id + "\\\",\\\"timestamp\\\":\\\"" + time
            + "\\\",\\\"post\\\":{\\\"text\\\":\\\"a \\\\\\\"b\\\\\\\" é\\\"}}\",\"channel\":\"" + spelled + "\"}";
        own.ShouldBe(Expected("creator:of-42", published.Position, "private-creator-of-42"));
        feed.ShouldBe(Expected("feed:42", published.FeedPosition, "private-feed-42"));
    }

    [Fact]
    public async Task A_channel_that_is_taken_away_is_told_of_under_its_own_name()
    {
        await using var server = await StartServerAsync(Options);
        await using var client = await ConnectAsync(server);
        await client.SubscribeAsync("private-post-7", """{"user_id":"42"}""");

        await server.Engine.RevokeAsync(new ChannelName("post", "7"), "42");

        (await client.ReceiveAsync()).ShouldBe(Refused("private-post-7", "AuthError", "access_revoked", 403));
    }

    [Fact]
    public async Task A_signature_from_before_opens_a_channel_no_more_that_was_taken_away()
    {
        await using var server = await StartServerAsync(Options);
        await using var client = await ConnectAsync(server);
        await client.SubscribeAsync("private-orders");
        await server.Engine.RevokeAsync(ChannelName.Foreign("private-orders"), null);
        (await client.ReceiveAsync()).ShouldBe(Refused("private-orders", "AuthError", "access_revoked", 403));
        (await client.SubscribeAsync("private-orders")).ShouldBe(Refused("private-orders", "AuthError", "You may not subscribe to this channel.", 403));

        await using var anew = await ConnectAsync(server);
        (await anew.SubscribeAsync("private-orders")).ShouldBe(Succeeded("private-orders"));
    }

    [Fact]
    public async Task A_kind_that_takes_a_token_of_the_hosts_takes_its_signature()
    {
        await using var server = await StartServerAsync(Options);
        await using var client = await ConnectAsync(server);
        (await client.AskAsync(Subscription("vault_1", ""))).ShouldBe(Refused("vault_1", "AuthError", "You may not subscribe to this channel.", 403));
        (await client.AskAsync(Subscription("private-vault-1", "key:00"))).ShouldBe(Refused("private-vault-1", "AuthError", "The signature is not of this connection and channel.", 401));
        (await client.SubscribeAsync("private-vault-1")).ShouldBe(Succeeded("private-vault-1"));
        await server.PublishAsync("vault:1", "opened", "7");
        (await client.ReceiveAsync()).ShouldBe("""{"event":"opened","data":"7","channel":"private-vault-1"}""");

        await server.Engine.RevokeAsync(new ChannelName("vault", "1"), null);
        (await client.ReceiveAsync()).ShouldBe(Refused("private-vault-1", "AuthError", "access_revoked", 403));
        (await client.SubscribeAsync("private-vault-1")).ShouldBe(Refused("private-vault-1", "AuthError", "You may not subscribe to this channel.", 403));
    }

    [Fact]
    public async Task A_further_pair_of_key_and_secret_is_taken_and_no_mixture()
    {
        var old = new PusherApp("app", "old-key", "old-secret");
        await using var server = await StartServerAsync(Options, new PusherApp("app", "key", "secret") { OtherPairs = [old] });
        await using var client = await ConnectAsync(server, key: "old-key");

        (await client.AskAsync(Subscription("private-a", PusherSignature.Sign(old, PusherSignature.OfChannel(client.SocketId, "private-a", null))))).ShouldBe(Succeeded("private-a"));
        (await client.SubscribeAsync("private-b")).ShouldBe(Succeeded("private-b"), "with the first pair");
        var mixed = "old-key:" + PusherSignature.Digest(App, PusherSignature.OfChannel(client.SocketId, "private-c", null));
        (await client.AskAsync(Subscription("private-c", mixed))).ShouldBe(Refused("private-c", "AuthError", "The signature is not of this connection and channel.", 401));
        await using var stranger = await TestSocket.RequestAsync(server, "/app/old-key2?protocol=7");
        (await stranger.ReadCloseAsync()).ShouldStartWith("4001");
    }

    [Fact]
    public async Task What_is_taken_from_a_member_ends_whose_member_it_is_whoever_has_signed_in()
    {
        await using var server = await StartServerAsync(Options);
        await using var ten = await ConnectAsync(server);
        await using var eleven = await ConnectAsync(server);
        await ten.SubscribeAsync("presence-office", """{"user_id":"10"}""");
        await eleven.SubscribeAsync("presence-office", """{"user_id":"11"}""");
        (await ten.ReceiveAsync()).ShouldContain("member_added");

        (await server.Engine.RevokeAsync(ChannelName.Foreign("presence-office"), "10")).ShouldBe(1);

        (await ten.ReceiveAsync()).ShouldBe(Refused("presence-office", "AuthError", "access_revoked", 403));
        (await eleven.AskAsync("""{"event":"pusher:ping"}""")).ShouldBe("""{"event":"pusher:pong","data":"{}"}""");
    }

    [Fact]
    public async Task A_subscription_that_fails_half_way_can_be_asked_for_again()
    {
        var members = new FailingMembers();
        await using var server = await StartServerAsync(Options, presence: members);
        await using var client = await ConnectAsync(server);
        members.IsFailing = true;
        (await client.SubscribeAsync("presence-club-1", """{"user_id":"42"}""")).ShouldBe(Refused("presence-club-1", "ServerError", "The server could not subscribe you now.", 500));
        members.IsFailing = false;
        (await client.SubscribeAsync("presence-club-1", """{"user_id":"42"}""")).ShouldContain("subscription_succeeded");
    }

    /// <summary>Members that can't be listed for a while.</summary>
    private sealed class FailingMembers : IPresenceStore
    {
        private readonly MemoryPresenceStore _members = new(TimeProvider.System);

        public bool IsFailing { get; set; }

        public ValueTask<PresenceChange> PutAsync(ChannelName channel, PresenceMember member, string node, TimeSpan lifetime, CancellationToken cancellationToken) =>
            _members.PutAsync(channel, member, node, lifetime, cancellationToken);

        public ValueTask<PresenceChange> RemoveAsync(ChannelName channel, string userId, string node, CancellationToken cancellationToken) =>
            _members.RemoveAsync(channel, userId, node, cancellationToken);

        public ValueTask<bool> RenewAsync(string node, TimeSpan lifetime, CancellationToken cancellationToken) => _members.RenewAsync(node, lifetime, cancellationToken);

        public ValueTask<PresenceList> ListAsync(ChannelName channel, int limit, CancellationToken cancellationToken) =>
            IsFailing ? throw new IOException("The store is out of reach.") : _members.ListAsync(channel, limit, cancellationToken);

        public ValueTask<IReadOnlySet<string>> FindAsync(ChannelName channel, IReadOnlyCollection<string> userIds, CancellationToken cancellationToken) =>
            _members.FindAsync(channel, userIds, cancellationToken);

        public ValueTask<IReadOnlyList<ExpiredMember>> TakeExpiredAsync(CancellationToken cancellationToken) => _members.TakeExpiredAsync(cancellationToken);
    }

    [Fact]
    public async Task A_user_who_is_sent_away_hears_a_code_of_which_clients_stay_away()
    {
        await using var server = await StartServerAsync(Options);
        await using var client = await ConnectAsync(server);
        await client.SignInAsync("""{"id":"42"}""");
        server.Engine.Disconnect("42", null, CloseReason.Disconnected);
        (await client.Socket.ReadCloseAsync()).ShouldBe("4009 disconnected");
    }

    [Fact]
    public async Task A_server_that_stops_says_come_back_after_a_second()
    {
        await using var server = await StartServerAsync(Options);
        await using var client = await ConnectAsync(server);
        var draining = server.Engine.DrainAsync(CancellationToken.None);
        (await client.Socket.ReadCloseAsync()).ShouldBe("4100 The server is going away");
        await draining;
    }

    [Fact]
    public async Task A_client_that_says_nothing_is_pinged_and_closed_with_4201()
    {
        await using var server = await StartServerAsync(Options with { HeartbeatInterval = TimeSpan.FromSeconds(1), PongTimeout = TimeSpan.FromSeconds(1) });
        await using var client = await ConnectAsync(server);
        (await client.Socket.ReadCloseAsync()).ShouldBe("4201 no_pong");
    }

    [Theory]
    [InlineData(null)]
    [InlineData("orders")]
    public async Task Where_strangers_may_not_stay_who_shows_nothing_is_closed_with_4009(string? publicChannel)
    {
        await using var server = await StartServerAsync(Options, OnlyForKnown);
        await using var client = await ConnectAsync(server);
        if (publicChannel is not null) (await client.AskAsync(Subscription(publicChannel, ""))).ShouldBe(Succeeded(publicChannel));
        (await client.Socket.ReadCloseAsync()).ShouldBe("4009 Connection not authorized");
    }

    [Theory]
    [InlineData("a sign-in")]
    [InlineData("a signature")]
    [InlineData("a token")]
    public async Task Where_strangers_may_not_stay_who_shows_something_does(string what)
    {
        await using var server = await StartServerAsync(Options, OnlyForKnown);
        await using var client = await ConnectAsync(server, what == "a token" ? "?protocol=7&token=user-42" : "?protocol=7");
        if (what == "a sign-in") await client.SignInAsync("""{"id":"42"}""");
        if (what == "a signature") await client.SubscribeAsync("private-orders");
        await using var stranger = await ConnectAsync(server);

        (await stranger.Socket.ReadCloseAsync()).ShouldBe("4009 Connection not authorized"); // by now the first has been looked at
        (await client.AskAsync("""{"event":"pusher:ping"}""")).ShouldBe("""{"event":"pusher:pong","data":"{}"}""");
    }

    private static PusherApp OnlyForKnown => new("app", "key", "secret") { TakesStrangers = false, StrangersStay = TimeSpan.FromMilliseconds(400) };

    [Fact]
    public async Task A_binary_message_ends_the_connection()
    {
        await using var server = await StartServerAsync(Options);
        await using var client = await ConnectAsync(server);
        await client.Socket.SendAsync(ClientFrames.Of(Protocols.WebSockets.FrameOpcode.Binary, [1, 2]));
        (await client.Socket.ReadCloseAsync()).ShouldBe("1003 binary_not_supported");
    }

    [Fact]
    public async Task A_channel_is_subscribed_once()
    {
        await using var server = await StartServerAsync(Options);
        await using var client = await ConnectAsync(server);
        (await client.AskAsync(Subscription("a", ""))).ShouldBe(Succeeded("a"));
        (await client.AskAsync(Subscription("a", ""))).ShouldBe(Error("Existing subscription to channel a"));
        await client.SendAsync("""{"event":"pusher:unsubscribe","data":{"channel":"a"}}""");
        (await client.AskAsync(Subscription("a", ""))).ShouldBe(Succeeded("a"));
    }

    [Fact]
    public async Task More_messages_than_the_rate_are_taken_later_and_none_is_lost()
    {
        await using var server = await StartServerAsync(Options with { MessagesPerSecond = 20, MessageBurst = 5 });
        await using var client = await ConnectAsync(server);
        for (var number = 0; number < 20; number++) await client.SendAsync(Subscription($"a{number}", ""));
        for (var number = 0; number < 20; number++) (await client.ReceiveAsync()).ShouldBe(Succeeded($"a{number}"));
    }

    [Fact]
    public async Task The_channel_of_everybody_comes_unasked_and_can_be_asked_for()
    {
        await using var server = await TestServer.StartAsync(Options, catalog: Catalogs.WithBroadcast, services: services => services.AddTidingsPusher(_ => App));
        await using var client = await ConnectAsync(server);
        await Eventually.IsTrueAsync(async () => await server.Engine.CountSubscribersAsync(new ChannelName("broadcast", "all")) == 1, "nobody reads it");
        await server.PublishAsync("broadcast:all", "news", """{"n":1}""");
        (await client.ReceiveAsync()).ShouldBe("""{"event":"news","data":"{\"n\":1}","channel":"broadcast_all"}""");

        (await client.AskAsync(Subscription("broadcast_all", ""))).ShouldBe(Succeeded("broadcast_all"));
        await server.PublishAsync("broadcast:all", "news", """{"n":2}""");
        (await client.ReceiveAsync()).ShouldBe("""{"event":"news","data":"{\"n\":2}","channel":"broadcast_all"}""");
    }
}
