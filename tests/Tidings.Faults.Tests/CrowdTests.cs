using System.Globalization;
using Tidings.Testing;
using Tidings.Testing.Checks;
using Tidings.Testing.Clients;
using Tidings.Testing.Servers;

namespace Tidings.Faults.Tests;

/// <summary>F29: somebody posts whom a crowd follows, and the power goes off in the middle of it. What it costs others is in bench/run.sh crowd.</summary>
public sealed class CrowdTests(ITestOutputHelper output)
{
    private const int PostsPerSecond = 5;

    [Fact]
    public async Task Posts_to_a_crowd_of_followers_reach_each_who_is_online_once_although_the_server_is_killed_between()
    {
        var (crowd, online, kills) = (TestRun.Number(100_000, 1_000_000), TestRun.Number(50, 500), TestRun.Number(3, 10));
        var chance = TestRun.Chance();
        output.WriteLine($"seed {TestRun.Seed}, {crowd} followers, {online} of them online, {kills} kills");
        await using var server = await ServerProcess.StartAsync(new ServerSettings { Settings = Scenario.LongHistory });
        using var author = await Account.OfHostAsync(server, "author");
        await server.StopAsync();
        using (var database = DatabaseFile.Open(server.DatabaseFile))
        {
            database.Run(string.Create(CultureInfo.InvariantCulture, $"""
                WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {crowd})
                INSERT INTO follows (follower_id, creator_id, since_seq, created_at) SELECT 'crowd-' || i, 'author', 0, 0 FROM n
                """));
            database.Run(string.Create(CultureInfo.InvariantCulture, $"UPDATE users SET followers_count = {crowd} WHERE id = 'author'"));
        }

        await server.StartAgainAsync();
        var log = new OperationLog();
        var followers = new List<Account>();
        var readers = new List<NativeReader>();
        for (var number = 0; number < online; number++)
        {
            followers.Add(await Account.OfHostAsync(server, $"online-{number}"));
            await followers[^1].FollowAsync(author);
            readers.Add(new NativeReader($"reader-{number}", followers[^1], followers[^1].Feed, log));
            await readers[^1].StartAsync();
        }

        var writer = new KeyedWriter([author], log);
        using var stop = new CancellationTokenSource();
        var writing = writer.WriteAsync(PostsPerSecond, stop.Token);
        for (var kill = 0; kill < kills; kill++)
        {
            await Task.Delay(chance.Next(500, 2_000)); // some posts, and then in the middle of one
            await server.KillAsync();
            await server.StartAgainAsync();
        }

        await stop.CancelAsync();
        await writing;
        await writer.SettleAsync();
        writer.Unexpected.ShouldBeEmpty(server.Output.Text);
        var posts = await author.GetAllPostsAsync($"creatorId={author.Id}");
        foreach (var post in posts) log.Stored(post.PostKey()!, post.Text("id")!);
        posts.Count.ShouldBeGreaterThan(kills);
        foreach (var reader in readers) await Eventually.ReachesAsync(() => log.ReceivedCount(reader.Name, reader.Channel), posts.Count, $"posts for {reader.Name}");

        Checker.Verify(log); // acknowledged is stored, a key is one post, no event came twice
        foreach (var reader in readers)
        {
            log.ReceivedCount(reader.Name, reader.Channel).ShouldBe(posts.Count, reader.Name);
            reader.Complaints.ShouldBeEmpty(reader.Name);
            reader.NotRecovered.ShouldBe(0, reader.Name);
            await reader.DisposeAsync();
        }

        foreach (var follower in followers) follower.Dispose();
        (await author.GetAsync($"/api/creators/{author.Id}")).GetProperty("creator").GetProperty("followersCount").GetInt64().ShouldBe(crowd + online);
    }
}
