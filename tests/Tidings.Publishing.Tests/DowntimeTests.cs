using System.Net;
using Tidings.Publishing.Tests.Support;
using Tidings.Testing;
using Tidings.Testing.Clients;
using Tidings.Testing.Platforms;

namespace Tidings.Publishing.Tests;

/// <summary>The server was down when posts were due: it publishes them oldest first and slowly, or says that they were missed.</summary>
public sealed class DowntimeTests(ITestOutputHelper output)
{
    private const int Posts = 50;

    [Fact]
    public async Task After_half_an_hour_what_was_due_is_published_oldest_first_and_never_as_a_burst()
    {
        await using var nodes = await TestNodes.StartAsync();
        await using var platform = new WebhookDouble();
        await platform.StartAsync();
        using var author = await Author.RegisterAsync(nodes.First, "author");
        await ScheduleAndSleepAsync(nodes, author, platform, TimeSpan.FromMinutes(30));

        await Eventually.ReachesAsync(() => platform.Posted.Count, Posts, "posts", TimeSpan.FromSeconds(90));
        var times = platform.Posted.Select(posted => posted.At).Order().ToList();
        for (var index = 0; index + 10 < times.Count; index++)
            (times[index + 10] - times[index]).ShouldBeGreaterThan(TimeSpan.FromSeconds(1), "not more than a few a second");
        foreach (var ofAccount in platform.Posted.GroupBy(posted => posted.Account))
            ofAccount.Select(posted => int.Parse(posted.Text.TrimEnd('.'), System.Globalization.CultureInfo.InvariantCulture)).ShouldBeInOrder();
        await Eventually.HoldsAsync(async () => await nodes.CountAsync("SELECT COUNT(*) FROM posts WHERE publishing = 'published'") == Posts, "all are published");
        output.WriteLine($"{Posts} posts within {(times[^1] - times[0]).TotalSeconds:0.0} s");
    }

    [Fact]
    public async Task After_two_hours_they_are_missed_and_their_author_is_told_and_publishes_one_at_once()
    {
        await using var nodes = await TestNodes.StartAsync();
        await using var platform = new WebhookDouble();
        await platform.StartAsync();
        using var author = await Author.RegisterAsync(nodes.First, "author");
        var posts = await ScheduleAndSleepAsync(nodes, author, platform, TimeSpan.FromHours(2), patientPost: 7);

        await Eventually.HoldsAsync(async () => await nodes.CountAsync("SELECT COUNT(*) FROM posts WHERE status = 'missed'") == Posts - 1, "all but one are missed", TimeSpan.FromSeconds(40));
        await author.WaitForAsync(posts[7], "published");
        platform.Posted.Single().Text.ShouldBe("7.", "the one that may be a day late");
        var notifications = (await author.Account.GetAsync("/api/user/notifications?limit=100")).GetProperty("notifications").EnumerateArray().ToList();
        notifications.Count(one => one.Text("type") == "POST_FAILED").ShouldBe(Posts - 1);

        await author.TryAsync($"/api/posts/{posts[3]}/publish", null, HttpStatusCode.OK);
        await author.WaitForAsync(posts[3], "published");
        platform.Posted.Count.ShouldBe(2);
        await author.TryAsync($"/api/posts/{posts[4]}/schedule", new { scheduledAt = "2027-06-01T09:00:00Z" }, HttpStatusCode.OK);
        (await author.StatusAsync(posts[4])).ShouldBe("scheduled");
    }

    /// <summary>Schedules posts over five accounts, stops the server, moves them back in time, and starts it again.</summary>
    private static async Task<List<string>> ScheduleAndSleepAsync(TestNodes nodes, Author author, WebhookDouble platform, TimeSpan asleep, int patientPost = -1)
    {
        var accounts = new List<string>();
        for (var index = 0; index < 5; index++) accounts.Add(await author.ConnectAsync(platform, $"hook{index}"));
        var (posts, start) = (new List<string>(), TimeProvider.System.GetUtcNow() + TimeSpan.FromHours(5));
        for (var number = 0; number < Posts; number++)
        {
            var answer = await author.TryAsync(
                "/api/posts",
                new
                {
                    content = $"{number}.",
                    scheduledAt = Author.Text(start + TimeSpan.FromSeconds(number)),
                    accountIds = new[] { accounts[number % 5] },
                    graceMinutes = number == patientPost ? 24 * 60 : (int?)null,
                },
                HttpStatusCode.Created);
            posts.Add(answer.GetProperty("post").Text("id")!);
        }

        await nodes.First.KillAsync();
        var back = (long)(TimeSpan.FromHours(5) + asleep).TotalMilliseconds;
        await nodes.ExecuteAsync("UPDATE targets SET due_at = due_at - @back, next_at = next_at - @back, miss_at = miss_at - @back, give_up_at = give_up_at - @back", new { back });
        await nodes.ExecuteAsync("UPDATE posts SET scheduled_at = scheduled_at - @back", new { back });
        await nodes.First.StartAgainAsync();
        return posts;
    }
}
