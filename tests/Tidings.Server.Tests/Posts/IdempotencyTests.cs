using System.Net;
using System.Text;
using Microsoft.Extensions.Logging.Abstractions;
using Shouldly;
using Tidings.Server.Features.Posts;
using Tidings.Server.Host;
using Xunit;

namespace Tidings.Server.Tests.Posts;

public sealed class IdempotencyTests(PostsApp app) : IClassFixture<PostsApp>
{
    [Fact]
    public async Task F26_fifty_equal_posts_at_once_have_one_effect_and_one_answer()
    {
        var author = PostsApp.NewUser();
        using var client = await app.ClientAsync(author);
        var answers = await Task.WhenAll(Enumerable.Range(0, 50).Select(async _ =>
        {
            using var response = await SendAsync(client, "a key, with spaces", """{"content":"once"}""");
            response.StatusCode.ShouldBe(HttpStatusCode.Created);
            return $"{response.Headers.Location} {await response.Content.ReadAsStringAsync()}";
        }));

        answers.Distinct().Count().ShouldBe(1);
        (await app.EventsAsync($"creator:{author}")).Count.ShouldBe(1);
        (await client.GetAsync($"/api/posts?creatorId={author}").JsonAsync())["posts"]!.AsArray().Count.ShouldBe(1);
        (await client.GetAsync($"/api/creators/{author}").JsonAsync()).Text("creator.postsCount").ShouldBe("1");
    }

    [Fact]
    public async Task The_same_key_with_another_body_is_refused_and_keys_are_each_users_own()
    {
        using var ann = await app.ClientAsync(PostsApp.NewUser());
        using var bob = await app.ClientAsync(PostsApp.NewUser());
        (await SendAsync(ann, "k", """{"content":"one"}""")).StatusCode.ShouldBe(HttpStatusCode.Created);

        (await SendAsync(ann, "k", """{"content":"two"}""").JsonAsync(HttpStatusCode.UnprocessableEntity)).Text("code").ShouldBe("idempotency_key_reused");
        (await SendAsync(bob, "k", """{"content":"two"}""")).StatusCode.ShouldBe(HttpStatusCode.Created);
    }

    [Fact]
    public async Task A_key_is_not_spent_by_a_request_that_was_refused()
    {
        using var client = await app.ClientAsync(PostsApp.NewUser());
        (await SendAsync(client, "k", """{"content":""}""")).StatusCode.ShouldBe(HttpStatusCode.BadRequest);
        (await SendAsync(client, "k", """{"content":"now"}""")).StatusCode.ShouldBe(HttpStatusCode.Created);
    }

    [Theory]
    [InlineData("")]
    [InlineData("a\tb")]
    [InlineData(null)] // 256 characters
    public async Task A_malformed_key_is_refused(string? key)
    {
        using var client = await app.ClientAsync("malformed-keys");
        using var response = await SendAsync(client, key ?? new string('k', 256), """{"content":"a"}""");
        response.StatusCode.ShouldBe(HttpStatusCode.BadRequest);
        (await app.EventsAsync("creator:malformed-keys")).ShouldBeEmpty();
    }

    [Fact]
    public async Task A_key_is_good_for_a_day_and_then_removed()
    {
        var author = PostsApp.NewUser();
        using var client = await app.ClientAsync(author);
        for (var index = 0; index < 3; index++) await SendAsync(client, $"old {index}", """{"content":"one"}""");
        await SendAsync(client, "fresh", """{"content":"one"}""");
        await app.Store.WriteAsync(
            async write => await write.ExecuteAsync(
                "UPDATE idempotency_keys SET created_at = created_at - 86400001 WHERE user_id = @author AND key <> 'fresh'", new { author }),
            CancellationToken.None);

        (await SendAsync(client, "old 0", """{"content":"another"}""")).StatusCode.ShouldBe(HttpStatusCode.Created);

        using var cleanup = new IdempotencyCleanup(app.Store, TimeProvider.System, NullLogger<IdempotencyCleanup>.Instance);
        (await cleanup.RemoveAsync(CancellationToken.None)).ShouldBeFalse();
        var left = await app.Store.WriteAsync(
            write => write.QueryAsync<string>("SELECT key FROM idempotency_keys WHERE user_id = @author ORDER BY key", new { author }), CancellationToken.None);
        left.ShouldBe(["fresh", "old 0"]);
    }

    private static Task<HttpResponseMessage> SendAsync(HttpClient client, string key, string body)
    {
        var request = new HttpRequestMessage(HttpMethod.Post, "/api/posts") { Content = new StringContent(body, Encoding.UTF8, "application/json") };
        request.Headers.TryAddWithoutValidation(IdempotencyKeys.Header, key);
        return client.SendAsync(request);
    }
}
