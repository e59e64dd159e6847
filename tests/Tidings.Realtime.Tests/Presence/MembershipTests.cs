using Tidings.Realtime.Commands;

namespace Tidings.Realtime.Tests.Presence;

/// <summary>Who is announced to whom, and when.</summary>
public sealed class MembershipTests
{
    private const string Joined = "event club:1 presence_joined  {\"member\":{\"userId\":\"{0}\",\"info\":{\"name\":\"{0}\"}}}";

    /// <summary>With a heartbeat that these clients need not answer.</summary>
    private static readonly RealtimeOptions Options = new() { Shards = 2, HeartbeatInterval = TimeSpan.FromHours(10) };

    private readonly ManualClock _clock = new();

    [Fact]
    public async Task Who_subscribes_visibly_is_announced_to_the_others_and_in_the_list()
    {
        await using var host = await EngineHost.StartAsync(Options, _clock);
        var alice = host.Connect("alice");
        await alice.SubscribeAsync("club:1");
        var bob = host.Connect("bob");
        await bob.SubscribeAsync("club:1");

        await alice.SeesAsync(Of(Joined, "bob"));
        await bob.AskWhoAsync("club:1");

        await bob.SeesAsync("presence club:1 2: alice,bob");
        bob.EventsOf("club:1").ShouldBeEmpty("whoever was there before is in the list, and nobody is told of themselves");
    }

    [Fact]
    public async Task Whoever_has_just_subscribed_finds_itself_in_the_list()
    {
        await using var host = await EngineHost.StartAsync(Options, _clock);
        var gate = new TaskCompletionSource();
        host.Infos.Gate = gate.Task;
        var alice = host.Connect("alice");
        await alice.SubscribeAsync("club:1");

        var asking = alice.AskWhoAsync("club:1");
        gate.SetResult();
        await asking;

        await alice.SeesAsync("presence club:1 1: alice");
    }

    [Fact]
    public async Task Of_two_tabs_that_come_and_one_that_goes_one_arrival_is_announced()
    {
        await using var host = await EngineHost.StartAsync(Options, _clock);
        var alice = host.Connect("alice");
        await alice.SubscribeAsync("club:1");
        var first = host.Connect("bob");
        await first.SubscribeAsync("club:1");
        var second = host.Connect("bob");
        await second.SubscribeAsync("club:1");

        await first.LeaveAsync();
        _clock.Advance(TimeSpan.FromSeconds(20));

        await EndOfStoryAsync(host, alice);
        alice.EventsOf("club:1").ShouldBe(["presence_joined", "end"]);
        await alice.AskWhoAsync("club:1");
        await alice.SeesAsync("presence club:1 2: alice,bob");
    }

    [Fact]
    public async Task Leaving_is_announced_after_the_grace()
    {
        await using var host = await EngineHost.StartAsync(Options, _clock);
        var alice = host.Connect("alice");
        await alice.SubscribeAsync("club:1");
        var bob = host.Connect("bob");
        await bob.SubscribeAsync("club:1");
        await alice.SeesAsync(Of(Joined, "bob"));

        await bob.LeaveAsync();
        _clock.Advance(TimeSpan.FromSeconds(4));
        await EndOfStoryAsync(host, alice);
        alice.EventsOf("club:1").ShouldBe(["presence_joined", "end"]);
        _clock.Advance(TimeSpan.FromSeconds(2));

        await alice.SeesAsync(Of(Joined.Replace("joined", "left", StringComparison.Ordinal), "bob"));
        await alice.AskWhoAsync("club:1");
        await alice.SeesAsync("presence club:1 1: alice");
    }

    [Fact]
    public async Task Whoever_comes_back_within_the_grace_was_never_away()
    {
        await using var host = await EngineHost.StartAsync(Options, _clock);
        var alice = host.Connect("alice");
        await alice.SubscribeAsync("club:1");

        for (var round = 0; round < 5; round++)
        {
            var bob = host.Connect("bob");
            await bob.SubscribeAsync("club:1");
            await bob.AskWhoAsync("club:1");
            await bob.SeesAsync("presence club:1 2: alice,bob");
            _clock.Advance(TimeSpan.FromSeconds(10));
            await bob.LeaveAsync();
            _clock.Advance(TimeSpan.FromSeconds(4));
        }

        await EndOfStoryAsync(host, alice);
        alice.EventsOf("club:1").ShouldBe(["presence_joined", "end"]);
    }

    [Fact]
    public async Task Unsubscribing_ends_membership()
    {
        await using var host = await EngineHost.StartAsync(Options, _clock);
        var alice = host.Connect("alice");
        await alice.SubscribeAsync("club:1");
        var bob = host.Connect("bob");
        await bob.SubscribeAsync("club:1");
        await alice.SeesAsync(Of(Joined, "bob"));

        await bob.HandleAsync(new UnsubscribeCommand(2, EngineHost.Name("club:1")));
        await bob.SeesAsync("unsubscribed club:1 ");
        _clock.Advance(TimeSpan.FromSeconds(6));

        await alice.SeesEventsAsync("club:1", "presence_joined", "presence_left");
    }

    [Fact]
    public async Task A_channel_that_ends_has_no_members()
    {
        await using var host = await EngineHost.StartAsync(Options, _clock);
        var alice = host.Connect("alice");
        await alice.SubscribeAsync("post:7", presence: true);
        await alice.AskWhoAsync("post:7");
        await alice.SeesAsync("presence post:7 1: alice");

        await host.PublishAsync("post:7", "gone", effect: new Publications.ChannelEffect(Publications.ChannelEffectKind.Close));
        await alice.SeesAsync("unsubscribed post:7 access_revoked");
        _clock.Advance(TimeSpan.FromSeconds(6));

        await host.HasMembersAsync("post:7", 0);
    }

    [Fact]
    public async Task Whoever_loses_the_right_leaves()
    {
        await using var host = await EngineHost.StartAsync(Options, _clock);
        var alice = host.Connect("alice");
        await alice.SubscribeAsync("club:1");
        var bob = host.Connect("bob");
        await bob.SubscribeAsync("club:1");
        await alice.SeesAsync(Of(Joined, "bob"));

        (await host.Engine.RevokeAsync(EngineHost.Name("club:1"), "bob")).ShouldBe(1);
        await bob.AskWhoAsync("club:1");
        await bob.SeesAsync("error NotSubscribed club:1");
        _clock.Advance(TimeSpan.FromSeconds(6));

        await alice.SeesEventsAsync("club:1", "presence_joined", "presence_left");
    }

    [Fact]
    public async Task Where_presence_is_on_request_only_those_who_ask_are_members_and_hear_of_them()
    {
        await using var host = await EngineHost.StartAsync(Options, _clock);
        var quiet = host.Connect("quiet");
        await quiet.SubscribeAsync("post:7");
        var alice = host.Connect("alice");
        await alice.SubscribeAsync("post:7", presence: true);
        var bob = host.Connect("bob");
        await bob.SubscribeAsync("post:7", presence: true);

        await alice.SeesEventsAsync("post:7", "presence_joined");
        await host.PublishAsync("post:7", "end");
        await quiet.SeesEventsAsync("post:7", "end");
        await quiet.AskWhoAsync("post:7");
        await quiet.SeesAsync("presence post:7 2: alice,bob");
    }

    [Fact]
    public async Task Whoever_asks_not_to_be_seen_is_neither_a_member_nor_hears_of_them()
    {
        await using var host = await EngineHost.StartAsync(Options, _clock);
        var alice = host.Connect("alice");
        await alice.SubscribeAsync("club:1");
        var bob = host.Connect("bob");
        await bob.SubscribeAsync("club:1", presence: false);
        await host.Connect("carol").SubscribeAsync("club:1");

        await alice.SeesAsync(Of(Joined, "carol"));
        await EndOfStoryAsync(host, bob);
        bob.EventsOf("club:1").ShouldBe(["end"]);
        await alice.SeesEventsAsync("club:1", "presence_joined", "end");
    }

    [Fact]
    public async Task A_kind_without_presence_refuses_who_asks_for_it_and_takes_who_does_not()
    {
        await using var host = await EngineHost.StartAsync(Options, _clock);
        var alice = host.Connect("alice");
        await alice.SubscribeAsync("creator:7", presence: true);
        await alice.SubscribeAsync("feed:alice", presence: true);

        alice.Transport.Lines.ShouldBe(["connected alice", "error Forbidden creator:7", "error Forbidden feed:alice"]);
        await alice.SubscribeAsync("creator:7", presence: false);
        await alice.AskWhoAsync("creator:7");
        await alice.Transport.WaitAsync(lines => lines.Count(line => line == "error Forbidden creator:7") == 2, "the refusal to tell");
    }

    [Fact]
    public async Task The_list_is_for_subscribers()
    {
        await using var host = await EngineHost.StartAsync(Options, _clock);
        await host.Connect("alice").SubscribeAsync("club:1");
        var stranger = host.Connect("bob");

        await stranger.AskWhoAsync("club:1");

        await stranger.SeesAsync("error NotSubscribed club:1");
    }

    [Fact]
    public async Task An_anonymous_connection_is_no_member_and_sees_none()
    {
        await using var host = await EngineHost.StartAsync(Options, _clock);
        var alice = host.Connect("alice");
        await alice.SubscribeAsync("club:1");
        var nobody = host.Connect(null);
        await nobody.SubscribeAsync("club:1");
        await nobody.AskWhoAsync("club:1");
        await nobody.SeesAsync("error Forbidden club:1");
        await host.Connect("bob").SubscribeAsync("club:1");
        await alice.SeesAsync(Of(Joined, "bob"));

        await EndOfStoryAsync(host, nobody);
        nobody.EventsOf("club:1").ShouldBe(["end"]);
        await alice.AskWhoAsync("club:1");
        await alice.SeesAsync("presence club:1 2: alice,bob");

        var other = host.Connect(null);
        await other.SubscribeAsync("club:1", presence: true);
        await other.SeesAsync("error Forbidden club:1");
    }

    [Fact]
    public async Task Member_events_are_in_no_history()
    {
        await using var host = await EngineHost.StartAsync(Options, _clock);
        var alice = host.Connect("alice");
        await alice.SubscribeAsync("club:1");
        await host.Connect("bob").SubscribeAsync("club:1");
        await alice.SeesAsync(Of(Joined, "bob"));
        await host.PublishAsync("club:1", "said");

        await alice.HandleAsync(new HistoryCommand(3, EngineHost.Name("club:1"), null, 10));

        await alice.Transport.WaitAsync(lines => lines.Any(line => line.StartsWith("history said ", StringComparison.Ordinal)), "the history");
    }

    [Fact]
    public async Task What_could_not_be_read_is_tried_again()
    {
        await using var host = await EngineHost.StartAsync(Options, _clock);
        var alice = host.Connect("alice");
        await alice.SubscribeAsync("club:1");
        await alice.AskWhoAsync("club:1");
        await alice.SeesAsync("presence club:1 1: alice");
        host.Infos.IsBroken = true;
        var bob = host.Connect("bob");
        await bob.SubscribeAsync("club:1");
        await bob.AskWhoAsync("club:1");
        await bob.SeesAsync("presence club:1 1: alice");

        host.Infos.IsBroken = false;
        _clock.Advance(TimeSpan.FromSeconds(6));

        await alice.SeesAsync(Of(Joined, "bob"));
    }

    private static string Of(string format, string user) => format.Replace("{0}", user, StringComparison.Ordinal);

    /// <summary>Publishes something and waits for it: whatever should not have come would have come before.</summary>
    private static async Task EndOfStoryAsync(EngineHost host, TestClient client)
    {
        await host.PublishAsync("club:1", "end");
        await client.Transport.WaitAsync(_ => client.EventsOf("club:1").Contains("end"), "the end");
    }
}
