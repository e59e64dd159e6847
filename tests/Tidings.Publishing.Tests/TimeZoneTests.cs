using System.Net;
using Tidings.Publishing.Tests.Support;
using Tidings.Testing;
using Tidings.Testing.Clients;

namespace Tidings.Publishing.Tests;

/// <summary>Wall times that do not exist, that exist twice, and that a new version of tzdb moves. The server's own zone is another one.</summary>
public sealed class TimeZoneTests
{
    [Fact]
    public async Task Wall_times_become_instants_by_rule_and_the_answer_says_so()
    {
        await using var nodes = await TestNodes.StartAsync(variables: new() { ["TZ"] = "Pacific/Apia" });
        using var author = await Author.RegisterAsync(nodes.First, "author");
        foreach (var (local, zone, overlap, instant, resolution) in new[]
        {
            ("2027-03-28T01:59:59", "Europe/Berlin", null, "2027-03-28T00:59:59.000Z", "exact"),
            ("2027-03-28T02:30", "Europe/Berlin", null, "2027-03-28T01:30:00.000Z", "moved_forward"), // 03:30 of summer
            ("2027-03-28T03:00:00", "Europe/Berlin", null, "2027-03-28T01:00:00.000Z", "exact"),
            ("2027-10-31T02:30:00", "Europe/Berlin", null, "2027-10-31T00:30:00.000Z", "earlier_of_two"),
            ("2027-10-31T02:30:00", "Europe/Berlin", "earlier", "2027-10-31T00:30:00.000Z", "earlier_of_two"),
            ("2027-10-31T02:30:00", "Europe/Berlin", "later", "2027-10-31T01:30:00.000Z", "later_of_two"),
            ("2027-03-14T02:15:00", "America/New_York", null, "2027-03-14T07:15:00.000Z", "moved_forward"),
            ("2027-10-03T02:10:00", "Australia/Lord_Howe", null, "2027-10-02T15:40:00.000Z", "moved_forward"), // half an hour is missing
            ("2027-07-01T09:00:00", "Asia/Kathmandu", null, "2027-07-01T03:15:00.000Z", "exact"),
            ("2027-07-01T09:00:00", "UTC", null, "2027-07-01T09:00:00.000Z", "exact"),
            ("2027-07-01T09:00:00+02:00", "America/New_York", null, "2027-07-01T07:00:00.000Z", "exact"), // an instant stays what it is
            ("2027-07-01T07:00:00Z", null, null, "2027-07-01T07:00:00.000Z", "exact"),
        })
        {
            var answer = await author.TryAsync("/api/posts", new { content = "x", scheduledAt = local, timeZone = zone, overlap }, HttpStatusCode.Created);
            var schedule = answer.GetProperty("schedule");
            schedule.Text("scheduledAt").ShouldBe(instant, $"{local} {zone} {overlap}");
            schedule.Text("resolution").ShouldBe(resolution, $"{local} {zone}");
            (schedule.Text("note") is null).ShouldBe(resolution == "exact", $"{local} {zone}");
            answer.GetProperty("post").GetProperty("metadata").Text("scheduledAt").ShouldBe(instant);
        }

        var moved = await author.TryAsync("/api/posts", new { content = "x", scheduledAt = "2027-03-28T02:30", timeZone = "Europe/Berlin" }, HttpStatusCode.Created);
        moved.GetProperty("schedule").Text("note")!.ShouldContain("03:30");
        moved.GetProperty("schedule").Text("localTime").ShouldBe("2027-03-28T02:30:00", "what was asked for is kept");
    }

    [Fact]
    public async Task When_the_rules_of_a_zone_have_changed_the_wall_time_stays_and_the_instant_moves()
    {
        await using var nodes = await TestNodes.StartAsync();
        using var author = await Author.RegisterAsync(nodes.First, "author");
        var body = new { content = "x", scheduledAt = "2027-07-01T09:00", timeZone = "Europe/Berlin" };
        var post = (await author.TryAsync("/api/posts", body, HttpStatusCode.Created)).GetProperty("post").Text("id")!;
        var fixedAt = (await author.TryAsync("/api/posts", body with { timeZone = "Asia/Tokyo" }, HttpStatusCode.Created)).GetProperty("post").Text("id")!;
        await nodes.First.StopAsync();

        // As if it had been scheduled under rules by which Berlin had no summer time.
        const long Hour = 3_600_000;
        await nodes.ExecuteAsync("UPDATE posts SET tzdb = 'older', scheduled_at = scheduled_at + @Hour WHERE id = @post", new { Hour, post });
        await nodes.ExecuteAsync("UPDATE posts SET tzdb = 'older' WHERE id = @fixedAt", new { fixedAt });
        await nodes.ExecuteAsync("UPDATE targets SET due_at = due_at + @Hour, next_at = next_at + @Hour WHERE post_id = @post", new { Hour, post });
        await nodes.First.StartAgainAsync();

        await Eventually.HoldsAsync(async () => await nodes.CountAsync("SELECT COUNT(*) FROM posts WHERE tzdb = 'older'") == 0, "the instants are computed again");
        var targets = await author.TargetsAsync(post);
        targets.GetProperty("schedule").Text("scheduledAt").ShouldBe("2027-07-01T07:00:00.000Z");
        targets.GetProperty("schedule").Text("localTime").ShouldBe("2027-07-01T09:00:00");
        targets.GetProperty("targets")[0].Text("dueAt").ShouldBe("2027-07-01T07:00:00.000Z");
        (await author.TargetsAsync(fixedAt)).GetProperty("schedule").Text("scheduledAt").ShouldBe("2027-07-01T00:00:00.000Z", "nothing has changed for Tokyo");
    }
}
