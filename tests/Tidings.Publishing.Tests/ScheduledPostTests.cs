using System.Net;
using System.Net.Http.Headers;
using System.Text.Json;
using Tidings.Publishing.Tests.Support;
using Tidings.Testing;
using Tidings.Testing.Clients;
using Tidings.Testing.Platforms;

namespace Tidings.Publishing.Tests;

/// <summary>From the schedule to the feed and to other platforms, on both databases.</summary>
public sealed class ScheduledPostTests
{
    [Theory]
    [InlineData(Database.Sqlite)]
    [InlineData(Database.Postgres)]
    public async Task A_scheduled_post_is_its_authors_alone_until_its_time_and_then_comes_live_to_followers_and_platforms(Database database)
    {
        await using var nodes = await TestNodes.StartAsync(database);
        await using var platform = new WebhookDouble();
        await platform.StartAsync();
        using var author = await Author.RegisterAsync(nodes.First, "author");
        using var follower = await Account.RegisterAsync(nodes.First, "follower");
        await follower.FollowAsync(author.Account);
        await using var page = await NativeClient.ConnectAsync(author.Account);
        await page.SubscribeAsync($"user:{author.Account.Id}");
        await page.SubscribeAsync($"notifications:{author.Account.Id}");
        await using var reader = await NativeClient.ConnectAsync(follower);
        await reader.SubscribeAsync(follower.Feed);
        var hook = await author.ConnectAsync(platform, "blog");

        var due = TimeProvider.System.GetUtcNow() + TimeSpan.FromSeconds(4);
        var post = await author.ScheduleAsync("in a moment", due, hook);

        (await author.StatusAsync(post)).ShouldBe("scheduled");
        (await page.WaitForAsync(message => message.IsOfType("post:created"), "post:created")).Text("status").ShouldBe("scheduled");
        using (var hidden = await follower.Http.GetAsync($"/api/posts/{post}")) hidden.StatusCode.ShouldBe(HttpStatusCode.NotFound);
        using (var hidden = await follower.Http.GetAsync($"/api/posts/{post}/targets")) hidden.StatusCode.ShouldBe(HttpStatusCode.NotFound);
        (await author.Account.GetAllPostsAsync("status=scheduled")).Single().GetProperty("metadata").GetProperty("scheduledAt").GetDateTimeOffset().ShouldBe(due, TimeSpan.FromMilliseconds(1));

        await reader.WaitForAsync(message => message.IsOfType("post_created") && message.PostText() == "in a moment", "the post in the follower's feed");
        await author.WaitForAsync(post, "published");
        platform.Posted.Single().Text.ShouldContain("in a moment");
        platform.Forged.ShouldBe(0);
        platform.Posted.Single().At.ShouldBeGreaterThanOrEqualTo(due - TimeSpan.FromMilliseconds(2), "never early");

        foreach (var type in new[] { "post:publishing", "post:published", "post_status", $"post:{post}:status" })
            await page.WaitForAsync(message => message.IsOfType(type), type);
        var last = await page.WaitForAsync(message => message.IsOfType("post_status") && message.Text("status") == "published", "the last status");
        last.GetProperty("targets").GetArrayLength().ShouldBe(2);
        await page.WaitForAsync(message => message.IsOfType("notification") && message.GetProperty("notification").Text("type") == "POST_PUBLISHED", "the notification");
        (await follower.GetAsync($"/api/posts/{post}")).GetProperty("post").GetProperty("metadata").Text("status").ShouldBe("published");
        (await nodes.First.GetMetricAsync("tidings_publishing_targets_total", "result=\"sent\"")).ShouldBe(2);
    }

    [Fact]
    public async Task A_schedule_is_moved_called_off_taken_up_again_and_published_at_once()
    {
        await using var nodes = await TestNodes.StartAsync();
        await using var platform = new WebhookDouble();
        await platform.StartAsync();
        using var author = await Author.RegisterAsync(nodes.First, "author");
        var hook = await author.ConnectAsync(platform, "blog");
        var post = await author.ScheduleAsync("some day", TimeSpan.FromDays(1), hook);

        var moved = await author.TryAsync($"/api/posts/{post}/schedule", new { scheduledAt = "2027-06-01T09:00", timeZone = "Europe/Berlin" }, HttpStatusCode.OK);
        moved.GetProperty("schedule").GetProperty("scheduledAt").GetString().ShouldBe("2027-06-01T07:00:00.000Z");
        moved.GetProperty("targets").GetArrayLength().ShouldBe(2, "the account stays if none is named");

        using (var canceled = await author.Account.Http.DeleteAsync($"/api/posts/{post}/schedule")) canceled.StatusCode.ShouldBe(HttpStatusCode.OK);
        (await author.StatusAsync(post)).ShouldBe("canceled");
        using (var again = await author.Account.Http.DeleteAsync($"/api/posts/{post}/schedule")) again.StatusCode.ShouldBe(HttpStatusCode.Conflict);

        await author.TryAsync($"/api/posts/{post}/schedule", new { scheduledAt = "2027-06-01T09:00", timeZone = "Europe/Berlin" }, HttpStatusCode.OK);
        (await author.StatusAsync(post)).ShouldBe("scheduled");
        // An account that was taken out is not taken up again by a later schedule that names none.
        var other = await author.ConnectAsync(platform, "other");
        (await author.TryAsync($"/api/posts/{post}/schedule", new { scheduledAt = "2027-06-01T07:00:00Z", accountIds = new[] { hook, other } }, HttpStatusCode.OK)).GetProperty("targets").GetArrayLength().ShouldBe(3);
        await author.TryAsync($"/api/posts/{post}/schedule", new { scheduledAt = "2027-06-01T07:00:00Z", accountIds = new[] { hook } }, HttpStatusCode.OK);
        (await author.TryAsync($"/api/posts/{post}/schedule", new { scheduledAt = "2027-06-02T07:00:00Z" }, HttpStatusCode.OK)).GetProperty("targets").GetArrayLength().ShouldBe(2);

        var published = await author.TryAsync($"/api/posts/{post}/publish", null, HttpStatusCode.OK);
        published.GetProperty("post").GetProperty("metadata").Text("status").ShouldBe("published");
        await author.WaitForAsync(post, "published");
        platform.Posted.Count.ShouldBe(1);
        await author.TryAsync($"/api/posts/{post}/publish", null, HttpStatusCode.OK);
        await author.TryAsync($"/api/posts/{post}/schedule", new { scheduledAt = "2027-06-01T09:00", timeZone = "Europe/Berlin" }, HttpStatusCode.Conflict);
        platform.Posted.Count.ShouldBe(1);
    }

    [Fact]
    public async Task A_post_is_published_here_at_once_and_elsewhere_right_after_and_one_failing_account_fails_alone()
    {
        await using var nodes = await TestNodes.StartAsync();
        await using var good = new WebhookDouble();
        await using var bad = new WebhookDouble { IsGone = true };
        await good.StartAsync();
        await bad.StartAsync();
        using var author = await Author.RegisterAsync(nodes.First, "author");
        string[] accounts = [await author.ConnectAsync(good, "good"), await author.ConnectAsync(bad, "bad")];

        var answer = await author.TryAsync("/api/posts", new { content = "everywhere", accountIds = accounts }, HttpStatusCode.Created);
        answer.GetProperty("post").GetProperty("metadata").Text("status").ShouldBe("published");
        var post = answer.GetProperty("post").Text("id")!;

        var targets = await author.WaitForAsync(post, "partially_published");
        good.Posted.Count.ShouldBe(1);
        bad.Posted.ShouldBeEmpty();
        var failed = targets.GetProperty("targets").EnumerateArray().Single(target => target.Text("status") == "failed");
        failed.Text("error").ShouldNotBeNull();
        failed.GetProperty("attempts")[0].Text("outcome").ShouldBe("account_gone");
        (await author.Account.GetAsync("/api/publishing/targets")).GetProperty("targets").GetArrayLength().ShouldBe(1);

        // Connected again it is tried again: that target alone.
        bad.IsGone = false;
        await author.ConnectAsync(bad, "bad");
        await author.TryAsync($"/api/posts/{post}/targets/{failed.Text("id")}/retry", null, HttpStatusCode.OK);
        await author.WaitForAsync(post, "published");
        (good.Posted.Count, bad.Posted.Count).ShouldBe((1, 1));
    }

    [Fact]
    public async Task What_cannot_be_scheduled_is_refused_with_the_fields_name()
    {
        await using var nodes = await TestNodes.StartAsync();
        using var author = await Author.RegisterAsync(nodes.First, "author");
        foreach (var (body, field) in new (object, string)[]
        {
            (new { content = "x", status = "scheduled" }, "scheduledAt"),
            (new { content = "x", scheduledAt = "tomorrow" }, "scheduledAt"),
            (new { content = "x", scheduledAt = "2027-01-01T09:00" }, "timeZone"),
            (new { content = "x", scheduledAt = "2027-01-01T09:00", timeZone = "Europe/Nowhere" }, "timeZone"),
            (new { content = "x", scheduledAt = "2020-01-01T09:00:00Z" }, "scheduledAt"),
            (new { content = "x", scheduledAt = "2099-01-01T09:00:00Z" }, "scheduledAt"),
            (new { content = "x", status = "draft", scheduledAt = "2027-01-01T09:00:00Z" }, "scheduledAt"),
            (new { content = "x", scheduledAt = "2027-01-01T09:00:00Z", overlap = "middle" }, "overlap"),
            (new { content = "x", scheduledAt = "2027-01-01T09:00:00Z", graceMinutes = -1 }, "graceMinutes"),
            (new { content = "x", status = "draft", accountIds = new[] { "a" } }, "accountIds"),
        })
        {
            var problem = await author.TryAsync("/api/posts", body, HttpStatusCode.BadRequest);
            problem.GetProperty("errors").TryGetProperty(field, out _).ShouldBeTrue($"{JsonSerializer.Serialize(body)}: {problem}");
        }

        (await author.TryAsync("/api/posts", new { content = "x", accountIds = new[] { "nobodys" } }, HttpStatusCode.UnprocessableEntity)).Text("code").ShouldBe("unknown_account");
    }

    [Fact]
    public async Task An_outside_scheduler_needs_the_secret_and_does_no_harm()
    {
        await using var nodes = await TestNodes.StartAsync();
        using var author = await Author.RegisterAsync(nodes.First, "author");
        using var http = Account.Connect(nodes.First);

        foreach (var bearer in new[] { null, "wrong", nodes.First.AppSecret, author.Account.Token })
        {
            http.DefaultRequestHeaders.Authorization = bearer is null ? null : new AuthenticationHeaderValue("Bearer", bearer);
            using var refused = await http.GetAsync("/api/cron/publish-posts");
            refused.StatusCode.ShouldBe(HttpStatusCode.Unauthorized);
        }

        http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", "n7Vb2kQ9sX4cR8tY1uI5oA3pLmZ6wE0j");
        var post = await author.ScheduleAsync("soon", TimeSpan.FromSeconds(1));
        await Eventually.HoldsAsync(
            async () =>
            {
                using var answer = await http.GetAsync("/api/cron/publish-posts");
                (await Account.ReadAsync(answer, HttpStatusCode.OK)).GetProperty("processed").GetInt64().ShouldBeInRange(0, 1);
                return await author.StatusAsync(post) == "published";
            },
            "it is published");
        (await author.Account.GetAllPostsAsync($"creatorId={author.Account.Id}")).Count.ShouldBe(1);
    }
}
