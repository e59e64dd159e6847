namespace Tidings.Realtime.Tests;

public sealed class FeedTests
{
    [Fact]
    public async Task A_feed_gets_what_the_followed_creators_publish_and_nothing_else()
    {
        await using var host = await EngineHost.StartAsync();
        await host.FollowAsync("42", "7");
        var client = host.Connect("42");
        await client.SubscribeAsync("feed:42");

        await host.PublishAsync("creator:7", "followed");
        await host.PublishAsync("creator:8", "stranger");
        await host.PublishAsync("feed:42", "own");

        await client.SeesEventsAsync("feed:42", "followed", "own");
    }

    [Fact]
    public async Task Following_and_unfollowing_act_on_the_live_feed_from_that_event_on()
    {
        await using var host = await EngineHost.StartAsync();
        var client = host.Connect("42");
        await client.SubscribeAsync("feed:42");

        await host.PublishAsync("creator:7", "before");
        await host.FollowAsync("42", "7");
        await host.PublishAsync("creator:7", "during");
        await host.UnfollowAsync("42", "7");
        await host.PublishAsync("creator:7", "after");
        await host.PublishAsync("feed:42", "end");

        await client.SeesEventsAsync("feed:42", "follow-7", "during", "unfollow-7", "end");
    }

    [Fact]
    public async Task What_was_published_before_the_follow_stays_out_when_it_arrives_after_the_sources_were_read()
    {
        await using var host = await EngineHost.StartAsync();
        host.Broker.Loses = publication => publication.Draft.Id is "before" or "follow-7";
        await host.PublishAsync("creator:7", "before");
        await host.FollowAsync("42", "7");
        var client = host.Connect("42");
        await client.SubscribeAsync("feed:42");

        await host.PublishAsync("creator:7", "after"); // which brings the two that have not arrived

        await client.SeesEventsAsync("feed:42", "follow-7", "after");
    }

    [Fact]
    public async Task A_replay_from_the_log_ends_where_the_feed_stands_for_behind_it_other_sources_count()
    {
        await using var host = await EngineHost.StartAsync(new RealtimeOptions { Shards = 2, RecentEvents = 1 });
        await host.FollowAsync("42", "7");
        var first = host.Connect("42");
        await first.SubscribeAsync("feed:42");
        var position = first.PositionOf("feed:42");
        await host.PublishAsync("creator:7", "a");
        await host.PublishAsync("creator:7", "b");
        await first.SeesEventsAsync("feed:42", "a", "b");
        host.Broker.Loses = static _ => true;
        await host.UnfollowAsync("42", "7");
        await host.PublishAsync("creator:7", "after");
        await host.FollowAsync("42", "8");
        await host.PublishAsync("creator:8", "followed");
        await host.PublishAsync("feed:42", "own");

        var second = host.Connect("42");
        await second.SubscribeAsync("feed:42", position);
        host.Broker.Loses = static _ => false;
        await host.PublishAsync("feed:42", "end");

        await second.SeesEventsAsync("feed:42", "a", "b", "unfollow-7", "follow-8", "followed", "own", "end");
    }

    [Fact]
    public async Task A_feed_is_cut_when_the_log_gave_up_what_it_was_waiting_for()
    {
        await using var host = await EngineHost.StartAsync();
        await host.FollowAsync("42", "7");
        var client = host.Connect("42");
        await client.SubscribeAsync("feed:42");
        var position = client.PositionOf("feed:42");
        host.Broker.Loses = static _ => true;
        for (var number = 0; number < 201; number++) await host.PublishAsync("creator:7", $"e{number}");
        host.Broker.Loses = static _ => false;

        await host.PublishAsync("feed:42", "next");

        (await client.Connection.Completion).Code.ShouldBe(1001);
        client.EventsOf("feed:42").ShouldBeEmpty();
        var again = host.Connect("42");
        await again.SubscribeAsync("feed:42", position);
        again.Transport.Lines.ShouldContain(line => line.StartsWith("subscribed feed:42 lost", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_follow_while_the_sources_are_being_read_is_not_missed()
    {
        await using var host = await EngineHost.StartAsync();
        host.SourcesGate = new TaskCompletionSource();
        var client = host.Connect("42");
        var subscribed = client.SubscribeAsync("feed:42");
        await host.Log.ReadLastSequenceAsync(CancellationToken.None);
        await Task.WhenAny(subscribed, host.Connect("43").SubscribeAsync("room:1"));

        await host.FollowAsync("42", "7");
        await host.PublishAsync("creator:7", "a");
        host.SourcesGate.SetResult();
        await subscribed;
        await host.PublishAsync("creator:7", "b");

        await client.Transport.WaitAsync(_ => client.EventsOf("feed:42").Contains("b"), "b");
        client.EventsOf("feed:42").Count(id => id == "b").ShouldBe(1);
    }

    [Theory]
    [InlineData(4_096, 1_000_000)]
    [InlineData(2, 1_000_000)]
    [InlineData(4_096, 40)]
    public async Task A_feed_resumes_after_its_position_from_memory_or_from_the_log(int recentEvents, int recentBytes)
    {
        await using var host = await EngineHost.StartAsync(new RealtimeOptions { Shards = 2, RecentEvents = recentEvents, RecentBytes = recentBytes });
        await host.FollowAsync("42", "7");
        await host.FollowAsync("42", "8");
        var first = host.Connect("42");
        await first.SubscribeAsync("feed:42");
        await host.PublishAsync("creator:7", "seen");
        await first.SeesEventsAsync("feed:42", "seen");
        var position = first.PositionOf("feed:42");

        for (var number = 0; number < 20; number++) await host.PublishAsync($"creator:{7 + (number % 3)}", $"e{number}");
        var second = host.Connect("42");
        await second.SubscribeAsync("feed:42", position);
        await host.PublishAsync("creator:8", "live");

        string[] expected = [.. Enumerable.Range(0, 20).Where(number => number % 3 != 2).Select(number => $"e{number}"), "live"];
        await second.SeesEventsAsync("feed:42", expected);
        second.Transport.Lines[1].ShouldStartWith("subscribed feed:42 recovered");
    }

    [Fact]
    public async Task What_a_creator_published_before_the_follow_is_not_replayed()
    {
        await using var host = await EngineHost.StartAsync();
        var first = host.Connect("42");
        await first.SubscribeAsync("feed:42");
        var position = first.PositionOf("feed:42");
        await host.PublishAsync("creator:7", "before");
        await host.FollowAsync("42", "7");
        await host.PublishAsync("creator:7", "after");

        var second = host.Connect("42");
        await second.SubscribeAsync("feed:42", position);

        await second.SeesEventsAsync("feed:42", "follow-7", "after");
    }

    [Fact]
    public async Task A_feed_whose_source_was_trimmed_past_the_position_is_reported_as_not_recovered()
    {
        await using var host = await EngineHost.StartAsync(new RealtimeOptions { Shards = 1, RecentEvents = 10 });
        await host.FollowAsync("42", "7");
        var first = host.Connect("42");
        await first.SubscribeAsync("feed:42");
        var position = first.PositionOf("feed:42");
        for (var number = 0; number < 300; number++) await host.PublishAsync("creator:7", $"e{number}");

        var second = host.Connect("42");
        await second.SubscribeAsync("feed:42", position);

        await second.Transport.WaitAsync(lines => lines.Any(line => line.StartsWith("subscribed feed:42 lost", StringComparison.Ordinal)), "lost");
        second.EventsOf("feed:42").ShouldBeEmpty();
    }

    [Fact]
    public async Task A_recovery_during_which_too_much_happens_is_reported_as_not_recovered_and_goes_on_without_a_hole()
    {
        await using var host = await EngineHost.StartAsync(new RealtimeOptions { Shards = 1, HeldEvents = 5 });
        await host.FollowAsync("42", "7");
        var first = host.Connect("42");
        await first.SubscribeAsync("feed:42");
        var position = first.PositionOf("feed:42");
        first.Connection.Close(Realtime.Connections.CloseReason.Normal);
        await first.Connection.Completion;

        host.SourcesGate = new TaskCompletionSource();
        var second = host.Connect("42");
        var subscribed = second.SubscribeAsync("feed:42", position);
        var other = host.Connect("43");
        await other.SubscribeAsync("room:1"); // the feed is being read by now
        for (var number = 0; number < 20; number++) await host.PublishAsync("feed:42", $"e{number}");
        host.SourcesGate.SetResult();
        await subscribed;
        await host.PublishAsync("creator:7", "live");

        await second.Transport.WaitAsync(_ => second.EventsOf("feed:42") is [.., "live"], "live");
        second.Transport.Lines[1].ShouldStartWith("subscribed feed:42 lost");
        second.Connection.IsClosing.ShouldBeFalse();
    }

    [Fact]
    public async Task A_lost_bus_message_does_not_leave_a_hole_in_a_feed()
    {
        await using var host = await EngineHost.StartAsync();
        await host.FollowAsync("42", "7");
        var client = host.Connect("42");
        await client.SubscribeAsync("feed:42");
        host.Broker.Loses = publication => publication.Draft.Id is "b";

        foreach (var id in (string[])["a", "b", "c"]) await host.PublishAsync("creator:7", id);

        await client.SeesEventsAsync("feed:42", "a", "b", "c");
    }

    [Fact]
    public async Task A_user_who_leaves_and_returns_while_following_changes_sees_each_event_once()
    {
        await using var host = await EngineHost.StartAsync();
        for (var round = 0; round < 30; round++)
        {
            var client = host.Connect("42");
            var subscribed = client.SubscribeAsync("feed:42");
            await host.FollowAsync("42", $"c{round}");
            await subscribed;
            for (var creator = 0; creator <= round; creator++) await host.PublishAsync($"creator:c{creator}", $"r{round}-{creator}");

            string[] expected = [.. Enumerable.Range(0, round + 1).Select(creator => $"r{round}-{creator}")];
            await client.Transport.WaitAsync(_ => client.EventsOf("feed:42").Where(id => id[0] == 'r').SequenceEqual(expected), $"round {round}");
            client.Connection.Close(Realtime.Connections.CloseReason.Normal);
            await client.Connection.Completion;
        }
    }

    [Fact]
    public async Task A_user_who_follows_very_many_does_not_hold_up_the_others_of_the_shard()
    {
        await using var host = await EngineHost.StartAsync(new RealtimeOptions { Shards = 1 });
        host.FollowMany("42", 60_000);
        var other = host.Connect("43");

        await host.Connect("42").SubscribeAsync("feed:42");
        await other.SubscribeAsync("feed:43");
        await host.PublishAsync("feed:43", "soon");

        await other.SeesEventsAsync("feed:43", "soon");
    }
}
