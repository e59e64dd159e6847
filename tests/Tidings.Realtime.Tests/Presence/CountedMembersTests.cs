namespace Tidings.Realtime.Tests.Presence;

/// <summary>Channels with many members, of whom only the number is told (F30), and members whose node died.</summary>
public sealed class CountedMembersTests
{
    private static readonly RealtimeOptions Options = new() { Shards = 2, HeartbeatInterval = TimeSpan.FromHours(10), AnnouncedMembers = 3 };

    private readonly ManualClock _clock = new();

    [Fact]
    public async Task Above_the_limit_there_is_one_count_a_second_and_below_it_names_again()
    {
        await using var host = await EngineHost.StartAsync(Options, _clock);
        var watcher = host.Connect("watcher");
        await watcher.SubscribeAsync("club:1");
        var others = new List<TestClient>();
        for (var user = 0; user < 10; user++)
        {
            others.Add(host.Connect($"u{user}"));
            await others[user].SubscribeAsync("club:1");
            await host.HasMembersAsync("club:1", user + 2);
        }

        _clock.Advance(TimeSpan.FromSeconds(1));
        await watcher.SeesAsync("event club:1 presence_count  {\"count\":11}");
        _clock.Advance(TimeSpan.FromSeconds(5));
        await EndOfStoryAsync(host, watcher, "first");
        watcher.EventsOf("club:1").ShouldBe(["presence_joined", "presence_joined", "presence_count", "first"]);

        foreach (var other in others.Skip(1)) await other.LeaveAsync();
        _clock.Advance(TimeSpan.FromSeconds(6));
        await host.HasMembersAsync("club:1", 2);
        _clock.Advance(TimeSpan.FromSeconds(1));
        await watcher.SeesAsync("event club:1 presence_count  {\"count\":2}");
        watcher.EventsOf("club:1").Count(type => type == "presence_left").ShouldBe(0, "nobody is said to have left who was not said to have come");

        await others[0].LeaveAsync();
        _clock.Advance(TimeSpan.FromSeconds(6));
        await watcher.SeesAsync("event club:1 presence_left  {\"member\":{\"userId\":\"u0\",\"info\":{\"name\":\"u0\"}}}");
    }

    [Fact]
    public async Task A_list_is_bounded_and_says_how_many_there_are()
    {
        await using var host = await EngineHost.StartAsync(Options with { ListedMembers = 5 }, _clock);
        for (var user = 0; user < 8; user++) await host.Connect($"u{user}").SubscribeAsync("club:1");
        await host.HasMembersAsync("club:1", 8);
        var watcher = host.Connect("watcher");
        await watcher.SubscribeAsync("club:1", presence: false);

        await watcher.AskWhoAsync("club:1");

        await watcher.Transport.WaitAsync(lines => lines.Any(line => line.StartsWith("presence club:1 8: ", StringComparison.Ordinal) && line.Split(',').Length == 5), "five of eight");
    }

    [Fact]
    public async Task F30_a_flood_of_joins_and_leaves_costs_what_its_members_are_not_their_square()
    {
        var members = Environment.GetEnvironmentVariable("TIDINGS_LONG") == "1" ? 10_000 : 2_000;
        const int seconds = 10;
        await using var host = await EngineHost.StartAsync(new RealtimeOptions { Shards = 2, HeartbeatInterval = TimeSpan.FromHours(10) }, _clock);
        var clients = new List<TestClient>();
        for (var second = 0; second < seconds; second++)
        {
            for (var number = 0; number < members / seconds; number++)
            {
                clients.Add(host.Connect($"u{clients.Count}"));
                await clients[^1].SubscribeAsync("club:1");
            }

            await host.HasMembersAsync("club:1", clients.Count);
            _clock.Advance(TimeSpan.FromSeconds(1));
        }

        _clock.Advance(TimeSpan.FromSeconds(2));
        await clients[0].SeesAsync($"event club:1 presence_count  {{\"count\":{members}}}");
        await Task.WhenAll(clients.Select(client => client.SeesAsync($"event club:1 presence_count  {{\"count\":{members}}}")));

        var joined = clients.Sum(client => client.EventsOf("club:1").Count(type => type == "presence_joined"));
        joined.ShouldBeLessThanOrEqualTo(100 * 100 / 2, "the first hundred are announced to each other, and nobody else to anybody");
        clients.ShouldAllBe(client => client.EventsOf("club:1").Count(type => type == "presence_count") <= seconds + 2);

        await Task.WhenAll(clients.Skip(1).Select(client => client.LeaveAsync()));
        for (var second = 0; second < seconds; second++) _clock.Advance(TimeSpan.FromSeconds(1));
        await host.HasMembersAsync("club:1", 1);
        _clock.Advance(TimeSpan.FromSeconds(2));
        await clients[0].SeesAsync("event club:1 presence_count  {\"count\":1}");
        clients[0].EventsOf("club:1").Count(type => type == "presence_left").ShouldBe(0);
    }

    [Fact]
    public async Task Members_of_a_node_that_died_leave()
    {
        await using var host = await EngineHost.StartAsync(Options, _clock);
        var watcher = host.Connect("watcher");
        await watcher.SubscribeAsync("club:1");
        var ghost = new Connections.PresenceMember("ghost", "{}"u8.ToArray());
        await host.Presence.PutAsync(EngineHost.Name("club:1"), ghost, "another node", TimeSpan.FromSeconds(30), CancellationToken.None);
        await watcher.AskWhoAsync("club:1");
        await watcher.SeesAsync("presence club:1 2: ghost,watcher");

        for (var second = 0; second < 45; second++)
        {
            _clock.Advance(TimeSpan.FromSeconds(1));
            await Task.Yield();
        }

        await watcher.SeesAsync("event club:1 presence_left  {\"member\":{\"userId\":\"ghost\",\"info\":{}}}");
        await host.HasMembersAsync("club:1", 1);
    }

    [Fact]
    public async Task A_node_that_was_taken_for_dead_puts_its_members_back()
    {
        await using var host = await EngineHost.StartAsync(Options, _clock);
        var watcher = host.Connect("watcher");
        await watcher.SubscribeAsync("club:1");
        await host.Connect("bob").SubscribeAsync("club:1");
        await host.HasMembersAsync("club:1", 2);

        _clock.Jump(TimeSpan.FromMinutes(5));
        (await host.Presence.TakeExpiredAsync(CancellationToken.None)).Count.ShouldBe(2);
        _clock.Advance(TimeSpan.FromSeconds(1));

        await host.HasMembersAsync("club:1", 2);
    }

    [Fact]
    public async Task A_user_on_two_nodes_is_one_member()
    {
        await using var host = await EngineHost.StartAsync(Options, _clock);
        var watcher = host.Connect("watcher");
        await watcher.SubscribeAsync("club:1");
        await host.Presence.PutAsync(EngineHost.Name("club:1"), new Connections.PresenceMember("bob", default), "another node", TimeSpan.FromHours(1), CancellationToken.None);
        var bob = host.Connect("bob");
        await bob.SubscribeAsync("club:1");
        await bob.AskWhoAsync("club:1");
        await bob.SeesAsync("presence club:1 2: bob,watcher");
        await bob.LeaveAsync();
        _clock.Advance(TimeSpan.FromSeconds(10));

        await EndOfStoryAsync(host, watcher, "end");
        watcher.EventsOf("club:1").ShouldBe(["end"]);
        await host.HasMembersAsync("club:1", 2);
    }

    private static async Task EndOfStoryAsync(EngineHost host, TestClient client, string id)
    {
        await host.PublishAsync("club:1", id);
        await client.Transport.WaitAsync(_ => client.EventsOf("club:1").Contains(id), "the end");
    }
}
