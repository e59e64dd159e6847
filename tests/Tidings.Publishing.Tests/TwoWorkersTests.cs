using Tidings.Publishing.Tests.Support;
using Tidings.Testing;
using Tidings.Testing.Clients;
using Tidings.Testing.Platforms;

namespace Tidings.Publishing.Tests;

/// <summary>F17, I8: several nodes publish from one PostgreSQL database, one of them stands still past its lease.</summary>
public sealed class TwoWorkersTests(ITestOutputHelper output)
{
    [Fact]
    public async Task Two_workers_on_one_database_publish_each_post_once_and_send_nothing_twice()
    {
        await using var nodes = await TestNodes.StartAsync(Database.Postgres, count: 2);
        await using var platform = new WebhookDouble();
        await platform.StartAsync();
        var (authors, each) = (10, TestRun.Number(20, 100));
        for (var index = 0; index < authors; index++)
        {
            using var author = await Author.RegisterAsync(nodes.All[index % 2], $"author{index}");
            var account = await author.ConnectAsync(platform, $"hook{index}");
            for (var number = 0; number < each; number++) await author.ScheduleAsync($"{index}.{number}.", TimeSpan.FromDays(1), account);
        }

        await nodes.MakeDueAsync(TimeSpan.FromSeconds(2));
        await SettledAsync(nodes, authors * each * 2);
        platform.Posted.Count.ShouldBe(authors * each);
        platform.Attempts.ShouldBe(authors * each, "no node sends what the other sends");
        (await nodes.CountAsync("SELECT COUNT(*) FROM attempts WHERE outcome <> 'sent' OR outcome IS NULL")).ShouldBe(0);
        (await nodes.CountAsync("SELECT CAST(SUM(posts_count) AS bigint) FROM users")).ShouldBe(authors * each);
        var owners = await nodes.QueryAsync<long>("SELECT COUNT(*) FROM attempts GROUP BY owner");
        output.WriteLine($"attempts by node: {string.Join(", ", owners)}");

        // In each account in the order in which they were asked for.
        foreach (var ofAccount in platform.Posted.GroupBy(posted => posted.Account))
            ofAccount.Select(posted => int.Parse(posted.Text.Split('.')[1], System.Globalization.CultureInfo.InvariantCulture)).ShouldBeInOrder();
    }

    [Fact]
    public async Task A_worker_that_stands_still_past_its_lease_is_taken_over_and_its_write_is_refused()
    {
        await using var nodes = await TestNodes.StartAsync(Database.Postgres, count: 2);
        await using var platform = new WebhookDouble { Delay = TestNodes.Lease + TimeSpan.FromSeconds(2) };
        await platform.StartAsync();
        using var author = await Author.RegisterAsync(nodes.First, "author");
        var account = await author.ConnectAsync(platform, "hook");
        platform.Next(Fault.Slow);
        var post = await author.ScheduleAsync("once", TimeSpan.Zero, account);
        await Eventually.ReachesAsync(() => platform.Attempts, 1, "requests");

        var owner = (await nodes.QueryAsync<string>("SELECT owner FROM targets WHERE platform = 'webhook'"))[0];
        var holder = nodes.All.Single(node => owner.Contains($":{node.ProcessId}:", StringComparison.Ordinal));
        var other = nodes.All.Single(node => node != holder);
        holder.Pause();
        try
        {
            // The other takes it over after the lease and sends it again, with the same key.
            await Eventually.HoldsAsync(async () => await nodes.CountAsync("SELECT COUNT(*) FROM posts WHERE publishing = 'published'") == 1, "it is published by the other node", TimeSpan.FromSeconds(40));
        }
        finally
        {
            holder.Resume();
        }

        await Eventually.HoldsAsync(() => holder.Output.Text.Contains("its write was refused", StringComparison.Ordinal), "the write of the one that stood still is refused");
        platform.Posted.Count.ShouldBe(1);
        var target = Author.TargetOf(await author.TargetsAsync(post), "webhook");
        target.Text("status").ShouldBe("succeeded");
        target.GetProperty("attempts").EnumerateArray().Select(attempt => attempt.Text("outcome")).ShouldBe(["unknown", "sent"]);
        (await nodes.CountAsync("SELECT COUNT(DISTINCT owner) FROM attempts WHERE target_id = @Id", new { Id = target.Text("id") })).ShouldBe(2);
        other.IsRunning.ShouldBeTrue();
    }

    [Fact]
    public async Task Due_posts_are_published_once_each_while_the_workers_stand_still_in_turns()
    {
        await using var nodes = await TestNodes.StartAsync(Database.Postgres, count: 2);
        var (authors, each) = (10, TestRun.Number(20, 100));
        for (var index = 0; index < authors; index++)
        {
            using var author = await Author.RegisterAsync(nodes.First, $"author{index}");
            for (var number = 0; number < each; number++) await author.ScheduleAsync($"{index}.{number}.", TimeSpan.FromDays(1));
        }

        await nodes.MakeDueAsync(TimeSpan.Zero); // they are on their way in the middle of what follows
        foreach (var node in nodes.All)
        {
            node.Pause();
            try
            {
                await Task.Delay(TestNodes.Lease + TimeSpan.FromSeconds(2), TestContext.Current.CancellationToken); // the fault itself
            }
            finally
            {
                node.Resume();
            }
        }

        await SettledAsync(nodes, authors * each);
        (await nodes.CountAsync("SELECT COUNT(*) FROM targets WHERE state <> 'succeeded'")).ShouldBe(0);
        (await nodes.CountAsync("SELECT CAST(SUM(posts_count) AS bigint) FROM users")).ShouldBe(authors * each, "each is on the feed once");
        (await nodes.CountAsync("SELECT COUNT(*) FROM events e JOIN channels c ON c.id = e.channel_id WHERE c.name LIKE 'creator:%' AND e.type = 'post_created'")).ShouldBe(authors * each);
    }

    private static Task SettledAsync(TestNodes nodes, int targets) => Eventually.HoldsAsync(
        async () => await nodes.CountAsync("SELECT COUNT(*) FROM targets WHERE state IN ('succeeded', 'unknown', 'failed')") == targets, "all targets are settled", TimeSpan.FromMinutes(3));
}
