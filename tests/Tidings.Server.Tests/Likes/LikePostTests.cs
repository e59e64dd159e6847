using System.Net;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;
using Shouldly;
using Tidings.Server.Features.Likes;
using Tidings.Server.Tests.Posts;
using Xunit;

namespace Tidings.Server.Tests.Likes;

public sealed class LikePostTests(PostsApp app) : IClassFixture<PostsApp>
{
    [Fact]
    public async Task Liking_twice_likes_once_and_so_does_taking_it_back()
    {
        using var client = await app.ClientAsync(PostsApp.NewUser());
        var id = (await client.PostAsync(new { content = "a" })).Text("id");
        var path = $"/api/posts/{id}/like";

        foreach (var _ in (int[])[1, 2]) (await client.PostAsync(path, null).JsonAsync()).ToJsonString().ShouldBe("""{"likesCount":1,"liked":true}""");
        var post = await client.GetAsync($"/api/posts/{id}").JsonAsync();
        post.Text("post.metadata.likesCount").ShouldBe("1");
        post.Text("post.metadata.version").ShouldBe("2");
        post.Text("liked").ShouldBe("true");
        (await client.GetAsync("/api/posts").JsonAsync())["liked"]!.AsArray().Select(liked => liked!.GetValue<string>()).ShouldBe([id]);

        foreach (var _ in (int[])[1, 2]) (await client.DeleteAsync(path).JsonAsync()).ToJsonString().ShouldBe("""{"likesCount":0,"liked":false}""");
        post = await client.GetAsync($"/api/posts/{id}").JsonAsync();
        post.Text("post.metadata.version").ShouldBe("3");
        post.Text("liked").ShouldBe("false");

        var events = await EventsOfAsync(id, changes: 2);
        events[^1].ShouldBe(("post_unliked", 0, 3, events[^1].UserId, events[^1].Changes));
    }

    [Fact]
    public async Task What_is_not_there_cannot_be_liked_and_visitors_like_nothing()
    {
        using var client = await app.ClientAsync(PostsApp.NewUser());
        using var visitor = await app.ClientAsync(null);
        (await client.PostAsync("/api/posts/none/like", null).JsonAsync(HttpStatusCode.NotFound)).Text("code").ShouldBe("not_found");
        (await client.DeleteAsync("/api/posts/none/like").JsonAsync(HttpStatusCode.NotFound)).Text("code").ShouldBe("not_found");
        (await visitor.PostAsync("/api/posts/none/like", null)).StatusCode.ShouldBe(HttpStatusCode.Unauthorized);
    }

    [Fact]
    public async Task A_burst_of_likes_is_a_few_events_whose_changes_add_up_and_whose_last_is_right()
    {
        using var author = await app.ClientAsync(PostsApp.NewUser());
        var path = $"/api/posts/{(await author.PostAsync(new { content = "a" })).Text("id")}";
        var fans = await Task.WhenAll(Enumerable.Range(0, 100).Select(_ => app.ClientAsync(PostsApp.NewUser())));

        var started = TimeProvider.System.GetTimestamp();
        await Task.WhenAll(fans.Select(fan => fan.PostAsync($"{path}/like", null).JsonAsync()));
        await Task.WhenAll(fans.Take(30).Select(fan => fan.DeleteAsync($"{path}/like").JsonAsync()));

        var events = await EventsOfAsync(path[11..], changes: 130);
        var took = TimeProvider.System.GetElapsedTime(started);
        events.Sum(one => one.Changes).ShouldBe(130);
        events[^1].LikesCount.ShouldBe(70);
        events[^1].Version.ShouldBe(131);
        events.Count.ShouldBeLessThanOrEqualTo((int)(took.TotalMilliseconds / 100) + 2);
        events.Select(one => one.Version).ShouldBeInOrder();
        (await author.GetAsync(path).JsonAsync()).Text("post.metadata.likesCount").ShouldBe("70");
        foreach (var fan in fans) fan.Dispose();
    }

    [Fact]
    public async Task The_first_like_after_quiet_is_told_at_once()
    {
        using var client = await app.ClientAsync(PostsApp.NewUser());
        var id = (await client.PostAsync(new { content = "a" })).Text("id");
        var started = TimeProvider.System.GetTimestamp();
        await client.PostAsync($"/api/posts/{id}/like", null).JsonAsync();
        await EventsOfAsync(id, changes: 1);
        TimeProvider.System.GetElapsedTime(started).ShouldBeLessThan(TimeSpan.FromSeconds(2)); // a patrol would take five
    }

    [Fact]
    public async Task Marks_that_a_crash_left_are_finished_whole_and_those_of_deleted_posts_dropped()
    {
        var author = PostsApp.NewUser();
        using var client = await app.ClientAsync(author);
        var ids = new List<string>();
        for (var index = 0; index < 3; index++) ids.Add((await client.PostAsync(new { content = "a" })).Text("id"));
        await app.Store.WriteAsync(
            async write =>
            {
                foreach (var id in (string[])[.. ids, "no-such-post"])
                {
                    await write.ExecuteAsync(
                        "INSERT INTO pending_counters (post_id, likes, unlikes, latest_user, latest_liked) VALUES (@id, 2, 1, 'u', 1)", new { id });
                }
            },
            CancellationToken.None);

        using var flush = new CounterFlush(app.Store, TimeProvider.System, NullLogger<CounterFlush>.Instance);
        await Task.WhenAll(flush.FlushAsync(CancellationToken.None), app.Services.GetRequiredService<CounterFlush>().FlushAsync(CancellationToken.None));

        foreach (var id in ids) (await EventsOfAsync(id, changes: 3)).ShouldBe([("post_liked", 0, 1, "u", 3)]);
        (await app.EventsAsync("post:no-such-post")).ShouldBeEmpty();
        (await app.Store.WriteAsync(write => write.QuerySingleOrDefaultAsync<long>("SELECT COUNT(*) FROM pending_counters"), default)).ShouldBe(0);
    }

    /// <summary>Waits until a post's events stand for so many changes.</summary>
    private async Task<List<(string Type, long LikesCount, long Version, string UserId, long Changes)>> EventsOfAsync(string postId, long changes)
    {
        while (true)
        {
            var events = (await app.EventsAsync($"post:{postId}"))
                .Select(one => (one.Type, one.Payload["likesCount"]!.GetValue<long>(), one.Payload["version"]!.GetValue<long>(),
                    one.Payload.Text("userId"), Changes: one.Payload["changes"]!.GetValue<long>()))
                .ToList();
            if (events.Sum(one => one.Changes) >= changes) return events;
            await Task.Delay(TimeSpan.FromMilliseconds(10), TestContext.Current.CancellationToken);
        }
    }
}
