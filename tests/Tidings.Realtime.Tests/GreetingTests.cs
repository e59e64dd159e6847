using System.Text;
using Tidings.Realtime.Channels;
using Tidings.Realtime.Connections;
using Tidings.Realtime.Publications;

namespace Tidings.Realtime.Tests;

/// <summary>What one connection is told right after it has subscribed.</summary>
public sealed class GreetingTests
{
    [Fact]
    public async Task A_subscriber_is_greeted_alone_and_behind_what_it_missed()
    {
        await using var host = await StartAsync(new Greeting());
        var first = host.Connect("1");
        await first.SubscribeAsync("creator:7");
        await first.SeesAsync("event creator:7 hello  \"1 in creator:7\"");
        await host.PublishAsync("creator:7", "a");
        await first.SeesEventsAsync("creator:7", "hello", "a");
        var place = first.PositionOf("creator:7");
        await host.PublishAsync("creator:7", "b");

        var second = host.Connect("2");
        await second.SubscribeAsync("creator:7", place);
        await second.SeesAsync("event creator:7 hello  \"2 in creator:7\"");
        await host.PublishAsync("creator:7", "c");
        await second.SeesEventsAsync("creator:7", "b", "hello", "c");
        await first.SeesEventsAsync("creator:7", "hello", "a", "b", "c");
    }

    [Fact]
    public async Task Other_channels_are_not_greeted_and_neither_are_those_who_left_meanwhile()
    {
        var greeting = new Greeting { Gate = new TaskCompletionSource() };
        await using var host = await StartAsync(greeting);
        var client = host.Connect();
        await client.SubscribeAsync("post:1");
        await client.SubscribeAsync("creator:7");
        await client.HandleAsync(new Commands.UnsubscribeCommand(5, EngineHost.Name("creator:7")));
        greeting.Gate.SetResult();
        await client.SubscribeAsync("creator:8");

        await client.SeesAsync("event creator:8 hello  \"42 in creator:8\"");
        client.Transport.Lines.Count(line => line.Contains(" hello ", StringComparison.Ordinal)).ShouldBe(1);
    }

    [Fact]
    public async Task A_greeting_that_fails_costs_nothing_but_itself()
    {
        await using var host = await StartAsync(new Greeting { Fails = true });
        var client = host.Connect();
        await client.SubscribeAsync("creator:7");
        await host.PublishAsync("creator:7", "a");

        await client.SeesEventsAsync("creator:7", "a");
    }

    private static async Task<EngineHost> StartAsync(Greeting greeting)
    {
        var host = new EngineHost(greeting: greeting);
        await host.Engine.StartAsync(CancellationToken.None);
        return host;
    }

    private sealed class Greeting : IChannelGreeting
    {
        public TaskCompletionSource? Gate { get; init; }

        public bool Fails { get; init; }

        public bool Greets(ChannelName channel) => channel.Kind == "creator";

        public async ValueTask<PublicationDraft?> MakeAsync(ClientIdentity identity, ChannelName channel, CancellationToken cancellationToken)
        {
            if (Gate is not null) await Gate.Task;
            if (Fails) throw new InvalidOperationException("no words");
            return new PublicationDraft
            {
                Channel = channel,
                Type = "hello",
                Id = "g",
                Timestamp = DateTimeOffset.UnixEpoch,
                Payload = Encoding.UTF8.GetBytes($"\"{identity.UserId} in {channel}\""),
            };
        }
    }
}
