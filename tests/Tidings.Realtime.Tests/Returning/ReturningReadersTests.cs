using Tidings.Realtime.Connections;

namespace Tidings.Realtime.Tests.Returning;

/// <summary>What clients get who come back and can't say what they saw last.</summary>
public sealed class ReturningReadersTests
{
    private readonly ManualClock _clock = new();

    [Theory]
    [InlineData("room:1")]
    [InlineData("post:1")]
    public async Task Who_comes_back_gets_what_was_missed(string channel)
    {
        await using var host = await EngineHost.StartAsync(clock: _clock);
        var before = await ReadingAsync(host, channel);
        await PublishAsync(host, channel, "seen");
        await before.SeesEventsAsync(channel, "seen");
        _clock.Advance(TimeSpan.FromSeconds(10));
        await before.VanishAsync();
        await PublishAsync(host, channel, "missed");
        _clock.Advance(TimeSpan.FromSeconds(10));

        var after = await ReadingAsync(host, channel);
        await PublishAsync(host, channel, "live");

        await after.SeesEventsAsync(channel, "missed", "live");
    }

    [Fact]
    public async Task A_feed_comes_back_too()
    {
        await using var host = await EngineHost.StartAsync(clock: _clock);
        await host.FollowAsync("42", "7");
        var before = await ReadingAsync(host, "feed:42");
        await PublishAsync(host, "creator:7", "seen");
        await before.SeesEventsAsync("feed:42", "seen");
        _clock.Advance(TimeSpan.FromSeconds(10));
        await before.VanishAsync();
        await PublishAsync(host, "creator:7", "missed");

        var after = await ReadingAsync(host, "feed:42");

        await after.SeesEventsAsync("feed:42", "missed");
    }

    [Fact]
    public async Task What_was_sent_to_a_peer_that_was_no_longer_there_comes_again()
    {
        await using var host = await EngineHost.StartAsync(clock: _clock);
        var before = await ReadingAsync(host, "room:1", answers: false);
        await PublishAsync(host, "room:1", "received");
        await before.SeesEventsAsync("room:1", "received");
        _clock.Advance(TimeSpan.FromSeconds(5));
        before.Connection.MarkAlive();
        _clock.Advance(TimeSpan.FromSeconds(5));
        await PublishAsync(host, "room:1", "unreceived");
        await before.SeesEventsAsync("room:1", "received", "unreceived");
        _clock.Advance(TimeSpan.FromSeconds(21));
        await before.SeesAsync("ping");
        _clock.Advance(TimeSpan.FromSeconds(10));
        (await before.Connection.Completion).ShouldBe(CloseReason.NoPong);

        var after = await ReadingAsync(host, "room:1");

        await after.SeesEventsAsync("room:1", "unreceived");
    }

    [Fact]
    public async Task A_device_that_changed_its_network_gets_what_went_to_its_old_connection()
    {
        await using var host = await EngineHost.StartAsync(new RealtimeOptions { Shards = 1 });
        var silent = await ReadingAsync(host, "room:1", answers: false);
        await PublishAsync(host, "room:1", "unreceived");
        await silent.SeesEventsAsync("room:1", "unreceived");

        var moved = await ReadingAsync(host, "room:1", answers: false);

        await moved.SeesEventsAsync("room:1", "unreceived");
        await silent.VanishAsync();
        var third = await ReadingAsync(host, "room:1"); // the moved one is silent too, as far as anybody can tell
        await third.SeesEventsAsync("room:1", "unreceived");
    }

    [Fact]
    public async Task A_second_tab_takes_nothing_from_one_that_is_there()
    {
        await using var host = await EngineHost.StartAsync(new RealtimeOptions { Shards = 1 });
        var first = await ReadingAsync(host, "room:1");
        await PublishAsync(host, "room:1", "before");
        await first.SeesEventsAsync("room:1", "before");

        var second = await ReadingAsync(host, "room:1");
        await first.SeesAsync("ping");
        await PublishAsync(host, "room:1", "after");

        await second.SeesEventsAsync("room:1", "after");
    }

    [Fact]
    public async Task Who_vanishes_again_before_all_is_back_loses_nothing()
    {
        await using var host = await EngineHost.StartAsync(clock: _clock);
        var first = await ReadingAsync(host, "room:1");
        await first.SubscribeAsync("room:2");
        _clock.Advance(TimeSpan.FromSeconds(10));
        await first.VanishAsync();
        await PublishAsync(host, "room:1", "missed-1");
        await PublishAsync(host, "room:2", "missed-2");
        _clock.Advance(TimeSpan.FromSeconds(10));
        var second = await ReadingAsync(host, "room:1");
        _clock.Advance(TimeSpan.FromSeconds(1));
        await second.VanishAsync();

        var third = await ReadingAsync(host, "room:1");
        await third.SubscribeAsync("room:2");

        await third.SeesEventsAsync("room:1", "missed-1");
        await third.SeesEventsAsync("room:2", "missed-2");
    }

    [Fact]
    public async Task Two_that_vanished_are_taken_over_by_two_and_a_third_begins_live()
    {
        await using var host = await EngineHost.StartAsync(clock: _clock);
        var gone = new[] { await ReadingAsync(host, "room:1"), await ReadingAsync(host, "room:1") };
        _clock.Advance(TimeSpan.FromSeconds(10));
        foreach (var client in gone) await client.VanishAsync();
        await PublishAsync(host, "room:1", "missed");

        var back = new[] { await ReadingAsync(host, "room:1"), await ReadingAsync(host, "room:1"), await ReadingAsync(host, "room:1") };
        await PublishAsync(host, "room:1", "live");

        await back[0].SeesEventsAsync("room:1", "missed", "live");
        await back[1].SeesEventsAsync("room:1", "missed", "live");
        await back[2].SeesEventsAsync("room:1", "live");
    }

    [Fact]
    public async Task A_channel_that_was_not_read_before_begins_live()
    {
        await using var host = await EngineHost.StartAsync(clock: _clock);
        var before = await ReadingAsync(host, "room:1");
        _clock.Advance(TimeSpan.FromSeconds(10));
        await before.VanishAsync();
        await PublishAsync(host, "room:2", "not for it");
        await PublishAsync(host, "room:1", "missed");

        var after = await ReadingAsync(host, "room:2");
        await after.SubscribeAsync("room:1");
        await PublishAsync(host, "room:2", "live");

        await after.SeesEventsAsync("room:2", "live");
        await after.SeesEventsAsync("room:1", "missed");
    }

    [Theory]
    [InlineData("the client said goodbye")]
    [InlineData("an operator ended it")]
    [InlineData("too late")]
    [InlineData("another user")]
    [InlineData("switched off")]
    public async Task Nothing_comes_again_when(string what)
    {
        var options = new RealtimeOptions { Shards = 1, ReturnWindow = what == "switched off" ? TimeSpan.Zero : TimeSpan.FromMinutes(2) };
        await using var host = await EngineHost.StartAsync(options, _clock);
        var before = await ReadingAsync(host, "room:1");
        _clock.Advance(TimeSpan.FromSeconds(10));
        await before.VanishAsync(what switch
        {
            "the client said goodbye" => CloseReason.Normal,
            "an operator ended it" => CloseReason.Disconnected,
            _ => CloseReason.Lost,
        });
        await PublishAsync(host, "room:1", "missed");
        if (what == "too late") _clock.Advance(TimeSpan.FromMinutes(3));

        var after = await ReadingAsync(host, "room:1", what == "another user" ? "43" : "42");
        await PublishAsync(host, "room:1", "live");

        await after.SeesEventsAsync("room:1", "live");
    }

    [Fact]
    public async Task More_than_the_ring_holds_is_read_from_the_log_and_what_the_history_gave_up_is_not_claimed_to_be_there()
    {
        await using var host = await EngineHost.StartAsync(new RealtimeOptions { Shards = 1, RingEvents = 5 }, _clock);
        var (kept, given) = (await ReadingAsync(host, "post:1"), await ReadingAsync(host, "room:1"));
        _clock.Advance(TimeSpan.FromSeconds(10));
        await kept.VanishAsync();
        await given.VanishAsync();
        var missed = Enumerable.Range(0, 60).Select(number => $"m{number}").ToArray(); // a room keeps 50
        foreach (var id in missed) await PublishAsync(host, "post:1", id);
        foreach (var id in missed) await PublishAsync(host, "room:1", id);

        var lost = await ReadingAsync(host, "room:1"); // whoever was lost last is the first to be taken over
        var whole = await ReadingAsync(host, "post:1");

        await whole.SeesEventsAsync("post:1", missed);
        lost.Transport.Lines.ShouldContain(line => line.StartsWith("subscribed room:1 lost", StringComparison.Ordinal));
    }

    private static async Task<TestClient> ReadingAsync(EngineHost host, string channel, string user = "42", bool answers = true)
    {
        var client = new TestClient(host, user, null, format: LineFormat.WithoutPlaces);
        if (answers)
        {
            client.Transport.Wrote = line =>
            {
                if (line == "ping") client.Connection.MarkAlive();
            };
        }

        await client.SubscribeAsync(channel);
        return client;
    }

    private static async Task PublishAsync(EngineHost host, string channel, string id) => await host.PublishAsync(channel, id);
}
