using System.Net;
using Tidings.Testing;
using Tidings.Testing.Clients;

namespace Tidings.Cluster.Tests;

/// <summary>F4: without the database nothing is acknowledged, live connections stay, and with it again everything goes on.</summary>
public sealed class DatabaseOutageTests
{
    [Fact]
    public async Task PostgreSQL_crashes_under_load_and_what_was_answered_is_there()
    {
        await using var scenario = await ClusterScenario.StartAsync();
        using var stop = new CancellationTokenSource();
        var writing = scenario.Writer.WriteAsync(50, stop.Token);
        await Eventually.ReachesAsync(() => scenario.Log.AcknowledgedCount, 100, "acknowledged posts");

        await scenario.Cluster.Database.CrashAsync();
        foreach (var node in scenario.Cluster.Nodes)
        {
            await Eventually.HoldsAsync(async () => !await node.Server.IsReadyAsync(), "it says that it is not ready");
            (await StatusAsync(node, "/health/live")).ShouldBe(HttpStatusCode.OK);
        }

        await scenario.Cluster.Database.StartAgainAsync();
        foreach (var node in scenario.Cluster.Nodes) await Eventually.HoldsAsync(node.Server.IsReadyAsync, "it is ready again", TimeSpan.FromSeconds(60));
        await Eventually.ReachesAsync(() => scenario.Log.AcknowledgedCount, scenario.Log.AcknowledgedCount + 100, "more posts", TimeSpan.FromSeconds(60));
        await stop.CancelAsync();
        await writing;
        await scenario.JudgeAsync();
    }

    [Fact]
    public async Task While_the_database_hangs_writes_are_refused_soon_and_live_connections_stay()
    {
        await using var scenario = await ClusterScenario.StartAsync();
        await using var live = await NativeClient.ConnectAsync(scenario.Followers[1]);
        await live.SubscribeAsync(scenario.Authors[0].Creator);

        scenario.Cluster.Database.Pause();
        try
        {
            using var deadline = new CancellationTokenSource(TimeSpan.FromSeconds(20));
            using var answer = await scenario.Authors[0].TryPostAsync("while it hangs", "hanging", deadline.Token);
            answer.StatusCode.ShouldBe(HttpStatusCode.ServiceUnavailable);
            answer.Headers.RetryAfter.ShouldNotBeNull();
            live.IsOpen.ShouldBeTrue();
        }
        finally
        {
            scenario.Cluster.Database.Resume();
        }

        await Eventually.HoldsAsync(
            async () =>
            {
                using var answer = await scenario.Authors[0].TryPostAsync("while it hangs", "hanging");
                return answer.StatusCode == HttpStatusCode.Created;
            },
            "the same request is taken",
            TimeSpan.FromSeconds(60));
        await live.WaitForAsync(message => message.PostText() == "while it hangs", "it arrives on the other node", TimeSpan.FromSeconds(60));
        (await scenario.Followers[0].GetAllPostsAsync($"creatorId={scenario.Authors[0].Id}")).Count.ShouldBe(1, "and once");
    }

    private static async Task<HttpStatusCode> StatusAsync(Node node, string path)
    {
        using var http = Account.Connect(node.Server);
        using var answer = await http.GetAsync(path);
        return answer.StatusCode;
    }
}
