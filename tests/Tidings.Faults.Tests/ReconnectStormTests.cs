using System.Collections.Concurrent;
using System.Diagnostics;
using Tidings.Testing;
using Tidings.Testing.Clients;
using Tidings.Testing.Servers;

namespace Tidings.Faults.Tests;

/// <summary>F21: everybody comes back at once.</summary>
public sealed class ReconnectStormTests(ITestOutputHelper output)
{
    [Fact]
    public async Task A_crowd_that_comes_back_after_a_kill_recovers_everything_and_spares_the_database()
    {
        var crowd = TestRun.Number(500, 5_000);
        await using var server = await ServerProcess.StartAsync();
        using var author = await Account.RegisterAsync(server, "author");
        var places = new ConcurrentDictionary<int, string>();
        await EachAsync(async number =>
        {
            await using var client = await ConnectAsync(number);
            places[number] = (await client.SubscribeAsync(author.Creator)).Text("position")!;
        });
        for (var number = 0; number < 10; number++) await author.PostAsync($"missed {number}");

        await server.KillAsync();
        await server.StartAgainAsync();
        await author.PostAsync("missed 10");
        var before = await server.GetMetricAsync("tidings_database_statements_total");
        var began = Stopwatch.GetTimestamp();
        var lost = new ConcurrentBag<string>();
        var clients = new ConcurrentBag<NativeClient>();
        await EachAsync(async number =>
        {
            var client = await ConnectAsync(number);
            clients.Add(client);
            var answer = await client.SubscribeAsync(author.Creator, places[number]);
            if (!answer.GetProperty("recovered").GetBoolean()) lost.Add($"{number}: not recovered");
        });
        var statements = await server.GetMetricAsync("tidings_database_statements_total") - before;
        var took = Stopwatch.GetElapsedTime(began);
        await author.PostAsync("live");

        var expected = Enumerable.Range(0, 11).Select(number => $"missed {number}").Append("live").ToList();
        foreach (var client in clients)
        {
            await client.WaitForAsync(message => message.PostText() == "live", "what is live");
            client.EventsOf(author.Creator).Select(happened => happened.PostText()).ShouldBe(expected);
            await client.DisposeAsync();
        }

        output.WriteLine($"{crowd} came back in {took.TotalSeconds:0.0} s with {statements / crowd:0.000} statements each");
        lost.ShouldBeEmpty();

        // Lookups wait 10 ms for each other, so what a crowd costs is bounded by its number when it comes fast, and by the time when it comes slowly.
        statements.ShouldBeLessThan(Math.Max(0.2 * crowd, 2 * took.TotalMilliseconds / 10)); // who it is, and what it may

        Task EachAsync(Func<int, Task> act) =>
            Parallel.ForEachAsync(Enumerable.Range(0, crowd), new ParallelOptions { MaxDegreeOfParallelism = 64 }, async (number, _) => await act(number));

        Task<NativeClient> ConnectAsync(int number) => NativeClient.ConnectAsync(server.Address, UserToken.For($"crowd-{number}", server.AuthSecret));
    }
}
