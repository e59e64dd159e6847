using Tidings.Realtime.Commands;
using Tidings.Realtime.Connections;
using Tidings.Realtime.Publications;

namespace Tidings.Realtime.Tests;

public sealed class EngineTests
{
    [Fact]
    public async Task A_publication_reaches_every_subscriber_once_and_in_order()
    {
        await using var host = await EngineHost.StartAsync();
        var clients = Enumerable.Range(0, 20).Select(user => host.Connect($"u{user}")).ToList();
        foreach (var client in clients) await client.SubscribeAsync("creator:7");

        for (var number = 0; number < 50; number++) await host.PublishAsync("creator:7", $"e{number}");

        foreach (var client in clients) await client.SeesEventsAsync("creator:7", [.. Enumerable.Range(0, 50).Select(number => $"e{number}")]);
    }

    [Fact]
    public async Task What_was_missed_comes_before_what_is_live()
    {
        await using var host = await EngineHost.StartAsync();
        var first = host.Connect();
        await first.SubscribeAsync("creator:7");
        await host.PublishAsync("creator:7", "a");
        await first.SeesEventsAsync("creator:7", "a");
        var position = first.PositionOf("creator:7");

        await host.PublishAsync("creator:7", "b");
        await host.PublishAsync("creator:7", "c");
        var second = host.Connect();
        await second.SubscribeAsync("creator:7", position);
        await host.PublishAsync("creator:7", "d");

        await second.SeesEventsAsync("creator:7", "b", "c", "d");
        second.Transport.Lines[1].ShouldStartWith("subscribed creator:7 recovered");
    }

    [Fact]
    public async Task A_position_beyond_the_history_is_reported_as_not_recovered()
    {
        await using var host = await EngineHost.StartAsync();
        var first = host.Connect();
        await first.SubscribeAsync("creator:7");
        await host.PublishAsync("creator:7", "first");
        await first.SeesEventsAsync("creator:7", "first");
        var position = first.PositionOf("creator:7");
        for (var number = 0; number < 300; number++) await host.PublishAsync("creator:7", $"e{number}");

        var second = host.Connect();
        await second.SubscribeAsync("creator:7", position);
        await host.PublishAsync("creator:7", "live");

        await second.SeesEventsAsync("creator:7", "live");
        second.Transport.Lines[1].ShouldStartWith("subscribed creator:7 lost");
    }

    [Fact]
    public async Task A_position_older_than_the_ring_is_recovered_from_the_log()
    {
        await using var host = await EngineHost.StartAsync(new RealtimeOptions { Shards = 1, RingEvents = 4 });
        var first = host.Connect();
        await first.SubscribeAsync("creator:7");
        var position = first.PositionOf("creator:7");
        for (var number = 0; number < 100; number++) await host.PublishAsync("creator:7", $"e{number}");

        var second = host.Connect();
        await second.SubscribeAsync("creator:7", position);

        await second.SeesEventsAsync("creator:7", [.. Enumerable.Range(0, 100).Select(number => $"e{number}")]);
    }

    [Fact]
    public async Task A_page_of_history_is_never_more_than_may_wait_for_a_connection_and_leads_on_to_the_next()
    {
        await using var host = await EngineHost.StartAsync(new RealtimeOptions { Shards = 1, OutboundBytes = 40_000 });
        await host.PublishAsync("creator:7", "first");
        var client = host.Connect();
        await client.SubscribeAsync("creator:7");
        var position = client.PositionOf("creator:7");
        for (var number = 0; number < 5; number++) await host.PublishAsync("creator:7", $"e{number}", bytes: 4_096);

        await client.HandleAsync(new HistoryCommand(1, EngineHost.Name("creator:7"), null, 100));
        await client.HandleAsync(new HistoryCommand(2, EngineHost.Name("creator:7"), position, 100));
        await client.HandleAsync(new HistoryCommand(3, EngineHost.Name("creator:7"), position with { Offset = position.Offset + 3 }, 100));

        await client.SeesAsync($"history e2,e3,e4  {position with { Offset = position.Offset + 5 }}");
        await client.SeesAsync($"history e0,e1,e2 True {position with { Offset = position.Offset + 3 }}");
        await client.SeesAsync($"history e3,e4 True {position with { Offset = position.Offset + 5 }}");
    }

    [Theory]
    [InlineData(1, 0)]
    [InlineData(0, 5)]
    public async Task A_stale_epoch_or_a_place_ahead_of_the_log_is_reported_as_not_recovered(int epochShift, int offsetShift)
    {
        await using var host = await EngineHost.StartAsync();
        var first = host.Connect();
        await host.PublishAsync("creator:7", "a");
        await first.SubscribeAsync("creator:7");
        var position = first.PositionOf("creator:7");

        await host.Connect().SubscribeAsync("creator:7", position);
        var other = host.Connect();
        await other.SubscribeAsync("creator:7", new Position(position.Epoch + (ulong)epochShift, position.Offset + offsetShift));

        await other.SeesAsync($"subscribed creator:7 lost {position}");
    }

    [Fact]
    public async Task A_lost_bus_message_is_found_and_filled_from_the_log()
    {
        await using var host = await EngineHost.StartAsync();
        var client = host.Connect();
        await client.SubscribeAsync("creator:7");
        host.Broker.Loses = publication => publication.Draft.Id is "b" or "c";

        foreach (var id in (string[])["a", "b", "c", "d", "e"]) await host.PublishAsync("creator:7", id);

        await client.SeesEventsAsync("creator:7", "a", "b", "c", "d", "e");
    }

    [Fact]
    public async Task A_repeated_bus_message_is_delivered_once()
    {
        await using var host = await EngineHost.StartAsync();
        host.Broker.Repeats = true;
        var client = host.Connect();
        await client.SubscribeAsync("creator:7");
        await client.SubscribeAsync("room:1");

        foreach (var id in (string[])["a", "b", "c"])
        {
            await host.PublishAsync("creator:7", id);
            await host.PublishAsync("room:1", id);
        }

        await client.SeesEventsAsync("creator:7", "a", "b", "c");
        await client.SeesEventsAsync("room:1", "a", "b", "c");
    }

    [Fact]
    public async Task A_reader_gets_the_full_form_only_with_the_right_it_takes()
    {
        await using var host = await EngineHost.StartAsync();
        host.Rights.Add("tier:7:2");
        var client = host.Connect();
        await client.SubscribeAsync("creator:7");
        var start = client.PositionOf("creator:7");

        await host.PublishAsync("creator:7", "mine", full: "{\"text\":\"SECRET\"}", needs: "tier:7:2");
        await host.PublishAsync("creator:7", "not-mine", full: "{\"text\":\"HIDDEN\"}", needs: "tier:7:3");
        await client.SeesEventsAsync("creator:7", "mine", "not-mine");

        client.Transport.Lines.ShouldContain(line => line.Contains("SECRET", StringComparison.Ordinal));
        client.Transport.Lines.ShouldNotContain(line => line.Contains("HIDDEN", StringComparison.Ordinal));

        host.Rights.Clear();
        var later = host.Connect();
        await later.SubscribeAsync("creator:7", start);
        await later.SeesEventsAsync("creator:7", "mine", "not-mine");
        later.Transport.Lines.ShouldNotContain(line => line.Contains("SECRET", StringComparison.Ordinal));
    }

    [Fact]
    public async Task The_excluded_connection_does_not_get_its_own_event_live()
    {
        await using var host = await EngineHost.StartAsync();
        var sender = host.Connect();
        var other = host.Connect();
        await sender.SubscribeAsync("room:1");
        await other.SubscribeAsync("room:1");

        await host.PublishAsync("room:1", "a", exclude: sender.Connection.Id);
        await host.PublishAsync("room:1", "b");

        await other.SeesEventsAsync("room:1", "a", "b");
        await sender.SeesEventsAsync("room:1", "b");
    }

    [Fact]
    public async Task A_channel_that_ends_lets_its_readers_go()
    {
        await using var host = await EngineHost.StartAsync();
        var client = host.Connect();
        await client.SubscribeAsync("post:17");

        await host.PublishAsync("post:17", "deleted", effect: new ChannelEffect(ChannelEffectKind.Close));
        await host.PublishAsync("post:17", "after");
        await host.PublishAsync("room:1", "x");

        await client.SeesAsync("unsubscribed post:17 access_revoked");
        client.EventsOf("post:17").ShouldBe(["deleted"]);
        client.Connection.Subscriptions.ShouldBeEmpty();
    }

    [Fact]
    public async Task A_slow_reader_is_cut_and_nobody_else_is()
    {
        await using var host = await EngineHost.StartAsync(new RealtimeOptions { Shards = 1, OutboundBytes = 2_000, CloseTimeout = TimeSpan.FromMilliseconds(50) });
        var stalled = new TestTransport();
        var slow = host.Connect(transport: stalled);
        var quick = host.Connect();
        await slow.SubscribeAsync("creator:7");
        await quick.SubscribeAsync("creator:7");
        stalled.Gate = new TaskCompletionSource().Task;

        for (var number = 0; number < 200; number++)
        {
            await host.PublishAsync("creator:7", $"e{number}");
            if (number % 10 == 9) await quick.Transport.WaitAsync(_ => quick.EventsOf("creator:7").Count == number + 1, "the quick reader");
        }

        (await slow.Connection.Completion.WaitAsync(TimeSpan.FromSeconds(10))).ShouldBe(CloseReason.TooSlow);
        stalled.ClosedWritable.ShouldBeFalse();
        quick.Connection.IsClosing.ShouldBeFalse();
        quick.EventsOf("creator:7").Count.ShouldBe(200);
    }

    [Fact]
    public async Task Requests_that_cannot_be_met_are_answered_with_their_code()
    {
        await using var host = await EngineHost.StartAsync(new RealtimeOptions { Shards = 1, SubscriptionsPerConnection = 2 });
        var client = host.Connect();
        await client.SubscribeAsync("room:1");
        await client.SubscribeAsync("room:1");
        await client.SubscribeAsync("room:forbidden");
        await client.SubscribeAsync("room:2");
        await client.SubscribeAsync("room:3");
        await client.HandleAsync(new UnsubscribeCommand(2, EngineHost.Name("room:9")));
        await client.HandleAsync(new PublishCommand(3, EngineHost.Name("creator:7"), "hello", "{}"u8.ToArray()));
        await client.HandleAsync(new PublishCommand(4, EngineHost.Name("room:9"), "hello", "{}"u8.ToArray()));

        foreach (var line in (string[])
        [
            "error AlreadySubscribed room:1", "error Forbidden room:forbidden", "error TooManySubscriptions room:3", "error NotSubscribed room:9",
            "error Forbidden creator:7",
        ])
            await client.SeesAsync(line);
        client.Connection.IsClosing.ShouldBeFalse();
    }

    [Theory]
    [InlineData("creator:7")]
    [InlineData("feed:42")]
    public async Task A_page_of_history_is_no_larger_than_what_may_wait_for_a_connection(string channel)
    {
        await using var host = await EngineHost.StartAsync(new RealtimeOptions { Shards = 1, OutboundBytes = 8_000 });
        await host.FollowAsync("42", "7");
        var client = host.Connect("42");
        await client.SubscribeAsync(channel);
        var place = client.PositionOf(channel);
        client.Connection.Subscriptions.Count.ShouldBe(1);
        await client.HandleAsync(new UnsubscribeCommand(1, EngineHost.Name(channel)));
        for (var number = 0; number < 40; number++) await host.PublishAsync("creator:7", $"e{number}");

        var read = new List<string>();
        for (var page = 0; read.Count < 40; page++)
        {
            await client.HandleAsync(new HistoryCommand(page, EngineHost.Name(channel), place, 100));
            await client.Transport.WaitAsync(lines => lines.Count(line => line.StartsWith("history ", StringComparison.Ordinal)) == page + 1, $"page {page}");
            var words = client.Transport.Lines[^1].Split(' ');
            read.AddRange(words[1].Split(','));
            Position.TryParse(words[3], out place).ShouldBeTrue();
        }

        read.ShouldBe(Enumerable.Range(0, 40).Select(number => $"e{number}"));
        client.Connection.IsClosing.ShouldBeFalse();
        client.Transport.Lines.Count(line => line.StartsWith("history ", StringComparison.Ordinal)).ShouldBeGreaterThan(5);
    }

    [Fact]
    public async Task A_client_cannot_speak_in_the_engines_name()
    {
        await using var host = await EngineHost.StartAsync();
        var client = host.Connect();
        var reader = host.Connect();
        await client.SubscribeAsync("wall:1");
        await reader.SubscribeAsync("wall:1");

        await client.HandleAsync(new PublishCommand(1, EngineHost.Name("wall:1"), "hello", """{"type":"post_deleted","id":"x","channel":"feed:1","text":"hi"}"""u8.ToArray()));
        await client.HandleAsync(new PublishCommand(2, EngineHost.Name("wall:1"), "hello", "[1]"u8.ToArray()));

        await client.SeesAsync("error BadRequest wall:1");
        await reader.Transport.WaitAsync(lines => lines.Any(line => line.EndsWith(" {\"text\":\"hi\"}", StringComparison.Ordinal)), "the event");
    }

    [Fact]
    public async Task A_user_has_no_more_connections_than_allowed()
    {
        await using var host = await EngineHost.StartAsync(new RealtimeOptions { Shards = 1, ConnectionsPerUser = 2 });
        var first = host.Connect("7");
        host.Connect("7").Refusal.ShouldBeNull();
        host.Connect("7").Refusal!.Code.ShouldBe(4429);
        host.Connect("8").Refusal.ShouldBeNull();

        first.Connection.Close(CloseReason.Normal);
        await first.Connection.Completion;
        host.Connect("7").Refusal.ShouldBeNull();
    }

    [Fact]
    public async Task A_session_that_ended_during_the_handshake_gets_no_connection()
    {
        await using var host = await EngineHost.StartAsync();
        host.Engine.Disconnect("42", "session-1", CloseReason.InvalidToken);

        var late = host.Engine.TryConnect(new ClientIdentity("42", null, "session-1"), LineFormat.Instance, new TestTransport(), null, out _)!;
        var other = host.Engine.TryConnect(new ClientIdentity("42", null, "session-2"), LineFormat.Instance, new TestTransport(), null, out _)!;

        (await late.Completion.WaitAsync(TimeSpan.FromSeconds(10))).ShouldBe(CloseReason.InvalidToken);
        other.IsClosing.ShouldBeFalse();
    }

    [Fact]
    public async Task Draining_tells_everyone_to_come_back_later_and_takes_nobody_in()
    {
        await using var host = await EngineHost.StartAsync();
        var clients = Enumerable.Range(0, 10).Select(user => host.Connect($"u{user}")).ToList();

        await host.Engine.DrainAsync(CancellationToken.None);

        foreach (var client in clients)
        {
            client.Transport.Closed!.Code.ShouldBe(1001);
            client.Transport.Closed.Reason.ShouldStartWith("retry=");
            client.Transport.ClosedWritable.ShouldBeTrue();
        }

        host.Connect("late").Refusal!.Code.ShouldBe(1001);
    }
}
