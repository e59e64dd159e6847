using System.Net;
using Shouldly;
using Tidings.Server.Tests.Posts;
using Tidings.Testing;
using Xunit;

namespace Tidings.Server.Tests.Likes;

/// <summary>A post that many like at once, and take their likes back.</summary>
public sealed class HotPostTests(PostsApp app, ITestOutputHelper output) : IClassFixture<PostsApp>
{
    [Fact]
    public async Task However_many_change_their_minds_at_once_the_count_is_exact_and_the_last_event_right()
    {
        output.WriteLine($"seed {TestRun.Seed}");
        using var author = await app.ClientAsync(PostsApp.NewUser());
        var post = (await author.PostAsync(new { content = "a" })).Text("id");
        var fans = await Task.WhenAll(Enumerable.Range(0, 100).Select(_ => app.ClientAsync(PostsApp.NewUser())));

        var each = TestRun.Number(inQuickRun: 30, inLongRun: 300);
        var changes = 0L;
        var likes = await Task.WhenAll(fans.Select((fan, number) => Task.Run(async () =>
        {
            var random = TestRun.Chance(number);
            var isLiked = false;
            for (var index = 0; index < each; index++)
            {
                var wanted = random.Next(2) == 0;
                var answer = await (wanted ? fan.PostAsync($"/api/posts/{post}/like", null) : fan.DeleteAsync($"/api/posts/{post}/like")).JsonAsync();
                answer.Text("liked").ShouldBe(wanted ? "true" : "false");
                answer["likesCount"]!.GetValue<long>().ShouldBeInRange(wanted ? 1 : 0, fans.Length);
                if (wanted != isLiked) Interlocked.Increment(ref changes);
                isLiked = wanted;
            }

            return isLiked;
        })));

        var expected = likes.Count(isLiked => isLiked);
        var events = new List<(long Likes, long Version, long Changes, DateTimeOffset At)>();
        await Eventually.HoldsAsync(
            async () =>
            {
                events = [.. (await app.EventsAsync($"post:{post}")).Select(one => (
                    one.Payload["likesCount"]!.GetValue<long>(), one.Payload["version"]!.GetValue<long>(), one.Payload["changes"]!.GetValue<long>(), one.Whole.Draft.Timestamp))];
                return events.Sum(one => one.Changes) == changes;
            },
            "the events stand for all changes");

        events[^1].Likes.ShouldBe(expected);
        events[^1].Version.ShouldBe(changes + 1);
        events.Select(one => one.Version).ShouldBeInOrder(SortDirection.Ascending);
        for (var index = 10; index < events.Count; index++) (events[index].At - events[index - 10].At).ShouldBeGreaterThan(TimeSpan.FromMilliseconds(990), "ten in a second");
        (await author.GetAsync($"/api/posts/{post}").JsonAsync()).Text("post.metadata.likesCount").ShouldBe($"{expected}");
        (await app.Store.QueryAsync<long>("SELECT COUNT(*) FROM post_likes WHERE post_id = @post", new { post }, CancellationToken.None)).ShouldBe([expected]);
        foreach (var fan in fans) fan.Dispose();
    }

    [Fact]
    public async Task Who_is_blocked_cannot_like_and_others_in_the_same_moment_can()
    {
        var ann = PostsApp.NewUser();
        using var author = await app.ClientAsync(ann);
        var post = (await author.PostAsync(new { content = "a" })).Text("id");
        var users = Enumerable.Range(0, 20).Select(_ => PostsApp.NewUser()).ToList();
        var clients = await Task.WhenAll(users.Select(user => app.ClientAsync(user)));
        foreach (var (blocker, blocked) in ((string, string)[])[(ann, users[0]), (users[1], ann)])
        {
            await app.Store.WriteAsync(
                async write => await write.ExecuteAsync("INSERT INTO blocks (blocker_id, blocked_id, created_at) VALUES (@blocker, @blocked, 0)", new { blocker, blocked }),
                CancellationToken.None);
        }

        var answers = await Task.WhenAll(clients.Select(client => client.PostAsync($"/api/posts/{post}/like", null)));

        answers.Select(answer => answer.StatusCode).ShouldBe(
            [HttpStatusCode.NotFound, HttpStatusCode.NotFound, .. Enumerable.Repeat(HttpStatusCode.OK, 18)]);
        (await author.GetAsync($"/api/posts/{post}").JsonAsync()).Text("post.metadata.likesCount").ShouldBe("18");
        foreach (var client in clients) client.Dispose();
    }
}
