using System.Net;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json.Nodes;
using Shouldly;
using Tidings.Realtime.Publications;
using Tidings.Server.Features.Posts;
using Tidings.Server.Host;
using Tidings.Server.Tests.Posts;
using Xunit;

namespace Tidings.Server.Tests.Comments;

public sealed class CommentsTests(PostsApp app) : IClassFixture<PostsApp>
{
    [Fact]
    public async Task A_comment_is_answered_listed_counted_and_told_in_the_posts_channel()
    {
        using var author = await app.ClientAsync(PostsApp.NewUser());
        var commenter = PostsApp.NewUser();
        using var client = await app.ClientAsync(commenter);
        var post = (await author.PostAsync(new { content = "a" })).Text("id");

        var answer = await client.PostAsJsonAsync($"/api/posts/{post}/comments", new { content = "well said ☃" }).JsonAsync(HttpStatusCode.Created);
        answer.Text("commentsCount").ShouldBe("1");
        answer.Text("comment.content").ShouldBe("well said ☃");
        answer.Text("comment.author.id").ShouldBe(commenter);
        answer["comment"]!["parentId"].ShouldBeNull();

        var events = await app.EventsAsync($"post:{post}");
        events.Select(one => one.Type).ShouldBe(["comment_added"]);
        events[0].Payload["comment"]!.ToJsonString().ShouldBe(answer["comment"]!.ToJsonString());
        events[0].Payload.Text("version").ShouldBe("2");
        events[0].Payload.Text("commentsCount").ShouldBe("1");

        var page = await client.GetAsync($"/api/posts/{post}/comments").JsonAsync();
        page["comments"]!.AsArray().Single()!.ToJsonString().ShouldBe(answer["comment"]!.ToJsonString());
        page.Text("commentsCount").ShouldBe("1");
        Position.TryParse(page.Text("positions.post:" + post), out var place).ShouldBeTrue();
        place.ShouldBe(events[0].Whole.Position);
        (await client.GetAsync($"/api/posts/{post}").JsonAsync()).Text("post.metadata.commentsCount").ShouldBe("1");
        (await client.GetAsync($"/api/posts/{post}").JsonAsync()).Text("post.metadata.version").ShouldBe("2");
    }

    [Fact]
    public async Task A_reply_belongs_to_a_comment_of_the_same_post_that_replies_to_none()
    {
        using var client = await app.ClientAsync(PostsApp.NewUser());
        var post = await PostAsync(client);
        var other = await PostAsync(client);
        var top = await CommentAsync(client, post, "top");
        var reply = await CommentAsync(client, post, "reply", top);
        var elsewhere = await CommentAsync(client, other, "elsewhere");
        var deleted = await CommentAsync(client, post, "gone");
        await client.DeleteAsync($"/api/posts/{post}/comments/{deleted}").JsonAsync(HttpStatusCode.NoContent);

        foreach (var parent in (string[])[reply, elsewhere, deleted, "nothing"])
        {
            (await client.PostAsJsonAsync($"/api/posts/{post}/comments", new { content = "no", parentId = parent }).JsonAsync(HttpStatusCode.UnprocessableEntity))
                .Text("code").ShouldBe("invalid_parent");
        }

        (await TextsAsync(client, $"/api/posts/{post}/comments")).ShouldBe(["top"]);
        (await TextsAsync(client, $"/api/posts/{post}/comments?parentId={top}")).ShouldBe(["reply"]);
        var page = await client.GetAsync($"/api/posts/{post}/comments").JsonAsync();
        page["comments"]![0]!.Text("repliesCount").ShouldBe("1");
        page.Text("commentsCount").ShouldBe("2");
    }

    [Fact]
    public async Task Only_its_author_edits_a_comment_and_the_posts_author_may_delete_it_too()
    {
        using var author = await app.ClientAsync(PostsApp.NewUser());
        using var client = await app.ClientAsync(PostsApp.NewUser());
        using var stranger = await app.ClientAsync(PostsApp.NewUser());
        var post = await PostAsync(author);
        var comment = await CommentAsync(client, post, "one");
        var path = $"/api/posts/{post}/comments/{comment}";

        foreach (var another in (HttpClient[])[author, stranger])
            (await another.PatchAsJsonAsync(path, new { content = "two" }).JsonAsync(HttpStatusCode.Forbidden)).Text("code").ShouldBe("forbidden");
        (await stranger.DeleteAsync(path).JsonAsync(HttpStatusCode.Forbidden)).Text("code").ShouldBe("forbidden");

        var edited = await client.PatchAsJsonAsync(path, new { content = "two" }).JsonAsync();
        edited.Text("comment.content").ShouldBe("two");
        edited["comment"]!["editedAt"].ShouldNotBeNull();
        (await client.PatchAsJsonAsync(path, new { content = "two" }).JsonAsync()).ToJsonString().ShouldBe(edited.ToJsonString(), "the same again changes nothing");

        await author.DeleteAsync(path).JsonAsync(HttpStatusCode.NoContent);
        (await author.DeleteAsync(path).JsonAsync(HttpStatusCode.NotFound)).Text("code").ShouldBe("not_found");
        (await client.PatchAsJsonAsync(path, new { content = "three" })).StatusCode.ShouldBe(HttpStatusCode.NotFound);

        var events = await app.EventsAsync($"post:{post}");
        events.Select(one => $"{one.Type} {one.Payload["commentsCount"]} {one.Payload["version"]}")
            .ShouldBe(["comment_added 1 2", "comment_updated 1 3", "comment_deleted 0 4"]);
        events[^1].Payload.Text("commentId").ShouldBe(comment);
    }

    [Fact]
    public async Task A_deleted_comment_keeps_its_place_for_its_replies_and_says_nothing()
    {
        using var client = await app.ClientAsync(PostsApp.NewUser());
        var post = await PostAsync(client);
        var top = await CommentAsync(client, post, "a secret");
        var reply = await CommentAsync(client, post, "reply", top);

        await client.DeleteAsync($"/api/posts/{post}/comments/{top}").JsonAsync(HttpStatusCode.NoContent);
        var tombstone = (await client.GetAsync($"/api/posts/{post}/comments").JsonAsync())["comments"]!.AsArray().Single()!;
        tombstone.Text("isDeleted").ShouldBe("true");
        tombstone.Text("content").ShouldBe("");
        tombstone["author"].ShouldBeNull();
        (await TextsAsync(client, $"/api/posts/{post}/comments?parentId={top}")).ShouldBe(["reply"]);
        (await client.GetAsync($"/api/posts/{post}").JsonAsync()).Text("post.metadata.commentsCount").ShouldBe("1");

        await client.DeleteAsync($"/api/posts/{post}/comments/{reply}").JsonAsync(HttpStatusCode.NoContent);
        (await TextsAsync(client, $"/api/posts/{post}/comments")).ShouldBeEmpty("nothing hangs on it any more");
        var left = await app.Store.QueryAsync<string>("SELECT content FROM comments WHERE post_id = @post", new { post }, CancellationToken.None);
        left.ShouldAllBe(content => content.Length == 0);
    }

    [Fact]
    public async Task Pages_neither_repeat_nor_skip_while_others_comment()
    {
        using var client = await app.ClientAsync(PostsApp.NewUser());
        var post = await PostAsync(client);
        var top = await CommentAsync(client, post, "0");
        for (var index = 1; index < 25; index++) await CommentAsync(client, post, $"{index}");
        for (var index = 0; index < 25; index++) await CommentAsync(client, post, $"{index}", top);

        using var isRead = new CancellationTokenSource();
        var writing = Task.Run(async () =>
        {
            while (!isRead.IsCancellationRequested) await CommentAsync(client, post, "meanwhile");
        });

        var before = Enumerable.Range(0, 25).Select(index => $"{index}").ToList();
        (await AllAsync(client, $"/api/posts/{post}/comments?limit=7")).Where(text => text != "meanwhile").ShouldBe(Enumerable.Reverse(before));
        (await AllAsync(client, $"/api/posts/{post}/comments?limit=4&parentId={top}")).ShouldBe(before);
        await isRead.CancelAsync();
        await writing;
    }

    [Fact]
    public async Task F26_fifty_equal_comments_at_once_have_one_effect_and_one_answer()
    {
        using var client = await app.ClientAsync(PostsApp.NewUser());
        var post = await PostAsync(client);
        var answers = await Task.WhenAll(Enumerable.Range(0, 50).Select(async _ =>
        {
            using var response = await SendAsync(client, post, "key", """{"content":"once"}""");
            response.StatusCode.ShouldBe(HttpStatusCode.Created);
            return await response.Content.ReadAsStringAsync();
        }));

        answers.Distinct().Count().ShouldBe(1);
        (await app.EventsAsync($"post:{post}")).Count.ShouldBe(1);
        (await TextsAsync(client, $"/api/posts/{post}/comments")).ShouldBe(["once"]);
        (await SendAsync(client, post, "key", """{"content":"twice"}""").JsonAsync(HttpStatusCode.UnprocessableEntity)).Text("code").ShouldBe("idempotency_key_reused");
    }

    [Fact]
    public async Task A_repetition_is_answered_although_the_post_is_gone_and_a_refusal_spends_no_key()
    {
        using var client = await app.ClientAsync(PostsApp.NewUser());
        var post = await PostAsync(client);
        (await SendAsync(client, post, "k", """{"content":"a","parentId":"none"}""")).StatusCode.ShouldBe(HttpStatusCode.UnprocessableEntity);
        var first = (await SendAsync(client, post, "k", """{"content":"a"}""").JsonAsync(HttpStatusCode.Created)).ToJsonString();
        await client.DeleteAsync($"/api/posts/{post}").JsonAsync(HttpStatusCode.NoContent);

        (await SendAsync(client, post, "k", """{"content":"a"}""").JsonAsync(HttpStatusCode.Created)).ToJsonString().ShouldBe(first);
        (await SendAsync(client, post, "k2", """{"content":"a"}""")).StatusCode.ShouldBe(HttpStatusCode.NotFound);
        (await client.GetAsync($"/api/posts/{post}/comments")).StatusCode.ShouldBe(HttpStatusCode.NotFound);
    }

    [Theory]
    [InlineData("""{"content":""}""", "content")]
    [InlineData("""{"content":" \n"}""", "content")]
    [InlineData("{}", "content")]
    [InlineData("""{"content":"a\u0000b"}""", "content")]
    [InlineData("""{"content":7}""", "content")]
    [InlineData("""{"content":"a","parentId":"\u0000"}""", "parentId")]
    [InlineData("LONG", "content")]
    public async Task A_bad_comment_is_refused_with_the_fields_name(string body, string field)
    {
        using var client = await app.ClientAsync(PostsApp.NewUser());
        var post = await PostAsync(client);
        if (body == "LONG") body = $$"""{"content":"{{new string('x', 2_001)}}"}""";

        var problem = await SendAsync(client, post, null, body).JsonAsync(HttpStatusCode.BadRequest);
        problem.Text("code").ShouldBe("invalid");
        problem["errors"]!.AsObject().Select(error => error.Key).ShouldBe([field]);
        (await app.EventsAsync($"post:{post}")).ShouldBeEmpty();
    }

    [Fact]
    public async Task Visitors_read_comments_and_write_none()
    {
        using var client = await app.ClientAsync(PostsApp.NewUser());
        using var visitor = await app.ClientAsync(null);
        var post = await PostAsync(client);
        await CommentAsync(client, post, "a");

        (await TextsAsync(visitor, $"/api/posts/{post}/comments")).ShouldBe(["a"]);
        (await SendAsync(visitor, post, null, """{"content":"a"}""")).StatusCode.ShouldBe(HttpStatusCode.Unauthorized);
        (await visitor.GetAsync("/api/posts/none/comments")).StatusCode.ShouldBe(HttpStatusCode.NotFound);
        (await visitor.GetAsync($"/api/posts/{post}/comments?cursor=none").JsonAsync(HttpStatusCode.BadRequest)).Text("code").ShouldBe("invalid_cursor");
    }

    private static async Task<string> PostAsync(HttpClient client) => (await client.PostAsync(new { content = "a" })).Text("id");

    private static async Task<string> CommentAsync(HttpClient client, string post, string content, string? parentId = null) =>
        (await client.PostAsJsonAsync($"/api/posts/{post}/comments", new { content, parentId }).JsonAsync(HttpStatusCode.Created)).Text("comment.id");

    private static async Task<List<string>> TextsAsync(HttpClient client, string path) => TextsOf(await client.GetAsync(path).JsonAsync());

    private static async Task<List<string>> AllAsync(HttpClient client, string path)
    {
        var all = new List<string>();
        for (string? cursor = ""; cursor is not null;)
        {
            var page = await client.GetAsync($"{path}&cursor={cursor}").JsonAsync();
            all.AddRange(TextsOf(page));
            cursor = page["nextCursor"]?.GetValue<string>();
        }

        return all;
    }

    private static List<string> TextsOf(JsonNode page) => [.. page["comments"]!.AsArray().Select(comment => comment!.Text("content"))];

    private static Task<HttpResponseMessage> SendAsync(HttpClient client, string post, string? key, string body)
    {
        var request = new HttpRequestMessage(HttpMethod.Post, $"/api/posts/{post}/comments") { Content = new StringContent(body, Encoding.UTF8, "application/json") };
        if (key is not null) request.Headers.TryAddWithoutValidation(IdempotencyKeys.Header, key);
        return client.SendAsync(request);
    }
}
