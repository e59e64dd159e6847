using System.Net;
using System.Net.Http.Json;
using System.Text;
using Shouldly;
using Tidings.Server.Tests.Posts;
using Tidings.Testing.Checks;
using Xunit;

namespace Tidings.Server.Tests.Comments;

/// <summary>What is said under a post is seen by those who may see all of the post, also in what history still holds of it.</summary>
public sealed class LockedCommentsTests(PostsApp app) : IClassFixture<PostsApp>
{
    private readonly LockedText _secret = LockedText.New();

    private string Secret => _secret.Text;

    [Fact]
    public async Task Under_a_locked_post_only_who_may_see_all_of_it_comments_and_others_hear_the_number()
    {
        var ann = PostsApp.NewUser();
        using var author = await app.ClientAsync(ann);
        using var stranger = await app.ClientAsync(PostsApp.NewUser());
        var post = (await author.PostAsync(new { content = LockedText.New().Text, isLocked = true, price = 1 })).Text("id");
        var path = $"/api/posts/{post}/comments";
        var comment = await CommentAsync(author, post);

        (await stranger.GetAsync(path)).StatusCode.ShouldBe(HttpStatusCode.NotFound);
        (await stranger.PostAsJsonAsync(path, new { content = "no" })).StatusCode.ShouldBe(HttpStatusCode.NotFound);
        (await stranger.DeleteAsync($"{path}/{comment}")).StatusCode.ShouldBe(HttpStatusCode.NotFound);

        var told = (await app.EventsAsync($"post:{post}")).Single(one => one.Type == "comment_added");
        told.Payload.ToJsonString().ShouldBe($$"""{"comment":null,"postId":"{{post}}","commentsCount":1,"version":2}""");
        TextOf(told.Whole.Draft.FullPayload).ShouldContain(Secret);
        told.Whole.Draft.FullNeeds.ShouldNotBeNull();

        await author.DeleteAsync($"{path}/{comment}").JsonAsync(HttpStatusCode.NoContent);
        told = (await app.EventsAsync($"post:{post}")).Single(one => one.Type == "comment_added");
        TextOf(told.Whole.Draft.FullPayload).ShouldNotContain(Secret);
        told.Whole.Draft.FullNeeds.ShouldNotBeNull();
    }

    [Fact]
    public async Task When_a_post_is_locked_its_comments_are_locked_in_history_too()
    {
        using var author = await app.ClientAsync(PostsApp.NewUser());
        var post = (await author.PostAsync(new { content = LockedText.New().Text })).Text("id");
        await CommentAsync(author, post);
        await author.PatchAsJsonAsync($"/api/posts/{post}", new { isLocked = true, price = 1 }).JsonAsync();

        var told = (await app.EventsAsync($"post:{post}")).Single(one => one.Type == "comment_added");
        TextOf(told.Whole.Draft.Payload).ShouldNotContain(Secret);
        TextOf(told.Whole.Draft.FullPayload).ShouldContain(Secret);
        told.Whole.Draft.FullNeeds.ShouldNotBeNull();
    }

    [Fact]
    public async Task What_is_deleted_says_nothing_in_history_either()
    {
        using var author = await app.ClientAsync(PostsApp.NewUser());
        var post = (await author.PostAsync(new { content = "a" })).Text("id");
        var first = await CommentAsync(author, post);
        await CommentAsync(author, post);
        await author.PatchAsJsonAsync($"/api/posts/{post}/comments/{first}", new { content = Secret + ", edited" }).JsonAsync();

        await author.DeleteAsync($"/api/posts/{post}/comments/{first}").JsonAsync(HttpStatusCode.NoContent);
        (await TextsAsync(post)).Count(text => text.Contains(Secret, StringComparison.Ordinal)).ShouldBe(1, "the other comment is still there");
        (await app.EventsAsync($"post:{post}")).Select(one => one.Type).ShouldBe(["comment_added", "comment_added", "comment_updated", "comment_deleted"]);

        await author.DeleteAsync($"/api/posts/{post}").JsonAsync(HttpStatusCode.NoContent);
        (await TextsAsync(post)).ShouldAllBe(text => !text.Contains(Secret, StringComparison.Ordinal));
    }

    private async Task<List<string>> TextsAsync(string post) =>
        [.. (await app.EventsAsync($"post:{post}")).SelectMany(one => (string[])[TextOf(one.Whole.Draft.Payload), TextOf(one.Whole.Draft.FullPayload)])];

    private async Task<string> CommentAsync(HttpClient client, string post) =>
        (await client.PostAsJsonAsync($"/api/posts/{post}/comments", new { content = Secret }).JsonAsync(HttpStatusCode.Created)).Text("comment.id");

    private static string TextOf(ReadOnlyMemory<byte>? payload) => payload is { } bytes ? Encoding.UTF8.GetString(bytes.Span) : "";
}
