using System.Collections.Concurrent;

namespace Tidings.Realtime.Tests;

/// <summary>The seam between replay and live, under a writer at full speed: no hole, no repeat, one order (I2, I3, I4).</summary>
public sealed class SeamTests
{
    [Theory]
    [InlineData("creator:7", 128)]
    [InlineData("creator:7", 2)]
    [InlineData("room:1", 16)]
    [InlineData("feed:42", 4_096)]
    [InlineData("feed:42", 3)]
    public async Task A_reader_that_comes_and_goes_sees_every_event_once(string channel, int memory)
    {
        await using var host = await EngineHost.StartAsync(new RealtimeOptions { Shards = 2, RingEvents = memory, RecentEvents = memory, ConnectionsPerUser = 100 });
        await host.FollowAsync("42", "7");
        var target = channel == "room:1" ? "room:1" : "creator:7";
        var published = new ConcurrentQueue<string>();
        using var pace = new SemaphoreSlim(50);
        using var refill = new Timer(_ => pace.Release(20), null, 1, 1);
        using var stop = new CancellationTokenSource();

        var probe = host.Connect("42");
        await probe.SubscribeAsync(channel);
        var position = probe.PositionOf(channel);
        var writer = Task.Run(async () =>
        {
            for (var number = 0; !stop.IsCancellationRequested; number++)
            {
                await host.PublishAsync(target, $"e{number}");
                published.Enqueue($"e{number}");
                await pace.WaitAsync();
            }
        });

        var seen = new List<string>();
        for (var round = 0; round < 60; round++)
        {
            var client = host.Connect("42");
            await client.SubscribeAsync(channel, position);
            await client.Transport.WaitAsync(_ => client.EventsOf(channel).Count > 0, "an event");
            client.Connection.Close(Realtime.Connections.CloseReason.Normal);
            await client.Connection.Completion;

            if (client.Transport.Lines.Any(line => line.StartsWith($"subscribed {channel} lost", StringComparison.Ordinal)))
            {
                // The writer outran the history. That is told, and the series starts anew from here.
                seen.Clear();
            }

            seen.AddRange(client.EventsOf(channel));
            position = client.PositionOf(channel);
        }

        await stop.CancelAsync();
        await writer;
        var order = published.ToArray();
        var first = Array.IndexOf(order, seen[0]);
        seen.ShouldBe(order.Skip(first).Take(seen.Count));
    }
}
