using System.Net;
using System.Net.Http.Json;
using System.Text;
using Shouldly;
using Tidings.Realtime.Publications;
using Xunit;

namespace Tidings.Server.Tests.Posts;

public sealed class EditAndDeletePostTests(PostsApp app) : IClassFixture<PostsApp>
{
    [Fact]
    public async Task An_edit_changes_what_it_names_raises_the_version_and_is_published_to_both_channels()
    {
        var author = PostsApp.NewUser();
        using var client = await app.ClientAsync(author);
        var id = (await client.PostAsync(new { content = "old", title = "title", mediaUrl = "https://example.com/a.png" })).Text("id");

        var edited = (await client.PatchAsJsonAsync($"/api/posts/{id}", new { content = "new", title = "" }).JsonAsync())["post"]!;
        edited.Text("content.text").ShouldBe("new");
        edited.Text("content.title").ShouldBe("");
        edited.Text("media.url").ShouldBe("https://example.com/a.png");
        edited.Text("metadata.version").ShouldBe("2");
        (await client.GetAsync($"/api/posts/{id}").JsonAsync())["post"]!.ToJsonString().ShouldBe(edited.ToJsonString());
        foreach (var channel in (string[])[$"creator:{author}", $"post:{id}"])
        {
            var last = (await app.EventsAsync(channel))[^1];
            last.Type.ShouldBe("post_updated");
            last.Payload["post"]!.ToJsonString().ShouldBe(edited.ToJsonString());
            last.Payload.Text("version").ShouldBe("2");
        }
    }

    [Fact]
    public async Task An_edit_that_changes_nothing_publishes_nothing()
    {
        var author = PostsApp.NewUser();
        using var client = await app.ClientAsync(author);
        var id = (await client.PostAsync(new { content = "same" })).Text("id");
        (await client.PatchAsJsonAsync($"/api/posts/{id}", new { content = "same" }).JsonAsync()).Text("post.metadata.version").ShouldBe("1");
        (await app.EventsAsync($"post:{id}")).ShouldBeEmpty();
    }

    [Theory]
    [InlineData("""{"content":1}""", 400, "invalid")]
    [InlineData("""{"content":""}""", 400, "invalid")]
    [InlineData("""{"type":"video"}""", 400, "invalid")]
    [InlineData("""{"mediaUrl":"ftp://x"}""", 400, "invalid")]
    [InlineData("""{"isLocked":true}""", 400, "invalid")]
    [InlineData("""{"tier":"gold"}""", 422, "unknown_tier")]
    [InlineData("""{"status":"draft"}""", 422, "not_supported")]
    [InlineData("[]", 400, "invalid")]
    public async Task A_bad_edit_is_refused(string body, int status, string code)
    {
        using var client = await app.ClientAsync(PostsApp.NewUser());
        var id = (await client.PostAsync(new { content = "a" })).Text("id");
        var problem = await client.PatchAsync($"/api/posts/{id}", new StringContent(body, Encoding.UTF8, "application/json")).JsonAsync((HttpStatusCode)status);
        problem.Text("code").ShouldBe(code);
        (await app.EventsAsync($"post:{id}")).ShouldBeEmpty();
    }

    [Fact]
    public async Task Only_the_author_edits_and_deletes()
    {
        using var author = await app.ClientAsync(PostsApp.NewUser());
        using var stranger = await app.ClientAsync(PostsApp.NewUser());
        using var visitor = await app.ClientAsync(null);
        var id = (await author.PostAsync(new { content = "a" })).Text("id");

        (await stranger.PatchAsJsonAsync($"/api/posts/{id}", new { content = "b" }).JsonAsync(HttpStatusCode.Forbidden)).Text("code").ShouldBe("forbidden");
        (await stranger.DeleteAsync($"/api/posts/{id}").JsonAsync(HttpStatusCode.Forbidden)).Text("code").ShouldBe("forbidden");
        (await visitor.DeleteAsync($"/api/posts/{id}")).StatusCode.ShouldBe(HttpStatusCode.Unauthorized);
        (await visitor.PatchAsJsonAsync($"/api/posts/{id}", new { content = "b" })).StatusCode.ShouldBe(HttpStatusCode.Unauthorized);
        (await author.PatchAsJsonAsync("/api/posts/none", new { content = "b" }).JsonAsync(HttpStatusCode.NotFound)).Text("code").ShouldBe("not_found");
    }

    [Fact]
    public async Task A_deleted_post_is_gone_everywhere_and_its_channel_ends()
    {
        var author = PostsApp.NewUser();
        using var client = await app.ClientAsync(author);
        var id = (await client.PostAsync(new { content = "secret words" })).Text("id");
        await client.PostAsync($"/api/posts/{id}/like", null).JsonAsync();

        (await client.DeleteAsync($"/api/posts/{id}")).StatusCode.ShouldBe(HttpStatusCode.NoContent);

        foreach (var request in (HttpRequestMessage[])[new(HttpMethod.Get, ""), new(HttpMethod.Delete, ""), new(HttpMethod.Post, "/like"), new(HttpMethod.Delete, "/like")])
        {
            request.RequestUri = new Uri($"/api/posts/{id}{request.RequestUri}", UriKind.Relative);
            (await client.SendAsync(request).JsonAsync(HttpStatusCode.NotFound)).Text("code").ShouldBe("not_found");
        }

        (await client.GetAsync("/api/posts").JsonAsync())["posts"]!.AsArray().ShouldBeEmpty();
        (await client.GetAsync($"/api/creators/{author}").JsonAsync()).Text("creator.postsCount").ShouldBe("0");
        var last = (await app.EventsAsync($"post:{id}"))[^1];
        last.Type.ShouldBe("post_deleted");
        last.Whole.Draft.Effect.ShouldBe(new ChannelEffect(ChannelEffectKind.Close));
        var told = (await app.EventsAsync($"creator:{author}"))[^1];
        told.Type.ShouldBe("post_deleted");
        told.Payload.Text("version").ShouldBe("3");
        (await app.Store.WriteAsync(write => write.QuerySingleOrDefaultAsync<string>("SELECT content || title FROM posts WHERE id = @id", new { id }), default)).ShouldBe("");
    }
}
