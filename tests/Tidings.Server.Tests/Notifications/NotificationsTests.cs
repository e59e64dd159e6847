using System.Net;
using System.Net.Http.Json;
using System.Text.Json.Nodes;
using Shouldly;
using Tidings.Server.Features.Notifications;
using Tidings.Server.Tests.Posts;
using Tidings.Testing;
using Xunit;

namespace Tidings.Server.Tests.Notifications;

public sealed class NotificationsTests(PostsApp app) : IClassFixture<PostsApp>
{
    private const string Path = "/api/user/notifications";

    [Fact]
    public async Task A_comment_tells_the_posts_author_and_a_reply_whom_it_replies_to_and_nobody_of_their_own_acts()
    {
        var (ann, bob, eve) = (PostsApp.NewUser(), PostsApp.NewUser(), PostsApp.NewUser());
        using var author = await app.ClientAsync(ann);
        using var commenter = await app.ClientAsync(bob);
        using var replier = await app.ClientAsync(eve);
        var post = (await author.PostAsync(new { content = "a" })).Text("id");

        var comment = await CommentAsync(commenter, post, "a secret");
        await CommentAsync(author, post, "thanks");
        var reply = await CommentAsync(replier, post, "me too", comment);

        var page = await author.GetAsync(Path).JsonAsync();
        TypesOf(page).ShouldBe(["COMMENT_POST", "COMMENT_POST"]);
        page.Text("unreadCount").ShouldBe("2");
        var told = page["notifications"]![1]!;
        told.Text("data.commentId").ShouldBe(comment);
        told.Text("data.actor.id").ShouldBe(bob);
        told.Text("message").ShouldBe($"nick-{bob} commented on your post");

        var toCommenter = await commenter.GetAsync(Path).JsonAsync();
        TypesOf(toCommenter).ShouldBe(["REPLY_COMMENT"]);
        toCommenter["notifications"]![0]!.Text("data.commentId").ShouldBe(reply);
        TypesOf(await replier.GetAsync(Path).JsonAsync()).ShouldBeEmpty();
        page.ToJsonString().ShouldNotContain("a secret");

        var events = await app.EventsAsync($"notifications:{ann}");
        events.Select(one => $"{one.Type} {one.Payload["unreadCount"]} {one.Payload["version"]}").ShouldBe(["notification 1 1", "notification 2 2"]);
        events[0].Payload["notification"]!.ToJsonString().ShouldBe(told.ToJsonString());
    }

    [Fact]
    public async Task Who_wrote_the_post_and_the_comment_is_told_of_a_reply_once()
    {
        using var author = await app.ClientAsync(PostsApp.NewUser());
        using var replier = await app.ClientAsync(PostsApp.NewUser());
        var post = (await author.PostAsync(new { content = "a" })).Text("id");
        await CommentAsync(replier, post, "so", await CommentAsync(author, post, "mine"));

        TypesOf(await author.GetAsync(Path).JsonAsync()).ShouldBe(["REPLY_COMMENT"]);
    }

    [Fact]
    public async Task Likes_of_a_post_are_one_notification_with_their_number_and_the_latest_names()
    {
        var ann = PostsApp.NewUser();
        using var author = await app.ClientAsync(ann);
        var post = (await author.PostAsync(new { content = "a" })).Text("id");
        await author.PostAsync($"/api/posts/{post}/like", null).JsonAsync();
        var fans = await Task.WhenAll(Enumerable.Range(0, 30).Select(_ => app.ClientAsync(PostsApp.NewUser())));
        await Task.WhenAll(fans.Select(fan => fan.PostAsync($"/api/posts/{post}/like", null).JsonAsync()));

        await Eventually.HoldsAsync(async () => await CountAsync() == "30", "the last like is told of");
        var page = await author.GetAsync(Path).JsonAsync();
        TypesOf(page).ShouldBe(["LIKE_POST"]);
        page.Text("unreadCount").ShouldBe("1");
        page["notifications"]![0]!["data"]!["actors"]!.AsArray().Count.ShouldBeInRange(1, Server.Features.Notifications.Notifications.Named);
        page["notifications"]![0]!.Text("message").ShouldEndWith(" and 29 others liked your post");
        (await app.EventsAsync($"notifications:{ann}")).Count.ShouldBeLessThan(15, "they are conflated");
        foreach (var fan in fans) fan.Dispose();

        async Task<string> CountAsync() =>
            (await author.GetAsync(Path).JsonAsync())["notifications"]!.AsArray() is [var one, ..] ? one!.Text("data.count") : "";
    }

    [Fact]
    public async Task Reading_one_reading_all_and_clearing_is_told_to_every_tab()
    {
        var ann = PostsApp.NewUser();
        using var client = await app.ClientAsync(ann);
        using var backend = await app.ClientAsync("backend");
        for (var index = 0; index < 3; index++) await NotifyAsync(backend, ann, $"{index}");
        var ids = (await client.GetAsync(Path).JsonAsync())["notifications"]!.AsArray().Select(one => one!.Text("id")).ToList();

        foreach (var _ in (int[])[1, 2]) (await client.PostAsync($"{Path}/{ids[1]}/read", null).JsonAsync()).Text("unreadCount").ShouldBe("2");
        (await client.GetAsync(Path).JsonAsync())["notifications"]!.AsArray().Select(one => one!.Text("isRead")).ShouldBe(["false", "true", "false"]);
        (await client.PostAsync($"{Path}/read-all", null).JsonAsync()).Text("unreadCount").ShouldBe("0");
        (await client.GetAsync(Path).JsonAsync()).Text("unreadCount").ShouldBe("0");
        await client.DeleteAsync(Path).JsonAsync(HttpStatusCode.NoContent);
        TypesOf(await client.GetAsync(Path).JsonAsync()).ShouldBeEmpty();

        (await app.EventsAsync($"notifications:{ann}")).Skip(3).Select(one => $"{one.Type} {one.Payload["notificationId"]} {one.Payload["unreadCount"]}")
            .ShouldBe([$"notification_read {ids[1]} 2", "notification_read all 0", "notifications_cleared  0"]);
    }

    [Fact]
    public async Task Another_users_notification_is_not_found()
    {
        var ann = PostsApp.NewUser();
        using var client = await app.ClientAsync(ann);
        using var stranger = await app.ClientAsync(PostsApp.NewUser());
        using var visitor = await app.ClientAsync(null);
        using var backend = await app.ClientAsync("backend");
        var id = (await NotifyAsync(backend, ann, "x")).Text("notification.id");
        await NotifyAsync(backend, PostsApp.NewUser(), "nobody", HttpStatusCode.NotFound);

        (await stranger.PostAsync($"{Path}/{id}/read", null).JsonAsync(HttpStatusCode.NotFound)).Text("code").ShouldBe("not_found");
        await stranger.DeleteAsync(Path).JsonAsync(HttpStatusCode.NoContent);
        TypesOf(await stranger.GetAsync(Path).JsonAsync()).ShouldBeEmpty();
        TypesOf(await client.GetAsync(Path).JsonAsync()).Count.ShouldBe(1);
        (await visitor.GetAsync(Path)).StatusCode.ShouldBe(HttpStatusCode.Unauthorized);
        (await client.PostAsJsonAsync($"/api/realtime/users/{ann}/notifications", new { type = "SYSTEM", title = "t", message = "m" })).StatusCode.ShouldBe(HttpStatusCode.Forbidden);
    }

    [Fact]
    public async Task What_is_switched_off_is_not_told_and_not_kept()
    {
        var ann = PostsApp.NewUser();
        using var client = await app.ClientAsync(ann);
        using var backend = await app.ClientAsync("backend");
        (await client.GetAsync($"{Path}/preferences").JsonAsync())["preferences"]!.AsObject().Select(one => one.Key)
            .ShouldBe(NotificationTypes.Ours.Order(StringComparer.Ordinal));
        var off = await SwitchAsync(client, "SYSTEM", false);
        off.Text("preferences.SYSTEM").ShouldBe("false");
        off.Text("preferences.LIKE_POST").ShouldBe("true");

        (await NotifyAsync(backend, ann, "unheard"))["notification"].ShouldBeNull();
        await SwitchAsync(client, "SYSTEM", true);
        (await NotifyAsync(backend, ann, "heard"))["notification"].ShouldNotBeNull();

        (await client.GetAsync(Path).JsonAsync())["notifications"]!.AsArray().Select(one => one!.Text("message")).ShouldBe(["heard"]);
        foreach (var body in (string[])["{}", """{"preferences":{"like post":true}}""", """{"preferences":{"SYSTEM":1}}"""])
            (await client.PutAsync($"{Path}/preferences", new StringContent(body, null, "application/json"))).StatusCode.ShouldBe(HttpStatusCode.BadRequest);
    }

    [Fact]
    public async Task A_backend_repeats_safely_by_key_or_by_id()
    {
        var ann = PostsApp.NewUser();
        using var client = await app.ClientAsync(ann);
        using var backend = await app.ClientAsync("backend");
        var answers = await Task.WhenAll(Enumerable.Range(0, 20).Select(async _ => (await NotifyAsync(backend, ann, "once", id: "id-1")).ToJsonString()));
        answers.Distinct().Count().ShouldBe(1);

        TypesOf(await client.GetAsync(Path).JsonAsync()).Count.ShouldBe(1);
        (await NotifyAsync(backend, ann, "other", HttpStatusCode.UnprocessableEntity, id: "id-1")).Text("code").ShouldBe("idempotency_key_reused");
        var answer = await backend.PostAsJsonAsync(
            $"/api/realtime/users/{ann}/notifications", new { type = "ORDER_SENT", title = "t", message = "m", data = new { order = 7 } }).JsonAsync(HttpStatusCode.Created);
        answer.Text("notification.data.order").ShouldBe("7");
    }

    [Theory]
    [InlineData("""{"title":"t","message":"m"}""", "type")]
    [InlineData("""{"type":"like","title":"t","message":"m"}""", "type")]
    [InlineData("""{"type":"SYSTEM","title":" ","message":"m"}""", "title")]
    [InlineData("""{"type":"SYSTEM","title":"t","message":"m","data":[1]}""", "data")]
    [InlineData("""{"type":"SYSTEM","title":"t","message":"m","id":"a b"}""", "id")]
    public async Task A_bad_notification_is_refused_with_the_fields_name(string body, string field)
    {
        var ann = PostsApp.NewUser();
        using var client = await app.ClientAsync(ann);
        using var backend = await app.ClientAsync("backend");
        var problem = await backend.PostAsync($"/api/realtime/users/{ann}/notifications", new StringContent(body, null, "application/json")).JsonAsync(HttpStatusCode.BadRequest);
        problem["errors"]!.AsObject().Select(error => error.Key).ShouldBe([field]);
    }

    [Fact]
    public async Task That_creators_posted_is_derived_from_what_the_user_has_not_seen()
    {
        var (ann, bob, me) = (PostsApp.NewUser(), PostsApp.NewUser(), PostsApp.NewUser());
        using var first = await app.ClientAsync(ann);
        using var second = await app.ClientAsync(bob);
        using var client = await app.ClientAsync(me);
        await first.PostAsync(new { content = "before the follow" });
        foreach (var creator in (string[])[ann, bob]) await client.PostAsync($"/api/creators/{creator}/follow", null).JsonAsync(HttpStatusCode.NoContent);
        TypesOf(await client.GetAsync(Path).JsonAsync()).ShouldBeEmpty();

        await PassAsync();
        await first.PostAsync(new { content = "one" });
        await PassAsync();
        var latest = (await second.PostAsync(new { content = "two" })).Text("id");
        var page = await client.GetAsync(Path).JsonAsync();
        TypesOf(page).ShouldBe(["NEW_POST_FROM_SUBSCRIPTION"]);
        page["notifications"]![0]!.Text("message").ShouldBe($"nick-{bob} and nick-{ann} posted");
        page["notifications"]![0]!["data"]!["creators"]![0]!.Text("postId").ShouldBe(latest);
        (await app.EventsAsync($"notifications:{me}")).ShouldBeEmpty("nothing is written for each follower");

        await PassAsync();
        await client.PostAsync($"{Path}/{NewPosts.Id}/read", null).JsonAsync();
        TypesOf(await client.GetAsync(Path).JsonAsync()).ShouldBeEmpty();
        (await app.EventsAsync($"notifications:{me}")).Select(one => one.Payload["notificationId"]!.GetValue<string>()).ShouldBe([NewPosts.Id]);

        await PassAsync();
        await first.PostAsync(new { content = "three" });
        TypesOf(await client.GetAsync(Path).JsonAsync()).Count.ShouldBe(1);
        await SwitchAsync(client, "NEW_POST_FROM_SUBSCRIPTION", false);
        TypesOf(await client.GetAsync(Path).JsonAsync()).ShouldBeEmpty();

        // Instants are whole milliseconds, and "newer than what was seen" needs another one.
        static Task PassAsync()
        {
            var now = TimeProvider.System.GetUtcNow().ToUnixTimeMilliseconds();
            return Eventually.HoldsAsync(() => TimeProvider.System.GetUtcNow().ToUnixTimeMilliseconds() > now + 1, "time passes");
        }
    }

    [Fact]
    public async Task Pages_go_on_where_they_ended_and_only_so_many_are_kept()
    {
        var ann = PostsApp.NewUser();
        using var client = await app.ClientAsync(ann);
        var now = TimeProvider.System.GetUtcNow();
        for (var batch = 0; batch < 11; batch++)
        {
            await app.Store.WriteAsync(
                async write =>
                {
                    for (var index = 0; index < 100; index++) await write.AddAsync(new NewNotification(ann, "SYSTEM", "t", "m", "{}"u8.ToArray(), now));
                },
                CancellationToken.None);
        }

        var ids = new HashSet<string>();
        var seen = 0;
        for (string? cursor = ""; cursor is not null;)
        {
            var page = await client.GetAsync($"{Path}?limit=100&cursor={cursor}").JsonAsync();
            foreach (var one in page["notifications"]!.AsArray()) ids.Add(one!.Text("id")).ShouldBeTrue($"row {seen++} comes once");
            cursor = page["nextCursor"]?.GetValue<string>();
        }

        ids.Count.ShouldBeInRange(Server.Features.Notifications.Notifications.Kept, 1_100);
        ids.Count.ShouldBeLessThan(1_100);
        (await client.GetAsync(Path).JsonAsync()).Text("unreadCount").ShouldBe($"{ids.Count}");
    }

    private static Task<JsonNode> SwitchAsync(HttpClient client, string type, bool isWanted) =>
        client.PutAsJsonAsync($"{Path}/preferences", new { preferences = new Dictionary<string, bool> { [type] = isWanted } }).JsonAsync();

    private static List<string> TypesOf(JsonNode page) => [.. page["notifications"]!.AsArray().Select(one => one!.Text("type"))];

    private static async Task<string> CommentAsync(HttpClient client, string post, string content, string? parentId = null) =>
        (await client.PostAsJsonAsync($"/api/posts/{post}/comments", new { content, parentId }).JsonAsync(HttpStatusCode.Created)).Text("comment.id");

    private static Task<JsonNode> NotifyAsync(
        HttpClient backend, string user, string message, HttpStatusCode expected = HttpStatusCode.Created, string? id = null) =>
        backend.PostAsJsonAsync($"/api/realtime/users/{user}/notifications", new { id, type = "SYSTEM", title = "t", message }).JsonAsync(expected);
}
