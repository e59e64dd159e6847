using Tidings.Realtime.Commands;
using Tidings.Realtime.Connections;

namespace Tidings.Realtime.Tests.Presence;

/// <summary>Of all nodes one hears that a channel with Pusher's name has readers, who they are, and that the last is gone.</summary>
public sealed class ChannelWatcherTests
{
    private readonly ManualClock _clock = new();

    [Fact]
    public async Task One_node_hears_of_the_first_reader_and_one_that_the_last_is_gone_for_good()
    {
        var bus = new TestBus();
        await using var one = new EngineHost(clock: _clock, bus: bus);
        await one.Engine.StartAsync(CancellationToken.None);
        await using var other = await one.StartAnotherAsync(bus);
        var (first, second) = (one.Connect(null), other.Connect(null));
        string[] Heard() => [.. one.Watcher.Heard, .. other.Watcher.Heard];

        await first.SubscribeAsync("orders");
        await second.SubscribeAsync("orders");
        await EventuallyAsync(() => Heard().Length > 0);
        await first.LeaveAsync();
        await AdvanceAsync(TimeSpan.FromSeconds(8));
        Heard().ShouldBe(["occupied orders"], "somebody reads it on the other node");

        var back = one.Connect(null);
        await back.SubscribeAsync("orders");
        await second.LeaveAsync();
        await AdvanceAsync(TimeSpan.FromSeconds(8));
        Heard().ShouldBe(["occupied orders"]);

        await back.LeaveAsync();
        await EventuallyAsync(() => Heard().Length > 1);
        Heard().Order().ShouldBe(["occupied orders", "vacated orders"]);
    }

    [Fact]
    public async Task Members_are_told_of_once_and_channels_of_ours_not_at_all()
    {
        await using var host = await EngineHost.StartAsync(clock: _clock);
        var (first, second) = (host.Connect(null), host.Connect(null));
        foreach (var client in (TestClient[])[first, second])
        {
            await client.HandleAsync(new SubscribeCommand(1, EngineHost.Name("presence-office"), null, true, null) { Member = new PresenceMember("10", "{\"n\":1}"u8.ToArray()) });
            await client.SubscribeAsync("passing:1");
        }

        await EventuallyAsync(() => host.Watcher.Heard.Count >= 2);
        await first.LeaveAsync();
        await second.LeaveAsync();
        await EventuallyAsync(() => host.Watcher.Heard.Count >= 4);
        host.Watcher.Heard.Order().ShouldBe(["joined presence-office 10", "left presence-office 10", "occupied presence-office", "vacated presence-office"]);
    }

    private async Task AdvanceAsync(TimeSpan by)
    {
        for (var passed = TimeSpan.Zero; passed < by; passed += TimeSpan.FromSeconds(1))
        {
            _clock.Advance(TimeSpan.FromSeconds(1));
            await Task.Delay(10); // for the shards, which go by themselves
        }
    }

    private async Task EventuallyAsync(Func<bool> condition)
    {
        for (var attempt = 0; !condition(); attempt++)
        {
            attempt.ShouldBeLessThan(1_000);
            await AdvanceAsync(TimeSpan.FromSeconds(1));
        }
    }
}
