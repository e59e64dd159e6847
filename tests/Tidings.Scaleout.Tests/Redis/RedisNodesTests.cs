using Microsoft.Extensions.Logging.Abstractions;
using Tidings.Realtime.Brokers;
using Tidings.Realtime.Channels;
using Tidings.Realtime.Connections;
using Tidings.Realtime.Presence;
using Tidings.Realtime.Tests;
using Tidings.Scaleout.Tests.Support;
using Tidings.Server.Scaleout.Redis;
using Tidings.Testing;
using Tidings.Testing.Servers;

namespace Tidings.Scaleout.Tests.Redis;

/// <summary>Two engines with one log, connected by a real Redis that does not always do what it should.</summary>
public sealed class RedisNodesTests : IAsyncLifetime
{
    private static readonly TimeSpan Long = TimeSpan.FromSeconds(60);

    private readonly List<IAsyncDisposable> _started = [];

    public ValueTask InitializeAsync()
    {
        SharedRedis.Require();
        return ValueTask.CompletedTask;
    }

    public async ValueTask DisposeAsync()
    {
        _started.Reverse();
        foreach (var one in _started) await one.DisposeAsync();
    }

    [Fact]
    public async Task Events_of_both_nodes_reach_the_readers_of_both()
    {
        var redis = await StartRedisAsync();
        var (a, b) = await StartNodesAsync(redis.Address);
        var clients = new[] { a.Connect(), b.Connect() };
        foreach (var client in clients)
            foreach (var channel in new[] { "post:1", "room:1", "passing:1" }) await client.SubscribeAsync(channel);

        foreach (var channel in new[] { "post:1", "room:1", "passing:1" })
        {
            await a.PublishAsync(channel, "from-a");
            foreach (var client in clients) await client.SeesEventsAsync(channel, "from-a");
            await b.PublishAsync(channel, "from-b");
            foreach (var client in clients) await client.SeesEventsAsync(channel, "from-a", "from-b");
        }
    }

    [Fact]
    public async Task Redis_is_killed_under_load_and_comes_back_and_nobody_misses_anything()
    {
        var redis = await StartRedisAsync();
        var (a, b) = await StartNodesAsync(redis.Address);
        var (here, there) = (a.Connect(), b.Connect());
        foreach (var client in new[] { here, there }) await client.SubscribeAsync("post:1");

        var count = 0;
        using var enough = new CancellationTokenSource();
        var load = Task.Run(async () =>
        {
            using var pace = new PeriodicTimer(TimeSpan.FromMilliseconds(4)); // 500 a second over both
            while (!enough.IsCancellationRequested)
            {
                await (count % 2 == 0 ? a : b).PublishAsync("post:1", $"e{count++}");
                await (count % 2 == 0 ? a : b).PublishAsync("post:1", $"e{count++}");
                await pace.WaitForNextTickAsync(CancellationToken.None);
            }
        });

        for (var kill = 0; kill < TestRun.Number(2, 10); kill++)
        {
            await Eventually.ReachesAsync(() => there.EventsOf("post:1").Count, (kill * 300) + 100, "events arrive", Long);
            await redis.KillAsync();
            await Eventually.HoldsAsync(() => !a.Engine.Broker.IsUp && !b.Engine.Broker.IsUp, "both nodes notice");
            var before = here.EventsOf("post:1").Count;
            await Eventually.ReachesAsync(() => here.EventsOf("post:1").Count, before + 50, "events of this node go on", Long);
            await redis.StartAgainAsync();
            await Eventually.HoldsAsync(() => a.Engine.Broker.IsUp && b.Engine.Broker.IsUp, "the bus is up again", Long);
        }

        await enough.CancelAsync();
        await load;
        string[] all = [.. Enumerable.Range(0, count).Select(number => $"e{number}")];
        foreach (var client in new[] { here, there })
        {
            await Eventually.ReachesAsync(() => client.EventsOf("post:1").Count, count, "events arrive", Long);
            client.EventsOf("post:1").ShouldBe(all);
            client.Transport.Closed.ShouldBeNull();
        }
    }

    [Fact]
    public async Task Redis_is_killed_and_whoever_missed_what_was_only_in_memory_is_told()
    {
        var redis = await StartRedisAsync();
        var (a, b) = await StartNodesAsync(redis.Address);
        var (here, there) = (a.Connect(), b.Connect());
        foreach (var client in new[] { here, there }) await client.SubscribeAsync("room:1");
        await a.PublishAsync("room:1", "before");
        await there.SeesEventsAsync("room:1", "before");
        var position = there.PositionOf("room:1");

        await redis.KillAsync();
        await Eventually.HoldsAsync(() => !a.Engine.Broker.IsUp && !b.Engine.Broker.IsUp, "both nodes notice");
        await a.PublishAsync("room:1", "during");
        await redis.StartAgainAsync();

        await Eventually.HoldsAsync(() => there.Transport.Closed is not null, "the reader on the other node is cut", Long);
        there.EventsOf("room:1").ShouldBe(["before"]);
        var again = b.Connect();
        await again.SubscribeAsync("room:1", position);
        again.Transport.Lines[^1].ShouldStartWith("subscribed room:1 lost");
        await a.PublishAsync("room:1", "after");
        await again.SeesEventsAsync("room:1", "after");
        await here.SeesEventsAsync("room:1", "before", "during", "after");
        here.Transport.Closed.ShouldBeNull();
    }

    [Fact]
    public async Task A_redis_that_stands_still_is_noticed_and_what_was_published_meanwhile_arrives_by_the_log()
    {
        var redis = await StartRedisAsync();
        var (a, b) = await StartNodesAsync(redis.Address);
        var there = b.Connect();
        await there.SubscribeAsync("post:1");

        redis.Pause();
        await a.PublishAsync("post:1", "meanwhile");
        await there.SeesEventsAsync("post:1", "meanwhile");
        await Eventually.HoldsAsync(() => !a.Engine.Broker.IsUp, "it is noticed", Long);
        redis.Resume();
        await Eventually.HoldsAsync(() => a.Engine.Broker.IsUp && b.Engine.Broker.IsUp, "the bus is up again", Long);
    }

    [Fact]
    public async Task What_somebody_else_publishes_in_redis_is_not_taken()
    {
        var redis = await StartRedisAsync();
        var (a, b) = await StartNodesAsync(redis.Address);
        var there = b.Connect();
        await there.SubscribeAsync("passing:1");
        var forged = new BusMessage("intruder", 1, [new(Draft("forged"))], [new DisconnectUser("42", null, CloseReason.Disconnected, null)]);

        await using var intruder = await RedisConnection.OpenAsync(
            Brokers.Parse(redis.Address).Endpoints[0], Brokers.Parse(redis.Address), null, null, static _ => { }, CancellationToken.None);
        foreach (var bytes in new[] { [], [1, 2, 3], Brokers.Sealed(forged, "another secret, guessed and not quite right"), Brokers.Sealed(forged)[..^1] })
        {
            (await intruder.AskAsync("PUBLISH", Brokers.Names.Of(EngineHost.Name("passing:1")), bytes)).Number.ShouldBe(1);
            await intruder.AskAsync("PUBLISH", Brokers.Names.Nodes, bytes);
        }

        // Even a true message says nothing on a channel that it was not sent on.
        await intruder.AskAsync("PUBLISH", Brokers.Names.Of(EngineHost.Name("passing:1")), Brokers.Sealed(forged with { Publications = [new(Draft("moved") with { Channel = EngineHost.Name("passing:2") })] }));
        await a.PublishAsync("passing:1", "true");
        await there.SeesEventsAsync("passing:1", "true");
        there.Transport.Closed.ShouldBeNull();
    }

    [Fact]
    public async Task A_user_of_redis_who_may_do_only_what_is_needed_is_enough()
    {
        var redis = await StartRedisAsync(
            "user default off", "user tidings on >s3cret ~tidings:tests:* &tidings:tests:* -@all +hello +auth +ping +role +client|setname +subscribe +unsubscribe +publish +eval +evalsha +@scripting +@hash +@set +@sortedset +time +exists +del");
        var (a, b) = await StartNodesAsync($"{redis.Address},user=tidings,password=s3cret");
        var there = b.Connect();
        await there.SubscribeAsync("passing:1");
        await a.PublishAsync("passing:1", "one");
        await there.SeesEventsAsync("passing:1", "one");

        await using var refused = Brokers.At($"{redis.Address},user=tidings,password=wrong");
        refused.DeliverTo(new RecordingReceiver());
        refused.Carry([new(Draft("nowhere"))]);
        refused.IsUp.ShouldBeFalse();
    }

    [Fact]
    public async Task A_member_is_one_on_all_nodes_and_leaves_with_the_last()
    {
        var redis = await StartRedisAsync();
        var (a, b) = await StartNodesAsync(redis.Address, withPresence: true);
        var watcher = b.Connect("7");
        await watcher.SubscribeAsync("club:1");
        var (one, two) = (a.Connect("42"), b.Connect("42"));
        await one.SubscribeAsync("club:1");
        await two.SubscribeAsync("club:1");
        await watcher.Transport.WaitAsync(lines => lines.Any(static line => line.Contains("presence_joined", StringComparison.Ordinal) && line.Contains("\"42\"", StringComparison.Ordinal)), "42 to come");
        await a.HasMembersAsync("club:1", 2);

        await one.LeaveAsync();
        await two.LeaveAsync();
        await b.HasMembersAsync("club:1", 1);

        await watcher.Transport.WaitAsync(lines => lines.Any(static line => line.Contains("presence_left", StringComparison.Ordinal)), "42 to go");
        watcher.Transport.Lines.Count(static line => line.Contains("presence_joined", StringComparison.Ordinal) && line.Contains("\"42\"", StringComparison.Ordinal)).ShouldBe(1);
        watcher.Transport.Lines.Count(static line => line.Contains("presence_left", StringComparison.Ordinal)).ShouldBe(1);
    }

    /// <summary>F13: the promoted replica knows nothing of what the old master carried, and the old one is still there.</summary>
    [Fact]
    public async Task Sentinels_promote_a_replica_and_both_nodes_follow_without_a_gap()
    {
        var master = await StartRedisAsync();
        var replica = await StartRedisAsync($"replicaof 127.0.0.1 {master.Port}");
        await Eventually.HoldsAsync(async () => (await replica.TryAskAsync("INFO replication"))?.Contains("master_link_status:up", StringComparison.Ordinal) == true, "the replica follows");
        var sentinels = new List<RedisServer>();
        for (var number = 0; number < 3; number++) sentinels.Add(Started(await RedisServer.StartSentinelAsync(master)));
        await Eventually.HoldsAsync(
            async () => (await sentinels[0].TryAskAsync("SENTINEL master tidings"))?.Contains("num-other-sentinels\r\n$1\r\n2", StringComparison.Ordinal) == true
                && (await sentinels[1].TryAskAsync("SENTINEL replicas tidings"))?.Contains(replica.Port.ToString(System.Globalization.CultureInfo.InvariantCulture), StringComparison.Ordinal) == true,
            "the Sentinels know each other and the replica",
            Long);

        var (a, b) = await StartNodesAsync($"{string.Join(',', sentinels.Select(static sentinel => sentinel.Address))},serviceName=tidings");
        var there = b.Connect();
        await there.SubscribeAsync("post:1");
        await a.PublishAsync("post:1", "before");
        await there.SeesEventsAsync("post:1", "before");

        master.Pause(); // it hangs, as one that is cut off does, and both nodes still have their connections to it
        await a.PublishAsync("post:1", "during");
        await Eventually.HoldsAsync(async () => (await replica.TryAskAsync("ROLE"))?.Contains("master", StringComparison.Ordinal) == true, "the replica is promoted", Long);
        await Eventually.HoldsAsync(() => a.Engine.Broker.IsUp && b.Engine.Broker.IsUp, "both nodes are on the new master", Long);
        master.Resume(); // it still takes itself for the master, for a moment
        await a.PublishAsync("post:1", "after");

        await there.SeesEventsAsync("post:1", "before", "during", "after");
        there.Transport.Closed.ShouldBeNull();
        await Eventually.HoldsAsync(
            async () => (await replica.TryAskAsync("CLIENT LIST"))?.Split("name=tidings").Length == 3, "both nodes are connected to the new master, and to it alone", Long);
    }

    private static Realtime.Publications.PublicationDraft Draft(string id) => new()
    {
        Channel = EngineHost.Name("passing:1"),
        Type = "said",
        Id = id,
        Timestamp = DateTimeOffset.UnixEpoch,
        Payload = "{}"u8.ToArray(),
    };

    private async Task<RedisServer> StartRedisAsync(params string[] configuration) => Started(await RedisServer.StartAsync(configuration));

    private async Task<(EngineHost A, EngineHost B)> StartNodesAsync(string redis, bool withPresence = false)
    {
        var a = await StartAsync(null);
        var b = await StartAsync(a);
        await Eventually.HoldsAsync(() => a.Engine.Broker.IsUp && b.Engine.Broker.IsUp, "the bus is up", Long);
        return (a, b);

        async Task<EngineHost> StartAsync(EngineHost? sharing)
        {
            var broker = Started(Brokers.At(redis));
            var presence = withPresence
                ? Started(new RedisPresenceStore(Brokers.Parse(redis), Brokers.Names, TimeProvider.System, NullLogger<RedisPresenceStore>.Instance))
                : null;
            var host = Started(new EngineHost(new() { Shards = 2, PresenceGrace = TimeSpan.FromSeconds(1) }, broker: broker, sharing: sharing, presence: presence));
            await host.Engine.StartAsync(CancellationToken.None);
            return host;
        }
    }

    private T Started<T>(T one)
        where T : IAsyncDisposable
    {
        _started.Add(one);
        return one;
    }
}
