using Tidings.Publishing.Tests.Support;
using Tidings.Testing;
using Tidings.Testing.Clients;
using Tidings.Testing.Platforms;

namespace Tidings.Publishing.Tests;

/// <summary>Platforms that cut the line, before or after they have posted, and servers that are killed meanwhile: who is posted how often.</summary>
public sealed class DoubtfulPlatformTests(ITestOutputHelper output)
{
    private const int Authors = 20;

    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(TestRun.Number(5, 30));
    private static readonly Fault[] Doubtful = [Fault.CutBefore, Fault.CutAfter, Fault.ErrorBefore, Fault.ErrorAfter, Fault.BadGateway, Fault.Garbage];

    [Theory]
    [InlineData(Database.Sqlite, 0)]
    [InlineData(Database.Sqlite, 3)]
    [InlineData(Database.Postgres, 0)]
    public async Task What_has_a_key_is_posted_exactly_once_whatever_the_line_does_and_however_often_the_server_is_killed(Database database, int kills)
    {
        await using var nodes = await TestNodes.StartAsync(database);
        await using var platform = new WebhookDouble();
        await platform.StartAsync();
        var count = TestRun.Number(100, 1_000);
        platform.Usual = FaultsFor(count);

        var posts = await ScheduleAsync(nodes, count, (author, index) => author.ConnectAsync(platform, $"hook{index}"));
        for (var kill = 1; kill <= kills; kill++)
        {
            var enough = count * kill / (kills + 1);
            await Eventually.ReachesAsync(() => platform.Attempts, enough, "requests before the kill", Patience);
            await nodes.First.KillAsync();
            await nodes.First.StartAgainAsync();
        }

        await SettledAsync(nodes, posts.Count);
        (await nodes.CountAsync("SELECT COUNT(*) FROM targets WHERE state <> 'succeeded'")).ShouldBe(0);
        platform.Posted.Select(posted => posted.Text).ShouldBeUnique();
        platform.Posted.Count.ShouldBe(count);
        (await nodes.CountAsync("SELECT COUNT(*) FROM posts WHERE status = 'published' AND publishing = 'published'")).ShouldBe(count);
        (await nodes.CountAsync("SELECT SUM(posts_count) FROM users")).ShouldBe(count, "each is on the feed once");
        output.WriteLine($"{count} posts, {platform.Attempts} requests, {platform.Repetitions} repetitions that the receiver knew");
    }

    [Theory]
    [InlineData(0)]
    [InlineData(3)]
    public async Task What_has_no_key_is_posted_at_most_once_and_what_nobody_knows_is_said_to_be_unknown(int kills)
    {
        await using var nodes = await TestNodes.StartAsync();
        await using var platform = new DiscordDouble();
        await platform.StartAsync();
        var count = TestRun.Number(100, 1_000);
        platform.Usual = FaultsFor(count);

        var posts = await ScheduleAsync(nodes, count, (author, index) => author.ConnectAsync(new { platform = "discord", credentials = new { url = platform.UrlOf(1_000 + index) } }));
        for (var kill = 1; kill <= kills; kill++)
        {
            var enough = count * kill / (kills + 1);
            await Eventually.ReachesAsync(() => platform.Attempts, enough, "requests before the kill", Patience);
            await nodes.First.KillAsync();
            await nodes.First.StartAgainAsync();
        }

        await SettledAsync(nodes, posts.Count);
        platform.Posted.Select(posted => posted.Text).ShouldBeUnique("nothing is posted twice");
        var there = platform.Posted.Select(posted => posted.Text).ToHashSet();
        var rows = await nodes.QueryAsync<(string Content, string State)>("SELECT p.content, t.state FROM targets t JOIN posts p ON p.id = t.post_id WHERE t.platform = 'discord'");
        rows.Count.ShouldBe(count);
        rows.Select(row => row.State).Distinct().ShouldBeSubsetOf(["succeeded", "unknown"]);
        rows.Where(row => row.State == "succeeded").ShouldAllBe(row => there.Contains(row.Content));
        rows.Where(row => !there.Contains(row.Content)).ShouldAllBe(row => row.State == "unknown");
        rows.Count(row => row.State == "unknown").ShouldBeGreaterThan(0);
        output.WriteLine($"{count} posts, {platform.Attempts} requests, {there.Count} posted, {rows.Count(row => row.State == "unknown")} unknown, of which {rows.Count(row => row.State == "unknown" && there.Contains(row.Content))} are there");
    }

    [Fact]
    public async Task What_nobody_knows_is_resolved_by_its_author()
    {
        await using var nodes = await TestNodes.StartAsync();
        await using var platform = new DiscordDouble();
        await platform.StartAsync();
        using var author = await Author.RegisterAsync(nodes.First, "author");
        var account = await author.ConnectAsync(new { platform = "discord", credentials = new { url = platform.UrlOf(7) } });
        platform.Next(Fault.CutAfter, Fault.CutBefore);

        foreach (var (text, resolution, posted) in new[] { ("there", "published", 1), ("not there", "again", 2) })
        {
            var post = await author.ScheduleAsync(text, TimeSpan.Zero, account);
            var target = Author.TargetOf(await author.WaitForAsync(post, "partially_published"), "discord");
            target.Text("status").ShouldBe("unknown");
            var path = $"/api/posts/{post}/targets/{target.Text("id")}";
            (await author.TryAsync($"{path}/retry", null, System.Net.HttpStatusCode.Conflict)).Text("code").ShouldBe("unknown_outcome");
            await author.TryAsync($"{path}/resolve", new { @as = "maybe" }, System.Net.HttpStatusCode.BadRequest);
            await author.TryAsync($"{path}/resolve", new { @as = resolution }, System.Net.HttpStatusCode.OK);
            await author.WaitForAsync(post, "published");
            platform.Posted.Count.ShouldBe(posted);
            await author.TryAsync($"{path}/resolve", new { @as = resolution }, System.Net.HttpStatusCode.Conflict);
        }
    }

    /// <summary>A fault every third time, until each target has had its chance; then none, so that the test comes to its end.</summary>
    private static Func<int, Fault> FaultsFor(int count)
    {
        var chance = TestRun.Chance();
        return number =>
        {
            lock (chance) return number <= count && chance.Next(3) == 0 ? Doubtful[chance.Next(Doubtful.Length)] : Fault.None;
        };
    }

    private static async Task<List<string>> ScheduleAsync(TestNodes nodes, int count, Func<Author, int, Task<string>> connect)
    {
        var posts = new List<string>();
        for (var index = 0; index < Authors; index++)
        {
            using var author = await Author.RegisterAsync(nodes.First, $"author{index}");
            var account = await connect(author, index);
            for (var number = 0; number < count / Authors; number++) posts.Add(await author.ScheduleAsync($"{index}.{number}.", TimeSpan.FromDays(1), account));
        }

        await nodes.MakeDueAsync(TimeSpan.FromSeconds(10));
        return posts;
    }

    private static Task SettledAsync(TestNodes nodes, int posts) => Eventually.HoldsAsync(
        async () => await nodes.CountAsync("SELECT COUNT(*) FROM targets WHERE state IN ('succeeded', 'unknown', 'failed')") == posts * 2L, "all targets are settled", Patience);
}
