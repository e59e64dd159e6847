using Tidings.Realtime.Connections;

namespace Tidings.Realtime.Tests.Presence;

/// <summary>The channel of who is online: its members are the users with a live connection.</summary>
public sealed class OnlineTests
{
    private const string Online = "presence:online";

    private static readonly RealtimeOptions Options =
        new() { Shards = 2, HeartbeatInterval = TimeSpan.FromHours(10), OnlineChannel = new("presence", "online") };

    private readonly ManualClock _clock = new();

    [Fact]
    public async Task Whoever_is_connected_is_online_without_subscribing_to_anything()
    {
        await using var host = await EngineHost.StartAsync(Options, _clock);
        var alice = host.Connect("alice");
        await alice.SubscribeAsync(Online);
        var bob = host.Connect("bob");
        await bob.SeesAsync("connected bob");
        host.Connect(null);

        _clock.Advance(TimeSpan.FromSeconds(1));

        await alice.Transport.WaitAsync(lines => lines.Any(line => line.Contains("presence_joined  {\"member\":{\"userId\":\"bob\",\"info\":{\"name\":\"bob\"}}}", StringComparison.Ordinal)), "bob");
        await host.HasMembersAsync(Online, 2);
        await alice.AskWhoAsync(Online);
        await alice.SeesAsync($"presence {Online} 2: alice,bob");
    }

    [Fact]
    public async Task Those_who_come_together_are_looked_up_together()
    {
        await using var host = await EngineHost.StartAsync(Options, _clock);
        for (var user = 0; user < 200; user++) host.Connect($"u{user}");
        var last = host.Connect("last");
        await last.SeesAsync("connected last");

        _clock.Advance(TimeSpan.FromSeconds(1));

        await host.HasMembersAsync(Online, 201);
        host.Infos.Reads.ShouldBeLessThanOrEqualTo(2, "one for each shard");
    }

    [Fact]
    public async Task Whoever_is_gone_for_longer_than_the_grace_is_offline()
    {
        await using var host = await EngineHost.StartAsync(Options, _clock);
        var alice = host.Connect("alice");
        await alice.SubscribeAsync(Online);
        var bob = host.Connect("bob");
        await bob.SeesAsync("connected bob");
        _clock.Advance(TimeSpan.FromSeconds(1));
        await host.HasMembersAsync(Online, 2);

        await bob.LeaveAsync();
        _clock.Advance(TimeSpan.FromSeconds(4));
        await host.Connect("bob").SeesAsync("connected bob");
        _clock.Advance(TimeSpan.FromSeconds(20));
        await host.PublishAsync(Online, "between");
        await alice.Transport.WaitAsync(_ => alice.EventsOf(Online).Contains("between"), "the mark");
        alice.EventsOf(Online).ShouldNotContain("presence_left");

        host.Engine.Disconnect("bob", null, CloseReason.Disconnected);
        await host.HasMembersAsync(Online, 2);
        await EndingAsync(host);
        _clock.Advance(TimeSpan.FromSeconds(6));
        await host.HasMembersAsync(Online, 1);
        await alice.Transport.WaitAsync(_ => alice.EventsOf(Online).Contains("presence_left"), "that bob left");
    }

    [Fact]
    public async Task Who_opts_out_is_taken_off_at_once_and_who_opts_in_is_put_back()
    {
        await using var host = await EngineHost.StartAsync(Options, _clock);
        var alice = host.Connect("alice");
        await alice.SubscribeAsync(Online);
        var bob = host.Connect("bob");
        await bob.SeesAsync("connected bob");
        _clock.Advance(TimeSpan.FromSeconds(1));
        await host.HasMembersAsync(Online, 2);

        host.Infos.Hidden["bob"] = true;
        host.Engine.RereadMember("bob");
        await host.HasMembersAsync(Online, 1);
        await alice.Transport.WaitAsync(_ => alice.EventsOf(Online).Contains("presence_left"), "that bob left");

        host.Infos.Hidden.Clear();
        host.Engine.RereadMember("bob");
        await host.HasMembersAsync(Online, 2);
    }

    [Fact]
    public async Task Whoever_has_opted_out_comes_and_goes_unseen_and_is_still_seen_in_channels()
    {
        await using var host = await EngineHost.StartAsync(Options, _clock);
        host.Infos.Hidden["bob"] = true;
        var alice = host.Connect("alice");
        await alice.SubscribeAsync(Online);
        var bob = host.Connect("bob");
        await bob.SubscribeAsync("club:1");
        await bob.SubscribeAsync(Online);
        _clock.Advance(TimeSpan.FromSeconds(1));
        await host.HasMembersAsync(Online, 1);

        await alice.AskWhoAsync(Online);
        await alice.SeesAsync($"presence {Online} 1: alice");
        await host.HasMembersAsync("club:1", 1);
        await bob.LeaveAsync();
        await EndingAsync(host);
        _clock.Advance(TimeSpan.FromSeconds(6));
        await host.HasMembersAsync("club:1", 0);
        alice.EventsOf(Online).ShouldNotContain("presence_left");
        await host.HasMembersAsync(Online, 1);
    }

    [Fact]
    public async Task If_it_cannot_be_found_out_whether_somebody_wants_to_be_seen_they_are_not()
    {
        await using var host = await EngineHost.StartAsync(Options, _clock);
        var bob = host.Connect("bob");
        await bob.SeesAsync("connected bob");
        _clock.Advance(TimeSpan.FromSeconds(1));
        await host.HasMembersAsync(Online, 1);

        host.Infos.IsBroken = true;
        host.Engine.RereadMember("bob");

        await host.HasMembersAsync(Online, 0);
    }

    /// <summary>Waits until the shards have done what was posted to them.</summary>
    private static async Task EndingAsync(EngineHost host)
    {
        foreach (var shard in host.Engine.Shards)
        {
            var done = new TaskCompletionSource();
            shard.Post(done.SetResult);
            await done.Task;
        }
    }
}
