using Tidings.Realtime.Commands;
using Tidings.Realtime.Connections;

namespace Tidings.Realtime.Tests;

/// <summary>Connections that become a user's after they were opened, and so may be on another shard than the user's others.</summary>
public sealed class IdentificationTests
{
    private static readonly RealtimeOptions Options = new() { Shards = 2, HeartbeatInterval = TimeSpan.FromHours(10) };

    private readonly ManualClock _clock = new();

    [Fact]
    public async Task A_user_with_connections_on_two_shards_is_one_member_until_the_last_is_gone()
    {
        await using var host = await EngineHost.StartAsync(Options, _clock);
        var alice = host.Connect("alice");
        await alice.SubscribeAsync("club:1");
        var atHome = host.Connect("bob");
        await atHome.SubscribeAsync("club:1");
        var away = await IdentifiedAwayAsync(host, "bob");
        await away.SubscribeAsync("club:1");

        await atHome.LeaveAsync();
        _clock.Advance(TimeSpan.FromSeconds(20));
        await host.HasMembersAsync("club:1", 2);
        await away.AskWhoAsync("club:1");
        await away.SeesAsync("presence club:1 2: alice,bob");

        await away.LeaveAsync();
        await Eventually(() =>
        {
            _clock.Advance(TimeSpan.FromSeconds(2));
            return Told(alice, "presence_left") == 1;
        });
        Told(alice, "presence_joined").ShouldBe(1);
        await host.HasMembersAsync("club:1", 1);
    }

    [Fact]
    public async Task A_feed_is_the_same_on_both_shards_and_follows_its_sources()
    {
        await using var host = await EngineHost.StartAsync(Options, _clock);
        var atHome = host.Connect("bob");
        await atHome.SubscribeAsync("feed:bob");
        var away = await IdentifiedAwayAsync(host, "bob");
        await away.SubscribeAsync("feed:bob");

        await host.FollowAsync("bob", "ada");
        await host.PublishAsync("creator:ada", "first");
        await host.UnfollowAsync("bob", "ada");
        await host.PublishAsync("creator:ada", "unseen");
        await host.PublishAsync("feed:bob", "last");

        string[] seen = ["follow-ada", "first", "unfollow-ada", "last"];
        await atHome.SeesEventsAsync("feed:bob", seen);
        await away.SeesEventsAsync("feed:bob", seen);
    }

    [Fact]
    public async Task A_user_who_types_on_two_shards_is_told_of_once_a_second()
    {
        await using var host = await EngineHost.StartAsync(Options, _clock);
        var (reader, atHome) = (host.Connect("alice"), host.Connect("bob"));
        var away = await IdentifiedAwayAsync(host, "bob");
        foreach (var client in (TestClient[])[reader, atHome, away]) await client.SubscribeAsync("post:7");

        await atHome.HandleAsync(new PublishCommand(2, EngineHost.Name("post:7"), "typing", "{}"u8.ToArray()));
        await away.HandleAsync(new PublishCommand(2, EngineHost.Name("post:7"), "typing", "{}"u8.ToArray()));
        await host.PublishAsync("post:7", "end");

        await reader.SeesEventsAsync("post:7", "typing", "end");
    }

    [Fact]
    public async Task What_is_taken_from_a_user_is_taken_from_a_connection_that_signed_in_later()
    {
        await using var host = await EngineHost.StartAsync(Options, _clock);
        var away = await IdentifiedAwayAsync(host, "bob");
        await away.SubscribeAsync("post:7");

        (await host.Engine.RevokeAsync(EngineHost.Name("post:7"), "bob")).ShouldBe(1);
        await away.SeesAsync("unsubscribed post:7 access_revoked");
        host.Engine.Disconnect("bob", null, CloseReason.Disconnected).ShouldBe(1);
        (await away.Connection.Completion).ShouldBe(CloseReason.Disconnected);
    }

    [Fact]
    public async Task A_connection_becomes_a_users_once()
    {
        await using var host = await EngineHost.StartAsync(Options, _clock);
        var client = host.Connect(null);

        (await host.Engine.IdentifyAsync(client.Connection, new ClientIdentity("bob", null))).ShouldBe(IdentifyResult.Done);
        (await host.Engine.IdentifyAsync(client.Connection, new ClientIdentity("bob", null))).ShouldBe(IdentifyResult.Done);
        (await host.Engine.IdentifyAsync(client.Connection, new ClientIdentity("eve", null))).ShouldBe(IdentifyResult.AnotherUser);
        client.Connection.Identity.UserId.ShouldBe("bob");
        host.Engine.ConnectionsOf("bob").ShouldBe([client.Connection]);
        host.Engine.ConnectionsOf("eve").ShouldBeEmpty();
    }

    [Fact]
    public async Task The_limit_of_connections_holds_for_those_who_sign_in_later()
    {
        await using var host = await EngineHost.StartAsync(Options with { ConnectionsPerUser = 1 }, _clock);
        var (first, second) = (host.Connect(null), host.Connect(null));

        (await host.Engine.IdentifyAsync(first.Connection, new ClientIdentity("bob", null))).ShouldBe(IdentifyResult.Done);
        (await host.Engine.IdentifyAsync(second.Connection, new ClientIdentity("bob", null))).ShouldBe(IdentifyResult.OverLimit);
        await first.LeaveAsync();
        await Eventually(async () => await host.Engine.IdentifyAsync(second.Connection, new ClientIdentity("bob", null)) == IdentifyResult.Done);
    }

    [Fact]
    public async Task A_sign_in_that_was_ended_a_moment_ago_opens_nothing()
    {
        await using var host = await EngineHost.StartAsync(Options, _clock);
        var client = host.Connect(null);
        host.Engine.Disconnect("bob", "session-1", CloseReason.InvalidToken);

        (await host.Engine.IdentifyAsync(client.Connection, new ClientIdentity("bob", null, "session-1"))).ShouldBe(IdentifyResult.Ended);
        (await client.Connection.Completion).ShouldBe(CloseReason.InvalidToken);
    }

    [Fact]
    public async Task A_token_that_ends_closes_a_connection_that_signed_in_with_it_later()
    {
        await using var host = await EngineHost.StartAsync(Options, _clock);
        var client = host.Connect(null);
        await host.Engine.IdentifyAsync(client.Connection, new ClientIdentity("bob", _clock.GetUtcNow().AddSeconds(90)));

        _clock.Advance(TimeSpan.FromSeconds(130));

        (await client.Connection.Completion.WaitAsync(TimeSpan.FromSeconds(10))).ShouldBe(CloseReason.TokenExpired);
    }

    /// <summary>A connection that became a user's and is not on the shard where the user's others are.</summary>
    private static async Task<TestClient> IdentifiedAwayAsync(EngineHost host, string user)
    {
        var home = host.Connect(user);
        var client = host.Connect(null);
        while (client.Connection.Shard == home.Connection.Shard) client = host.Connect(null);
        await home.LeaveAsync();
        (await host.Engine.IdentifyAsync(client.Connection, new ClientIdentity(user, null))).ShouldBe(IdentifyResult.Done);
        return client;
    }

    private static int Told(TestClient client, string type) => client.EventsOf("club:1").Count(id => id == type);

    private static Task Eventually(Func<bool> condition) => Eventually(() => Task.FromResult(condition()));

    private static async Task Eventually(Func<Task<bool>> condition)
    {
        for (var attempt = 0; !await condition(); attempt++)
        {
            attempt.ShouldBeLessThan(1_000);
            await Task.Delay(10);
        }
    }
}
