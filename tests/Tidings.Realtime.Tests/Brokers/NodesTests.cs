using Tidings.Realtime.Brokers;
using Tidings.Realtime.Connections;
using Tidings.Realtime.Publications;

namespace Tidings.Realtime.Tests.Brokers;

/// <summary>Two nodes with one log, on a bus that loses what a test tells it to lose.</summary>
public sealed class NodesTests
{
    private readonly TestBus _bus = new();
    private readonly ManualClock _clock = new();

    [Fact]
    public async Task What_one_node_publishes_reaches_the_readers_of_both_once_and_in_order()
    {
        var (a, b) = await StartAsync();
        var (here, there) = (await ReadAsync(a, "post:1"), await ReadAsync(b, "post:1"));

        for (var number = 0; number < 20; number++) await (number % 2 == 0 ? a : b).PublishAsync("post:1", $"e{number}");

        string[] all = [.. Enumerable.Range(0, 20).Select(number => $"e{number}")];
        await here.SeesEventsAsync("post:1", all);
        await there.SeesEventsAsync("post:1", all);
    }

    [Fact]
    public async Task A_message_that_the_bus_lost_is_found_when_the_next_arrives()
    {
        var (a, b) = await StartAsync(TimeProvider.System);
        var there = await ReadAsync(b, "post:1");
        _bus.Loses = publication => publication.Draft.Id == "lost";

        await a.PublishAsync("post:1", "lost");
        await a.PublishAsync("post:1", "next");

        await there.SeesEventsAsync("post:1", "lost", "next");
    }

    [Fact]
    public async Task The_last_message_that_the_bus_lost_is_found_within_five_seconds()
    {
        var (a, b) = await StartAsync();
        var there = await ReadAsync(b, "post:1");
        _bus.Loses = publication => publication.Draft.Id == "lost";

        await a.PublishAsync("post:1", "lost");
        _clock.Advance(TimeSpan.FromSeconds(6));

        await there.SeesEventsAsync("post:1", "lost");
    }

    [Fact]
    public async Task While_the_bus_is_down_readers_of_the_same_node_get_everything_and_the_others_when_it_is_back()
    {
        var (a, b) = await StartAsync();
        var (here, there) = (await ReadAsync(a, "post:1"), await ReadAsync(b, "post:1"));
        _bus.IsDown = true;

        await a.PublishAsync("post:1", "one");
        await a.PublishAsync("post:1", "two");
        await here.SeesEventsAsync("post:1", "one", "two");
        there.EventsOf("post:1").ShouldBeEmpty();

        _bus.ComeBack();
        await there.SeesEventsAsync("post:1", "one", "two");
    }

    [Fact]
    public async Task A_channel_in_memory_has_the_events_of_all_nodes_each_nodes_in_its_order()
    {
        var (a, b) = await StartAsync();
        var (here, there) = (await ReadAsync(a, "room:1"), await ReadAsync(b, "room:1"));

        await PublishManyAsync(a, "a");
        await PublishManyAsync(b, "b");
        await PublishManyAsync(a, "c");

        string[] all = [.. new[] { "a", "b", "c" }.SelectMany(static node => Enumerable.Range(0, 10).Select(number => $"{node}{number}"))];
        await here.SeesEventsAsync("room:1", all);
        await there.SeesEventsAsync("room:1", all);

        async Task PublishManyAsync(EngineHost node, string name)
        {
            for (var number = 0; number < 10; number++) await node.PublishAsync("room:1", $"{name}{number}");
        }
    }

    [Fact]
    public async Task Who_missed_an_event_that_was_only_in_memory_is_cut_and_told_on_coming_back()
    {
        var (a, b) = await StartAsync();
        var there = await ReadAsync(b, "room:1");
        await a.PublishAsync("room:1", "first");
        await there.SeesEventsAsync("room:1", "first");
        var position = there.PositionOf("room:1");
        _bus.Loses = publication => publication.Draft.Id == "lost";

        await a.PublishAsync("room:1", "lost");
        await a.PublishAsync("room:1", "next");

        await there.Connection.Completion.WaitAsync(TimeSpan.FromSeconds(10));
        there.EventsOf("room:1").ShouldBe(["first"]);
        var again = b.Connect();
        await again.SubscribeAsync("room:1", position);
        again.Transport.Lines[^1].ShouldStartWith("subscribed room:1 lost");
        await a.PublishAsync("room:1", "live");
        await again.SeesEventsAsync("room:1", "live");
    }

    [Fact]
    public async Task The_last_event_that_was_only_in_memory_is_missed_too()
    {
        var (a, b) = await StartAsync();
        var there = await ReadAsync(b, "room:1");
        _bus.Loses = publication => publication.Draft.Id == "lost";
        _clock.Advance(TimeSpan.FromSeconds(1)); // it reads for a while

        await a.PublishAsync("room:1", "lost");
        _clock.Advance(TimeSpan.FromSeconds(11));

        await there.Connection.Completion.WaitAsync(TimeSpan.FromSeconds(10));
    }

    [Fact]
    public async Task Whoever_got_everything_is_not_cut_by_what_nodes_tell_of_their_streams()
    {
        var (a, b) = await StartAsync();
        var there = await ReadAsync(b, "room:1");
        await a.PublishAsync("room:1", "first");
        _clock.Advance(TimeSpan.FromSeconds(12));
        _bus.ComeBack();
        _clock.Advance(TimeSpan.FromSeconds(12));

        _bus.Told.OfType<StreamHeads>().SelectMany(static told => told.Heads).ShouldNotBeEmpty();
        await a.PublishAsync("room:1", "second");
        await there.SeesEventsAsync("room:1", "first", "second");
        there.Connection.Completion.IsCompleted.ShouldBeFalse();
    }

    [Fact]
    public async Task What_was_missed_while_the_bus_was_down_and_was_only_in_memory_is_told_when_it_is_back()
    {
        var (a, b) = await StartAsync();
        var there = await ReadAsync(b, "room:1");
        await a.PublishAsync("room:1", "first");
        await there.SeesEventsAsync("room:1", "first");

        _bus.IsDown = true;
        await a.PublishAsync("room:1", "missed");
        _clock.Advance(TimeSpan.FromSeconds(3));
        there.Connection.Completion.IsCompleted.ShouldBeFalse();
        _bus.ComeBack();
        _clock.Advance(TimeSpan.FromSeconds(6));

        await there.Connection.Completion.WaitAsync(TimeSpan.FromSeconds(10));
    }

    [Fact]
    public async Task A_position_of_a_channel_in_memory_is_no_position_on_another_node()
    {
        var (a, b) = await StartAsync();
        var here = await ReadAsync(a, "room:1");
        await a.PublishAsync("room:1", "first");
        await here.SeesEventsAsync("room:1", "first");

        var there = b.Connect();
        await there.SubscribeAsync("room:1", here.PositionOf("room:1"));

        there.Transport.Lines[^1].ShouldStartWith("subscribed room:1 lost");
    }

    [Fact]
    public async Task A_position_in_memory_from_before_the_channel_was_left_alone_does_not_hide_what_other_nodes_published_meanwhile()
    {
        var (a, b) = await StartAsync();
        var there = await ReadAsync(b, "room:1");
        await b.PublishAsync("room:1", "first");
        await there.SeesEventsAsync("room:1", "first");
        var position = there.PositionOf("room:1");
        await there.LeaveAsync();
        _clock.Advance(TimeSpan.FromSeconds(90));
        b.Broker.Watched.ShouldBeEmpty();

        await a.PublishAsync("room:1", "unheard");
        var again = b.Connect();
        await again.SubscribeAsync("room:1", position);

        again.Transport.Lines[^1].ShouldStartWith("subscribed room:1 lost");
    }

    [Fact]
    public async Task A_node_watches_the_channels_that_it_has_readers_for_and_no_others()
    {
        var (a, b) = await StartAsync();
        await ReadAsync(b, "post:1");
        await ReadAsync(b, "passing:1");

        b.Broker.Watched.ShouldBe([EngineHost.Name("post:1"), EngineHost.Name("passing:1")], ignoreOrder: true);
        a.Broker.Watched.ShouldBeEmpty();
    }

    [Theory]
    [InlineData("post:1", "post:1")]
    [InlineData("feed:42", "creator:7")]
    public async Task Where_a_channel_stands_is_not_told_before_what_other_nodes_publish_arrives(string channel, string source)
    {
        var (a, b) = await StartAsync();
        await a.FollowAsync("42", "7");
        _clock.Advance(TimeSpan.FromSeconds(6));
        var settled = new TaskCompletionSource();
        b.Broker.Settled = settled.Task;
        var there = b.Connect();
        var subscribing = there.SubscribeAsync(channel);
        _bus.Loses = static publication => publication.Draft.Id == "too early";

        await a.PublishAsync(source, "too early");
        await there.SeesAsync("connected 42");
        there.Transport.Lines.ShouldNotContain(static line => line.StartsWith("subscribed", StringComparison.Ordinal));
        settled.SetResult();
        await subscribing;
        await a.PublishAsync(source, "live");

        await there.Transport.WaitAsync(_ => there.EventsOf(channel).Contains("live"), "the live event");
    }

    [Fact]
    public async Task A_passing_event_is_delivered_once_on_each_node()
    {
        var (a, b) = await StartAsync();
        var (here, there) = (await ReadAsync(a, "passing:1"), await ReadAsync(b, "passing:1"));

        await a.PublishAsync("passing:1", "one");
        await b.PublishAsync("passing:1", "two");

        await here.SeesEventsAsync("passing:1", "one", "two");
        await there.SeesEventsAsync("passing:1", "one", "two");
    }

    [Fact]
    public async Task A_sender_that_is_left_out_is_left_out_on_another_node_too()
    {
        var (a, b) = await StartAsync();
        var (left, other) = (await ReadAsync(b, "post:1"), await ReadAsync(b, "post:1"));

        await a.PublishAsync("post:1", "said", exclude: left.Connection.Id);
        await a.PublishAsync("post:1", "next");

        await other.SeesEventsAsync("post:1", "said", "next");
        await left.SeesEventsAsync("post:1", "next");
    }

    [Fact]
    public async Task A_user_is_disconnected_on_all_nodes()
    {
        var (a, b) = await StartAsync();
        var there = await ReadAsync(b, "post:1");

        a.Engine.Disconnect("42", null, CloseReason.Disconnected).ShouldBe(0);

        await there.Connection.Completion.WaitAsync(TimeSpan.FromSeconds(10));
        there.Transport.Closed.ShouldBe(CloseReason.Disconnected);
    }

    [Fact]
    public async Task Who_is_back_with_a_newer_token_is_not_disconnected_by_a_late_message()
    {
        var (a, b) = await StartAsync();
        var revokedAt = _clock.GetUtcNow();
        _clock.Advance(TimeSpan.FromSeconds(3));
        var newer = b.Connect("42", issuedAt: _clock.GetUtcNow());
        var older = b.Connect("42", issuedAt: revokedAt);

        a.Engine.Disconnect("42", null, CloseReason.Disconnected, revokedAt);

        await older.Connection.Completion.WaitAsync(TimeSpan.FromSeconds(10));
        newer.Connection.IsClosing.ShouldBeFalse();
    }

    [Fact]
    public async Task A_subscription_is_revoked_on_all_nodes()
    {
        var (a, b) = await StartAsync();
        var there = await ReadAsync(b, "post:1");
        var heard = new List<ControlMessage>();
        b.Engine.Bus.Heard += heard.Add;

        await a.Engine.RevokeAsync(EngineHost.Name("post:1"), "42");

        await there.SeesAsync("unsubscribed post:1 access_revoked");
        heard.ShouldBe([new RevokeChannel(EngineHost.Name("post:1"), "42", _clock.GetUtcNow())]);
    }

    [Fact]
    public async Task A_member_who_comes_and_goes_on_one_node_is_announced_on_all()
    {
        var (a, b) = await StartAsync();
        var there = b.Connect("7");
        await there.SubscribeAsync("club:1");
        var here = a.Connect("42");
        await here.SubscribeAsync("club:1");
        await there.Transport.WaitAsync(lines => lines.Any(static line => line.Contains("presence_joined", StringComparison.Ordinal) && line.Contains("\"42\"", StringComparison.Ordinal)), "42 to come");

        await here.LeaveAsync();
        for (var second = 0; second < 8; second++) _clock.Advance(TimeSpan.FromSeconds(1));

        await there.Transport.WaitAsync(lines => lines.Any(static line => line.Contains("presence_left", StringComparison.Ordinal) && line.Contains("\"42\"", StringComparison.Ordinal)), "42 to go");
    }

    [Fact]
    public async Task A_place_in_the_log_is_enough_to_get_what_is_there()
    {
        var (a, b) = await StartAsync();
        var there = await ReadAsync(b, "post:1");
        _bus.Loses = static _ => true;

        await a.PublishAsync("post:1", "one");
        var two = await a.PublishAsync("post:1", "two");
        b.Engine.Bus.Hear(new NewInLog(two.Channel, two.Position));

        await there.SeesEventsAsync("post:1", "one", "two");
    }

    [Fact]
    public async Task What_stands_on_another_log_is_not_taken()
    {
        var (_, b) = await StartAsync();
        var there = await ReadAsync(b, "post:1");
        var foreign = new Publication(
            new PublicationDraft { Channel = EngineHost.Name("post:1"), Type = "said", Id = "foreign", Timestamp = default, Payload = "{}"u8.ToArray() },
            new Position(3, 1),
            new Position(3, 1));

        b.Engine.Bus.ReceiveFromOthers([foreign]);
        await b.PublishAsync("post:1", "own");

        await there.SeesEventsAsync("post:1", "own");
    }

    private static async Task<TestClient> ReadAsync(EngineHost host, string channel)
    {
        var client = host.Connect();
        await client.SubscribeAsync(channel);
        return client;
    }

    private async Task<(EngineHost A, EngineHost B)> StartAsync(TimeProvider? clock = null)
    {
        var first = new EngineHost(null, clock ?? _clock, null, _bus);
        await first.Engine.StartAsync(CancellationToken.None);
        return (first, await first.StartAnotherAsync(_bus));
    }
}
