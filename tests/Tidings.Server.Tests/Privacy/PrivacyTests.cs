using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using Shouldly;
using Tidings.Testing;
using Tidings.Testing.Checks;
using Tidings.Testing.Clients;
using Xunit;

namespace Tidings.Server.Tests.Privacy;

/// <summary>Taking what is one's own, and leaving.</summary>
public sealed class PrivacyTests(ProductServer server) : IClassFixture<ProductServer>
{
    private const string Password = "correct horse battery staple";

    [Fact]
    public async Task An_export_has_what_the_user_made_and_nobody_elses()
    {
        using var user = await server.UserAsync("user");
        using var other = await server.UserAsync("other");
        var mine = await PostAsync(user, "my own words");
        await PostAsync(other, "somebody else's");
        var notYet = LockedText.New();
        using var draft = await user.Http.PostAsJsonAsync("/api/posts", new { content = notYet.Text, status = "draft" });
        draft.EnsureSuccessStatusCode();
        await CommentAsync(user, await PostAsync(other, "commented"), "a remark");
        await user.FollowAsync(other);

        using var answer = await user.Http.GetAsync("/api/user/export");
        var export = await Account.ReadAsync(answer, HttpStatusCode.OK);

        answer.Content.Headers.ContentDisposition!.FileName.ShouldBe("tidings-export.json");
        export.GetProperty("account").EnumerateArray().ShouldHaveSingleItem().GetProperty("email").GetString().ShouldBe($"{user.Nickname}@example.org");
        export.GetProperty("posts").EnumerateArray().Select(post => post.GetProperty("content").GetString()).ShouldBe(["my own words", notYet.Text]);
        export.GetProperty("posts")[0].GetProperty("id").GetString().ShouldBe(mine);
        export.GetProperty("comments").EnumerateArray().ShouldHaveSingleItem().GetProperty("content").GetString().ShouldBe("a remark");
        export.GetProperty("following").EnumerateArray().ShouldHaveSingleItem().GetProperty("id").GetString().ShouldBe(other.Id);
        export.GetRawText().ShouldNotContain("password");
        export.GetRawText().ShouldNotContain("somebody else's");
        using var visitor = Account.Connect(server.Process);
        (await visitor.GetAsync("/api/user/export")).StatusCode.ShouldBe(HttpStatusCode.Unauthorized);
    }

    [Fact]
    public async Task Who_leaves_leaves_nothing_that_others_read()
    {
        using var user = await server.UserAsync("leaver");
        using var other = await server.UserAsync("other");
        var mine = await PostAsync(user, "my own words");
        var theirs = await PostAsync(other, "theirs");
        await CommentAsync(user, theirs, "a remark");
        (await user.Http.PostAsync($"/api/posts/{theirs}/like", null)).StatusCode.ShouldBe(HttpStatusCode.OK);
        await user.FollowAsync(other);
        using var said = await user.Http.PostAsJsonAsync("/api/messages", new { to = other.Id, content = "a secret" });
        said.EnsureSuccessStatusCode();
        await using var live = await NativeClient.ConnectAsync(user);

        (await DeleteAsync(user, null)).ShouldBe(HttpStatusCode.BadRequest);
        (await DeleteAsync(user, "wrong")).ShouldBe(HttpStatusCode.Forbidden);
        (await DeleteAsync(user, Password)).ShouldBe(HttpStatusCode.NoContent);

        (await live.WaitForCloseAsync()).Code.ShouldBeOneOf(4401, 4403);
        (await user.Http.GetAsync("/api/auth/me")).StatusCode.ShouldBeOneOf(HttpStatusCode.Unauthorized, HttpStatusCode.Forbidden);
        using var visitor = Account.Connect(server.Process);
        using var login = await visitor.PostAsJsonAsync("/api/auth/login", new { login = user.Nickname, password = Password });
        login.StatusCode.ShouldBe(HttpStatusCode.Unauthorized);
        await Eventually.HoldsAsync(async () => (await other.Http.GetAsync($"/api/posts/{mine}")).StatusCode == HttpStatusCode.NotFound, "the post is gone");
        await Eventually.HoldsAsync(
            async () => (await other.GetAsync($"/api/posts/{theirs}")).GetProperty("post").GetProperty("metadata") is var figures
                && figures.GetProperty("likesCount").GetInt32() == 0 && figures.GetProperty("commentsCount").GetInt32() == 0,
            "the like and the comment are gone");
        await Eventually.HoldsAsync(async () => !(await other.GetAsync("/api/conversations")).GetRawText().Contains("a secret", StringComparison.Ordinal), "the message is gone");
        (await other.GetAsync($"/api/creators/{other.Id}")).GetRawText().ShouldContain("\"followersCount\":0");
        await server.Process.KillAsync(); // what the log has, and not the memory of the node
        await server.Process.StartAgainAsync();
        using var backend = new Backend(server.Process);
        foreach (var channel in (string[])[$"user:{user.Id}", $"notifications:{user.Id}", user.Feed])
            (await backend.GetAsync($"/channels/{channel}/history")).GetProperty("events").EnumerateArray().ShouldBeEmpty(channel);
        using var again = await Account.RegisterAsync(server.Process, user.Nickname);
        again.Id.ShouldNotBe(user.Id);
    }

    [Fact]
    public async Task What_a_crash_interrupts_is_finished_at_the_next_start()
    {
        await using var process = await ProductServer.StartAsync([]);
        using var user = await Account.RegisterAsync(process, "leaver");
        using var other = await Account.RegisterAsync(process, "other");
        var posts = new List<string>();
        for (var number = 0; number < 60; number++) posts.Add(await PostAsync(user, $"post {number}"));

        (await DeleteAsync(user, Password)).ShouldBe(HttpStatusCode.NoContent);
        await process.KillAsync();
        await process.StartAgainAsync();

        await Eventually.HoldsAsync(async () => (await other.GetAllPostsAsync("scope=all")).Count == 0, "all of it is gone");
        foreach (var post in posts.Take(3)) (await other.Http.GetAsync($"/api/posts/{post}")).StatusCode.ShouldBe(HttpStatusCode.NotFound);
        (await user.Http.GetAsync("/api/posts")).StatusCode.ShouldBeOneOf(HttpStatusCode.Unauthorized, HttpStatusCode.Forbidden);
    }

    private static async Task<string> PostAsync(Account author, string content) => (await author.PostAsync(content)).GetProperty("id").GetString()!;

    private static async Task CommentAsync(Account author, string post, string content)
    {
        using var answer = await author.Http.PostAsJsonAsync($"/api/posts/{post}/comments", new { content });
        (await Account.ReadAsync(answer, HttpStatusCode.Created)).GetProperty("comment").ValueKind.ShouldBe(JsonValueKind.Object);
    }

    private static async Task<HttpStatusCode> DeleteAsync(Account user, string? password)
    {
        using var request = new HttpRequestMessage(HttpMethod.Delete, "/api/user");
        if (password is not null) request.Content = JsonContent.Create(new { password });
        using var answer = await user.Http.SendAsync(request);
        return answer.StatusCode;
    }
}
