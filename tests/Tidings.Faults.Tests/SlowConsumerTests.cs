using Tidings.Testing;
using Tidings.Testing.Clients;
using Tidings.Testing.Network;
using Tidings.Testing.Servers;

namespace Tidings.Faults.Tests;

/// <summary>F19: one of many stops reading.</summary>
public sealed class SlowConsumerTests(ITestOutputHelper output)
{
    private static readonly TimeSpan CutWithin = TimeSpan.FromSeconds(10);

    [Fact]
    public async Task One_of_many_that_stops_reading_is_cut_holds_little_and_comes_back_to_all_that_it_missed()
    {
        var (readers, posts) = (TestRun.Number(200, 1_000), TestRun.Number(2_000, 10_000));
        await using var server = await ServerProcess.StartAsync(new ServerSettings { Settings = Scenario.LongHistory });
        using var author = await Account.RegisterAsync(server, "author");
        await using var first = await NativeClient.ConnectAsync(author);
        var place = (await first.SubscribeAsync(author.Creator)).Text("position")!;
        await first.DisposeAsync();
        var others = new List<CountingClient>();
        for (var number = 1; number < readers; number++) others.Add(await CountingClient.OpenAsync(server.Address, Token(number), author.Creator, "post_created"));
        using var stalled = await RawWebSocket.OpenAsync(server.Address, Token(0), receiveBuffer: 4_096);
        await stalled.SendTextAsync($$"""{"type":"subscribe","channel":"{{author.Creator}}"}""");
        await Eventually.HoldsAsync(async () => await server.GetMetricAsync("tidings_subscriptions") >= 2 * readers, "all are subscribed, to this and to broadcasts");

        var written = 0;
        double held = 0;
        while (written < posts)
        {
            await PostAsync(Math.Min(100, posts - written));
            foreach (var other in others) await Eventually.ReachesAsync(() => other.Count, written, "events");
            held = Math.Max(held, await server.GetMetricAsync("tidings_outbound_bytes")); // the others have all there is: what waits is its
        }

        await Eventually.HoldsAsync(async () => await server.GetMetricAsync("tidings_slow_readers_total") == 1, "it alone was cut", CutWithin);
        output.WriteLine($"at most {held / 1024:0} KB waited for it");
        held.ShouldBeInRange(1, 1.5 * 1024 * 1024);
        await Eventually.HoldsAsync(async () => await server.GetMetricAsync("tidings_outbound_bytes") == 0, "nothing is held for it any more", CutWithin);
        new[] { 4409, WireClose.Broken }.ShouldContain((await stalled.ReadToCloseAsync()).Code);
        others.ShouldAllBe(other => other.IsOpen);
        others.Select(other => other.Sum).Distinct().Count().ShouldBe(1, "all got the same in the same order");

        await using var back = await NativeClient.ConnectAsync(server.Address, Token(0));
        (await back.SubscribeAsync(author.Creator, place)).GetProperty("recovered").GetBoolean().ShouldBeTrue();
        await Eventually.ReachesAsync(() => back.EventsOf(author.Creator).Count, posts, "events recovered", TimeSpan.FromSeconds(60));
        back.EventsOf(author.Creator).Select(happened => happened.PostKey()).ShouldBe(Enumerable.Range(1, posts).Select(number => $"{number}"), ignoreOrder: true);
        foreach (var other in others) other.Dispose();

        async Task PostAsync(int count)
        {
            await Parallel.ForEachAsync(Enumerable.Range(written + 1, count), new ParallelOptions { MaxDegreeOfParallelism = 8 }, async (number, _) =>
                await author.PostAsync($"{number} {new string('x', 2_500)}"));
            written += count;
        }

        string Token(int number) => UserToken.For($"reader-{number}", server.AuthSecret);
    }
}
