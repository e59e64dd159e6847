using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text.Json;
using Shouldly;
using Tidings.Testing.Checks;
using Tidings.Testing.Clients;
using Xunit;

namespace Tidings.Server.Tests.Moderation;

/// <summary>Reports and what is done about them, from outside.</summary>
public sealed class ModerationTests(ProductServer server) : IClassFixture<ProductServer>
{
    [Fact]
    public async Task A_report_comes_to_moderators_with_what_it_is_about_and_once()
    {
        using var author = await server.UserAsync("author");
        using var reporter = await server.UserAsync("reporter");
        using var moderator = await ModeratorAsync();
        var post = await PostAsync(author, "something bad");

        var first = await ReportAsync(reporter, new { postId = post, reason = "spam", note = "look" });
        (await ReportAsync(reporter, new { postId = post, reason = "abuse" })).ShouldBe(first);

        var report = await FindAsync(moderator, first);
        report.GetProperty("kind").GetString().ShouldBe("post");
        report.GetProperty("authorId").GetString().ShouldBe(author.Id);
        report.GetProperty("text").GetString()!.ShouldContain("something bad");
        (await SendAsync(moderator, $"/api/moderation/reports/{first}/resolve", new { @as = "acted", note = "warned" })).ShouldBe(HttpStatusCode.NoContent);
        (await SendAsync(moderator, $"/api/moderation/reports/{first}/resolve", new { @as = "dismissed" })).ShouldBe(HttpStatusCode.NoContent);
        (await moderator.GetAsync("/api/moderation/reports?status=acted")).GetProperty("reports").EnumerateArray().ShouldContain(one => one.GetProperty("id").GetString() == first);
        (await ReportAsync(reporter, new { postId = post, reason = "spam" })).ShouldNotBe(first);
    }

    [Fact]
    public async Task What_one_does_not_see_one_cannot_report()
    {
        using var author = await server.UserAsync("author");
        using var reporter = await server.UserAsync("reporter");
        using var draft = await author.Http.PostAsJsonAsync("/api/posts", new { content = LockedText.New().Text, status = "draft" });
        var hidden = (await Account.ReadAsync(draft, HttpStatusCode.Created)).GetProperty("post").GetProperty("id").GetString();

        foreach (var (body, status) in new (object, HttpStatusCode)[]
        {
            (new { postId = hidden, reason = "spam" }, HttpStatusCode.NotFound),
            (new { messageId = "nothing", reason = "spam" }, HttpStatusCode.NotFound),
            (new { userId = "nobody", reason = "spam" }, HttpStatusCode.NotFound),
            (new { userId = author.Id, reason = "because" }, HttpStatusCode.BadRequest),
            (new { userId = author.Id, postId = hidden, reason = "spam" }, HttpStatusCode.BadRequest),
            (new { reason = "spam" }, HttpStatusCode.BadRequest),
            (new { userId = author.Id, reason = "spam", note = new string('x', 1_001) }, HttpStatusCode.BadRequest),
            (new { userId = author.Id, reason = "spam" }, HttpStatusCode.Created),
        })
            (await SendAsync(reporter, "/api/reports", body)).ShouldBe(status, JsonSerializer.Serialize(body));
    }

    [Fact]
    public async Task Nobody_else_moderates()
    {
        using var author = await server.UserAsync("author");
        var post = await PostAsync(author, "mine");
        foreach (var path in new[] { $"posts/{post}/hide", $"posts/{post}/restore", $"users/{author.Id}/suspend", $"users/{author.Id}/lift", "reports/x/resolve" })
        {
            (await SendAsync(author, $"/api/moderation/{path}", new { @as = "acted" })).ShouldBe(HttpStatusCode.Forbidden, path);
            using var visitor = Account.Connect(server.Process);
            (await visitor.PostAsJsonAsync($"/api/moderation/{path}", new { })).StatusCode.ShouldBe(HttpStatusCode.Unauthorized, path);
        }

        foreach (var path in new[] { "reports", "audit" }) (await author.Http.GetAsync($"/api/moderation/{path}")).StatusCode.ShouldBe(HttpStatusCode.Forbidden, path);
        (await author.Http.PutAsync($"/api/moderation/moderators/{author.Id}", null)).StatusCode.ShouldBe(HttpStatusCode.Forbidden);
        using var moderator = await ModeratorAsync();
        (await moderator.Http.PutAsync($"/api/moderation/moderators/{author.Id}", null)).StatusCode.ShouldBe(HttpStatusCode.Forbidden);
        using var backend = Backend();
        (await backend.DeleteAsync($"/api/moderation/moderators/{moderator.Id}")).StatusCode.ShouldBe(HttpStatusCode.NoContent);
        (await moderator.Http.GetAsync("/api/moderation/reports")).StatusCode.ShouldBe(HttpStatusCode.Forbidden);
    }

    [Fact]
    public async Task A_hidden_post_goes_from_every_page_and_comes_back()
    {
        using var author = await server.UserAsync("author");
        using var reader = await server.UserAsync("reader");
        using var moderator = await ModeratorAsync();
        var text = LockedText.NewOpen();
        var post = await PostAsync(author, text.Text);
        await using var client = await NativeClient.ConnectAsync(reader);
        await client.SubscribeAsync($"creator:{author.Id}");

        (await SendAsync(moderator, $"/api/moderation/posts/{post}/hide", new { note = "rules" })).ShouldBe(HttpStatusCode.NoContent);
        (await SendAsync(moderator, $"/api/moderation/posts/{post}/hide", new { })).ShouldBe(HttpStatusCode.NoContent);

        await client.WaitForAsync(message => message.IsOfType("post_deleted") && message.Text("postId") == post, "it goes");
        text.Lock();
        using var backend = Backend();
        (await backend.GetStringAsync($"/api/realtime/channels/creator:{author.Id}/history")).ShouldNotContain(text.Text);
        (await reader.Http.GetAsync($"/api/posts/{post}")).StatusCode.ShouldBe(HttpStatusCode.NotFound);
        (await reader.GetAllPostsAsync($"creatorId={author.Id}")).ShouldBeEmpty();
        (await author.GetAsync($"/api/posts/{post}")).GetProperty("post").GetProperty("metadata").GetProperty("status").GetString().ShouldBe("hidden");
        (await SendAsync(author, $"/api/posts/{post}/publish", new { })).ShouldNotBe(HttpStatusCode.Created);
        (await reader.Http.GetAsync($"/api/posts/{post}")).StatusCode.ShouldBe(HttpStatusCode.NotFound);

        text.Open();
        (await SendAsync(moderator, $"/api/moderation/posts/{post}/restore", new { })).ShouldBe(HttpStatusCode.NoContent);
        (await reader.GetAsync($"/api/posts/{post}")).GetProperty("post").GetProperty("content").GetProperty("text").GetString().ShouldBe(text.Text);
        (await moderator.GetAsync("/api/moderation/audit")).GetProperty("entries").EnumerateArray()
            .Where(entry => entry.GetProperty("object").GetString() == $"post:{post}").Select(entry => entry.GetProperty("action").GetString()).ShouldBe(["post.restore", "post.hide"]);
    }

    [Fact]
    public async Task A_hidden_comment_is_gone_for_readers_and_marked_for_its_author_and_moderators()
    {
        using var author = await server.UserAsync("author");
        using var writer = await server.UserAsync("writer");
        using var reader = await server.UserAsync("reader");
        using var moderator = await ModeratorAsync();
        var post = await PostAsync(author, "a post");
        var text = LockedText.NewOpen();
        var comment = await CommentAsync(writer, post, text.Text);
        await using var client = await NativeClient.ConnectAsync(reader);
        var since = (await client.SubscribeAsync($"post:{post}")).Text("position")!;

        (await SendAsync(reader, $"/api/moderation/comments/{comment}/hide", new { })).ShouldBe(HttpStatusCode.Forbidden);
        (await SendAsync(moderator, "/api/moderation/comments/nothing/hide", new { })).ShouldBe(HttpStatusCode.NotFound);
        for (var time = 0; time < 2; time++) (await SendAsync(moderator, $"/api/moderation/comments/{comment}/hide", new { note = "rules" })).ShouldBe(HttpStatusCode.NoContent);

        await client.WaitForAsync(message => message.IsOfType("comment_deleted") && message.Text("commentId") == comment, "it goes");
        text.Lock().Allow(moderator.Id);
        using var visitor = Account.Connect(server.Process);
        foreach (var http in (HttpClient[])[reader.Http, author.Http, visitor]) (await ShownAsync(http)).ShouldBe("0 comments:");
        foreach (var http in (HttpClient[])[writer.Http, moderator.Http]) (await ShownAsync(http)).ShouldBe($"0 comments: {text} hidden");
        using (var backend = Backend()) (await backend.GetStringAsync($"/api/realtime/channels/post:{post}/history")).ShouldNotContain(text.Text);
        await using (var late = await NativeClient.ConnectAsync(reader)) await late.GetHistoryAsync($"post:{post}", since);
        using (var edit = await writer.Http.PatchAsJsonAsync($"/api/posts/{post}/comments/{comment}", new { content = "other words" })) edit.StatusCode.ShouldBe(HttpStatusCode.NotFound);
        (await SendAsync(reader, "/api/reports", new { commentId = comment, reason = "spam" })).ShouldBe(HttpStatusCode.NotFound);
        (await SendAsync(reader, $"/api/posts/{post}/comments", new { content = "a reply", parentId = comment })).ShouldBe(HttpStatusCode.UnprocessableEntity);

        text.Open();
        for (var time = 0; time < 2; time++) (await SendAsync(moderator, $"/api/moderation/comments/{comment}/restore", new { })).ShouldBe(HttpStatusCode.NoContent);
        (await ShownAsync(reader.Http)).ShouldBe($"1 comments: {text}");
        await client.WaitForAsync(message => message.IsOfType("comment_added") && message.GetProperty("commentsCount").GetInt32() == 1, "it comes back");

        await CommentAsync(author, post, "a reply", comment);
        await SendAsync(moderator, $"/api/moderation/comments/{comment}/hide", new { });
        (await ShownAsync(reader.Http)).ShouldBe("1 comments: (deleted)"); // its reply needs the place
        using (var deletion = await writer.Http.DeleteAsync($"/api/posts/{post}/comments/{comment}")) deletion.StatusCode.ShouldBe(HttpStatusCode.NoContent);
        (await ShownAsync(writer.Http)).ShouldBe("1 comments: (deleted)");
        (await SendAsync(moderator, $"/api/moderation/comments/{comment}/restore", new { })).ShouldBe(HttpStatusCode.NotFound);
        (await moderator.GetAsync("/api/moderation/audit")).GetProperty("entries").EnumerateArray()
            .Where(entry => entry.GetProperty("object").GetString() == $"comment:{comment}").Select(entry => entry.GetProperty("action").GetString())
            .ShouldBe(["comment.hide", "comment.restore", "comment.hide"]);

        async Task<string> ShownAsync(HttpClient http)
        {
            using var answer = await http.GetAsync($"/api/posts/{post}/comments");
            var page = await Account.ReadAsync(answer, HttpStatusCode.OK);
            var shown = page.GetProperty("comments").EnumerateArray().Select(one =>
                one.GetProperty("isDeleted").GetBoolean() ? "(deleted)" : $"{one.Text("content")}{(one.TryGetProperty("isHidden", out var hidden) && hidden.GetBoolean() ? " hidden" : "")}");
            return $"{page.GetProperty("commentsCount").GetInt32()} comments: {string.Join(", ", shown)}".TrimEnd();
        }
    }

    [Fact]
    public async Task A_suspended_users_connections_end_at_once_and_nothing_opens_until_it_is_lifted()
    {
        using var user = await server.UserAsync("user");
        using var moderator = await ModeratorAsync();
        await using var client = await NativeClient.ConnectAsync(user);

        (await SendAsync(moderator, $"/api/moderation/users/{user.Id}/suspend", new { until = "2100-01-01T00:00:00Z", note = "spam" })).ShouldBe(HttpStatusCode.NoContent);

        (await client.WaitForCloseAsync()).Code.ShouldBe(4403);
        using var refused = await user.Http.GetAsync("/api/posts");
        (await Account.ReadAsync(refused, HttpStatusCode.Forbidden)).GetProperty("code").GetString().ShouldBe("suspended");
        await using var again = await NativeClient.OpenAsync(server.Process.Address, user.Token);
        (await again.WaitForCloseAsync()).Code.ShouldBe(4401);
        (await user.Http.PostAsync("/api/auth/logout", null)).StatusCode.ShouldBe(HttpStatusCode.NoContent);

        using var other = await server.UserAsync("user");
        await SendAsync(moderator, $"/api/moderation/users/{other.Id}/suspend", new { });
        (await other.Http.GetAsync("/api/auth/me")).StatusCode.ShouldBe(HttpStatusCode.Forbidden);
        (await SendAsync(moderator, $"/api/moderation/users/{other.Id}/lift", new { })).ShouldBe(HttpStatusCode.NoContent);
        (await other.Http.GetAsync("/api/auth/me")).StatusCode.ShouldBe(HttpStatusCode.OK);
        await using var back = await NativeClient.ConnectAsync(other);
        (await SendAsync(moderator, $"/api/moderation/users/{moderator.Id}/suspend", new { })).ShouldBe(HttpStatusCode.UnprocessableEntity);
        (await SendAsync(moderator, $"/api/moderation/users/{other.Id}/suspend", new { until = "2001-01-01T00:00:00Z" })).ShouldBe(HttpStatusCode.BadRequest);
        (await SendAsync(moderator, "/api/moderation/users/nobody/suspend", new { })).ShouldBe(HttpStatusCode.NotFound);
    }

    private async Task<Account> ModeratorAsync()
    {
        var moderator = await server.UserAsync("moderator");
        using var backend = Backend();
        (await backend.PutAsync($"/api/moderation/moderators/{moderator.Id}", null)).StatusCode.ShouldBe(HttpStatusCode.NoContent);
        return moderator;
    }

    private HttpClient Backend()
    {
        var http = Account.Connect(server.Process);
        http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", server.Process.AppSecret);
        return http;
    }

    private static async Task<string> PostAsync(Account author, string content) => (await author.PostAsync(content)).GetProperty("id").GetString()!;

    private static async Task<string> CommentAsync(Account writer, string post, string content, string? parentId = null)
    {
        using var answer = await writer.Http.PostAsJsonAsync($"/api/posts/{post}/comments", new { content, parentId });
        return (await Account.ReadAsync(answer, HttpStatusCode.Created)).GetProperty("comment").GetProperty("id").GetString()!;
    }

    private static async Task<string> ReportAsync(Account reporter, object report)
    {
        using var answer = await reporter.Http.PostAsJsonAsync("/api/reports", report);
        return (await Account.ReadAsync(answer, HttpStatusCode.Created)).GetProperty("id").GetString()!;
    }

    private static async Task<JsonElement> FindAsync(Account moderator, string report) =>
        (await moderator.GetAsync("/api/moderation/reports")).GetProperty("reports").EnumerateArray().Single(one => one.GetProperty("id").GetString() == report);

    private static async Task<HttpStatusCode> SendAsync(Account sender, string path, object body)
    {
        using var answer = await sender.Http.PostAsJsonAsync(path, body);
        return answer.StatusCode;
    }
}
