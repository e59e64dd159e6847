using System.Text;
using Tidings.Realtime.Commands;

namespace Tidings.Realtime.Tests.Presence;

public sealed class TypingTests
{
    private static readonly RealtimeOptions Options = new() { Shards = 2, HeartbeatInterval = TimeSpan.FromHours(10) };

    private readonly ManualClock _clock = new();

    [Fact]
    public async Task The_others_see_who_is_typing_and_until_when_and_the_sender_does_not()
    {
        await using var host = await EngineHost.StartAsync(Options, _clock);
        var (alice, bob) = (host.Connect("alice"), host.Connect("bob"));
        var alicesOther = host.Connect("alice");
        foreach (var client in (TestClient[])[alice, bob, alicesOther]) await client.SubscribeAsync("post:7");

        await TypeAsync(alice, "post:7", """{"userId":"mallory","until":"2099-01-01T00:00:00.000Z","type":"x"}""");

        const string typing = "event post:7 typing  {\"userId\":\"alice\",\"until\":\"2026-01-01T00:00:05.000Z\"}";
        await bob.SeesAsync(typing);
        await alicesOther.SeesAsync(typing);
        await host.PublishAsync("post:7", "end");
        await alice.SeesEventsAsync("post:7", "end");
        alice.Transport.Lines.ShouldContain("PublishedMessage");
    }

    [Fact]
    public async Task More_than_once_a_second_is_answered_and_dropped_for_each_user_and_channel()
    {
        await using var host = await EngineHost.StartAsync(Options, _clock);
        var (alice, bob) = (host.Connect("alice"), host.Connect("bob"));
        foreach (var client in (TestClient[])[alice, bob])
        {
            await client.SubscribeAsync("post:7");
            await client.SubscribeAsync("post:8");
        }

        for (var time = 0; time < 5; time++) await TypeAsync(alice, "post:7");
        await TypeAsync(alice, "post:8");
        await alice.Transport.WaitAsync(lines => lines.Count(line => line == "PublishedMessage") == 6, "six answers");
        await bob.SeesEventsAsync("post:7", "typing");
        await bob.SeesEventsAsync("post:8", "typing");

        _clock.Advance(TimeSpan.FromSeconds(1));
        await TypeAsync(alice, "post:7");
        await bob.SeesEventsAsync("post:7", "typing", "typing");
    }

    [Fact]
    public async Task It_is_in_no_history_and_no_replay()
    {
        await using var host = await EngineHost.StartAsync(Options, _clock);
        var (alice, bob) = (host.Connect("alice"), host.Connect("bob"));
        await alice.SubscribeAsync("post:7");
        await bob.SubscribeAsync("post:7");
        var position = bob.PositionOf("post:7");
        await TypeAsync(alice, "post:7");
        await bob.SeesEventsAsync("post:7", "typing");
        await host.PublishAsync("post:7", "said");

        var late = host.Connect("late");
        await late.SubscribeAsync("post:7", position);

        await late.SeesEventsAsync("post:7", "said");
    }

    [Fact]
    public async Task It_takes_a_subscription_a_user_and_a_kind_that_allows_it()
    {
        await using var host = await EngineHost.StartAsync(Options, _clock);
        var alice = host.Connect("alice");
        await TypeAsync(alice, "post:7");
        await alice.SeesAsync("error NotSubscribed post:7");
        await alice.SubscribeAsync("creator:7");
        await TypeAsync(alice, "creator:7");
        await alice.SeesAsync("error Forbidden creator:7");
        var nobody = host.Connect(null);
        await nobody.SubscribeAsync("post:7");
        await TypeAsync(nobody, "post:7");
        await nobody.SeesAsync("error Forbidden post:7");
    }

    [Theory]
    [InlineData("presence_joined")]
    [InlineData("presence_left")]
    [InlineData("presence_count")]
    [InlineData("Typing")]
    public async Task Nothing_else_may_be_published_where_only_typing_may(string name)
    {
        await using var host = await EngineHost.StartAsync(Options, _clock);
        var alice = host.Connect("alice");
        await alice.SubscribeAsync("post:7");

        await alice.HandleAsync(new PublishCommand(2, EngineHost.Name("post:7"), name, "{}"u8.ToArray()));

        await alice.SeesAsync("error Forbidden post:7");
    }

    [Theory]
    [InlineData("presence_joined")]
    [InlineData("presence_left")]
    [InlineData("presence_count")]
    public async Task Nobody_may_speak_in_the_engines_name(string name)
    {
        await using var host = await EngineHost.StartAsync(Options, _clock);
        var alice = host.Connect("alice");
        await alice.SubscribeAsync("club:1");

        await alice.HandleAsync(new PublishCommand(2, EngineHost.Name("club:1"), name, "{}"u8.ToArray()));

        await alice.SeesAsync("error Forbidden club:1");
    }

    [Fact]
    public async Task Where_clients_may_publish_typing_is_the_same()
    {
        await using var host = await EngineHost.StartAsync(Options, _clock);
        var (alice, bob) = (host.Connect("alice"), host.Connect("bob"));
        await alice.SubscribeAsync("club:1");
        await bob.SubscribeAsync("club:1", presence: false);

        await TypeAsync(alice, "club:1", "[1]");

        await bob.SeesAsync("event club:1 typing  {\"userId\":\"alice\",\"until\":\"2026-01-01T00:00:05.000Z\"}");
    }

    private static Task TypeAsync(TestClient client, string channel, string data = "{}") =>
        client.HandleAsync(new PublishCommand(1, EngineHost.Name(channel), "typing", Encoding.UTF8.GetBytes(data)));
}
