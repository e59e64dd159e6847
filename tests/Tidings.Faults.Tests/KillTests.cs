using Tidings.Testing;
using Tidings.Testing.Clients;

namespace Tidings.Faults.Tests;

/// <summary>F1: the power goes off, again and again.</summary>
public sealed class KillTests(ITestOutputHelper output)
{
    private const int PostsPerSecond = 200;

    [Fact]
    public async Task Kills_at_random_moments_under_load_lose_nothing_and_repeat_nothing()
    {
        var kills = TestRun.Number(20, 50);
        var chance = TestRun.Chance();
        output.WriteLine($"seed {TestRun.Seed}, {kills} kills at {PostsPerSecond} posts/s");
        await using var scenario = await Scenario.StartAsync(mostWaiting: 2 * PostsPerSecond);
        var (server, writer) = (scenario.Server, scenario.Writer);

        using var stop = new CancellationTokenSource();
        var writing = writer.WriteAsync(PostsPerSecond, stop.Token);
        var retries = new List<Task>();
        for (var kill = 0; kill < kills; kill++)
        {
            await Task.Delay(chance.Next(50, 2_000));
            await server.KillAsync();
            await server.StartAgainAsync();
            retries.Add(writer.RetryUnknownAsync()); // and the next kill may come in the middle of it
        }

        await stop.CancelAsync();
        await writing;
        await Task.WhenAll(retries);
        await scenario.JudgeAsync();

        output.WriteLine($"{writer.Asked} posts asked for, {scenario.Log.AcknowledgedCount} acknowledgements");
        foreach (var reader in scenario.Readers)
        {
            output.WriteLine($"{reader.Name}: {scenario.Log.ReceivedCount(reader.Name, reader.Channel)} events, resumed {reader.Resumed} times");
            reader.Resumed.ShouldBeGreaterThan(kills / 2, reader.Name); // some kills come before it is back from the one before
            reader.NotRecovered.ShouldBe(0, $"{reader.Name}: places given before a crash hold after it");
        }
    }

    [Fact]
    public async Task A_key_that_was_answered_before_the_crash_gets_the_same_answer_after_it()
    {
        await using var scenario = await Scenario.StartAsync();
        var author = scenario.Authors[0];
        var before = await author.PostAsync("once", key: "the-key");

        await scenario.Server.KillAsync();
        await scenario.Server.StartAgainAsync();
        var after = await author.PostAsync("once", key: "the-key");

        after.GetRawText().ShouldBe(before.GetRawText());
        (await author.GetAllPostsAsync($"creatorId={author.Id}")).Count.ShouldBe(1);
    }
}
