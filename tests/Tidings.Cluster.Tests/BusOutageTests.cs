using Tidings.Testing;

namespace Tidings.Cluster.Tests;

/// <summary>F12, F14: Redis only carries. Without it everything still arrives, and with it again nothing arrives twice.</summary>
public sealed class BusOutageTests
{
    private const int PostsPerSecond = 50;

    [Fact]
    public async Task Redis_dies_and_comes_back_under_load_and_no_reader_has_a_gap()
    {
        await using var scenario = await ClusterScenario.StartAsync();
        using var stop = new CancellationTokenSource();
        var writing = scenario.Writer.WriteAsync(PostsPerSecond, stop.Token);

        for (var outage = 0; outage < TestRun.Number(2, 10); outage++)
        {
            await PostsPassAsync(scenario, 100);
            await scenario.Cluster.Redis!.KillAsync();
            await PostsPassAsync(scenario, 150); // answered all the same: the database holds the truth
            await scenario.Cluster.Redis.StartAgainAsync();
        }

        await PostsPassAsync(scenario, 100);
        await stop.CancelAsync();
        await writing;
        await scenario.JudgeAsync();
    }

    [Fact]
    public async Task Redis_hangs_and_posts_are_answered_all_the_same()
    {
        await using var scenario = await ClusterScenario.StartAsync();
        using var stop = new CancellationTokenSource();
        var writing = scenario.Writer.WriteAsync(PostsPerSecond, stop.Token);

        await PostsPassAsync(scenario, 50);
        scenario.Cluster.Redis!.Pause();
        await PostsPassAsync(scenario, 200);
        scenario.Cluster.Redis.Resume();
        await PostsPassAsync(scenario, 50);

        await stop.CancelAsync();
        await writing;
        await scenario.JudgeAsync();
    }

    [Fact]
    public async Task Links_are_cut_one_by_one_and_come_back_in_any_order()
    {
        var chance = TestRun.Chance();
        await using var scenario = await ClusterScenario.StartAsync();
        using var stop = new CancellationTokenSource();
        var writing = scenario.Writer.WriteAsync(PostsPerSecond, stop.Token);
        var links = scenario.Cluster.Nodes.Select(node => node.ToBus!).Concat(scenario.Cluster.Nodes.Select(node => node.ToDatabase)).ToArray();

        for (var round = 0; round < TestRun.Number(2, 10); round++)
        {
            chance.Shuffle(links);
            foreach (var link in links)
            {
                link.IsBlackHole = true;
                if (chance.Next(2) == 0) link.Reset();
                await Task.Delay(chance.Next(100, 600)); // how long a link is down is chance, not a wait for anything
            }

            chance.Shuffle(links);
            foreach (var link in links)
            {
                link.IsBlackHole = false;
                link.Reset(); // what was lost in the hole does not come any more
                await Task.Delay(chance.Next(100, 600));
            }

            await PostsPassAsync(scenario, 50);
        }

        await stop.CancelAsync();
        await writing;
        await scenario.JudgeAsync();
    }

    [Fact]
    public async Task Without_Redis_the_notifications_of_PostgreSQL_carry()
    {
        await using var scenario = await ClusterScenario.StartAsync(Bus.Notifications);
        using var stop = new CancellationTokenSource();
        var writing = scenario.Writer.WriteAsync(PostsPerSecond, stop.Token);

        await PostsPassAsync(scenario, 200);
        foreach (var node in scenario.Cluster.Nodes) node.ToDatabase.Reset();
        await PostsPassAsync(scenario, 100);

        await stop.CancelAsync();
        await writing;
        await scenario.JudgeAsync();
    }

    private static Task PostsPassAsync(ClusterScenario scenario, int count)
    {
        var goal = scenario.Log.AcknowledgedCount + count;
        return Eventually.ReachesAsync(() => scenario.Log.AcknowledgedCount, goal, "acknowledged posts", TimeSpan.FromSeconds(60));
    }
}
