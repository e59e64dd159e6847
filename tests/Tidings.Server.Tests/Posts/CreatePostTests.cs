using System.Net;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json.Nodes;
using Shouldly;
using Xunit;

namespace Tidings.Server.Tests.Posts;

public sealed class CreatePostTests(PostsApp app) : IClassFixture<PostsApp>
{
    [Fact]
    public async Task A_post_is_answered_listed_and_published_as_the_same_json()
    {
        var author = PostsApp.NewUser();
        using var client = await app.ClientAsync(author);
        using var response = await client.PostAsJsonAsync("/api/posts", new { content = "Hello, Жизнь 🌍 <script>", title = "T", category = "news", unknown = 1 });

        response.StatusCode.ShouldBe(HttpStatusCode.Created);
        response.Content.Headers.ContentType!.ToString().ShouldBe("application/json; charset=utf-8");
        var answer = JsonNode.Parse(await response.Content.ReadAsStringAsync())!;
        answer["success"]!.GetValue<bool>().ShouldBeTrue();
        var post = answer["post"]!;
        var id = post.Text("id");
        response.Headers.Location!.ToString().ShouldBe($"/api/posts/{id}");
        id.Length.ShouldBe(32);
        post.Text("content.text").ShouldBe("Hello, Жизнь 🌍 <script>");
        post.Text("creator.id").ShouldBe(author);
        post.Text("creator.isCreator").ShouldBe("true");
        post.Text("metadata.version").ShouldBe("1");
        post.Text("access.hasAccess").ShouldBe("true");

        (await client.GetAsync($"/api/posts/{id}").JsonAsync())["post"]!.ToJsonString().ShouldBe(post.ToJsonString());
        (await client.GetAsync("/api/posts").JsonAsync())["posts"]![0]!.ToJsonString().ShouldBe(post.ToJsonString());
        var created = (await app.EventsAsync($"creator:{author}")).ShouldHaveSingleItem();
        created.Type.ShouldBe("post_created");
        created.Payload["post"]!.ToJsonString().ShouldBe(post.ToJsonString());
        (await app.EventsAsync("public:posts")).ShouldContain(one => one.Payload["userId"]!.GetValue<string>() == author);
        (await client.GetAsync($"/api/creators/{author}").JsonAsync()).Text("creator.postsCount").ShouldBe("1");
    }

    [Theory]
    [InlineData("""{"content":5}""", 400, "invalid", "content")]
    [InlineData("""{"content":"a","price":"5"}""", 400, "invalid", "price")]
    [InlineData("""{"content":"a","isLocked":"false"}""", 400, "invalid", "isLocked")]
    [InlineData("""{"content":"a","accountIds":[1]}""", 400, "invalid", "accountIds[0]")]
    [InlineData("""{"content":"\ud800"}""", 400, "invalid", "content")]
    [InlineData("""{"content":"a\u0000b"}""", 400, "invalid", "content")]
    [InlineData("""{}""", 400, "invalid", "content")]
    [InlineData("""{"content":"  \n "}""", 400, "invalid", "content")]
    [InlineData("""{"content":"a","type":"gif"}""", 400, "invalid", "type")]
    [InlineData("""{"content":"a","type":"image"}""", 400, "invalid", "mediaUrl")]
    [InlineData("""{"content":"a","mediaUrl":"javascript:alert(1)"}""", 400, "invalid", "mediaUrl")]
    [InlineData("""{"content":"a","mediaUrl":"/relative"}""", 400, "invalid", "mediaUrl")]
    [InlineData("""{"content":"a","mediaUrl":"https://a b"}""", 400, "invalid", "mediaUrl")]
    [InlineData("""{"content":"a","thumbnail":"data:,x"}""", 400, "invalid", "thumbnail")]
    [InlineData("""{"content":"a","status":"secret"}""", 400, "invalid", "status")]
    [InlineData("""{"content":"a","currency":"$"}""", 400, "invalid", "currency")]
    [InlineData("""{"content":"a","content":"b"}""", 400, "invalid", "content")]
    [InlineData("""{"content":"a","isLocked":true}""", 400, "invalid", "price")]
    [InlineData("""{"content":"a","isLocked":true,"price":0}""", 400, "invalid", "price")]
    [InlineData("""{"content":"a","price":-1}""", 400, "invalid", "price")]
    [InlineData("""{"content":"a","isLocked":false,"price":1}""", 400, "invalid", "isLocked")]
    [InlineData("""{"content":"a","tier":"gold","minSubscriptionTier":"silver"}""", 400, "invalid", "minSubscriptionTier")]
    [InlineData("""{"content":"a","tier":"gold"}""", 422, "unknown_tier", null)]
    [InlineData("""{"content":"a","minSubscriptionTier":"gold","price":3}""", 422, "unknown_tier", null)]
    [InlineData("""{"content":"a","scheduledAt":"2020-01-01T00:00:00Z"}""", 400, "invalid", "scheduledAt")]
    [InlineData("""{"content":"a","mediaId":"7"}""", 422, "unknown_media", null)]
    [InlineData("""["content"]""", 400, "invalid", "body")]
    [InlineData("""null""", 400, "malformed_json", null)]
    [InlineData("""{"content":"a"}{}""", 400, "malformed_json", null)]
    [InlineData("""{"content":"a""", 400, "malformed_json", null)]
    [InlineData("""{"content":"a",}""", 400, "malformed_json", null)]
    [InlineData("", 400, "malformed_json", null)]
    public async Task A_bad_body_is_refused_with_a_code_and_the_fields_name(string body, int status, string code, string? field)
    {
        using var client = await app.ClientAsync("bad-bodies");
        var problem = await client.PostAsync("/api/posts", new StringContent(body, Encoding.UTF8, "application/json")).JsonAsync((HttpStatusCode)status);

        problem.Text("code").ShouldBe(code);
        if (field is not null) problem["errors"]!.AsObject().Select(error => error.Key).ShouldBe([field]);
        (await app.EventsAsync("creator:bad-bodies")).ShouldBeEmpty();
    }

    [Fact]
    public async Task Text_is_counted_in_scalars_and_bodies_in_bytes()
    {
        using var client = await app.ClientAsync(PostsApp.NewUser());
        (await client.PostAsync(new { content = string.Concat(Enumerable.Repeat("🌍", 10_000)) })).Text("content.text").Length.ShouldBe(20_000);

        var tooLong = await client.PostAsJsonAsync("/api/posts", new { content = new string('a', 10_001) }).JsonAsync(HttpStatusCode.BadRequest);
        tooLong["errors"]!["content"].ShouldNotBeNull();
        var tooBig = await client.PostAsJsonAsync("/api/posts", new { content = new string('a', 200_000) }).JsonAsync(HttpStatusCode.RequestEntityTooLarge);
        tooBig.Text("code").ShouldBe("too_large");

        // Routing knows what the endpoint takes; what has no content type at all is left to us.
        using var form = await client.PostAsync("/api/posts", new StringContent("content=a", Encoding.UTF8, "application/x-www-form-urlencoded"));
        form.StatusCode.ShouldBe(HttpStatusCode.UnsupportedMediaType);
        var bare = await client.PostAsync("/api/posts", new ByteArrayContent("{}"u8.ToArray())).JsonAsync(HttpStatusCode.UnsupportedMediaType);
        bare.Text("code").ShouldBe("unsupported_media_type");
    }

    [Fact]
    public async Task Text_comes_back_as_it_was_given()
    {
        using var client = await app.ClientAsync(PostsApp.NewUser());
        foreach (var text in (string[])["'; DROP TABLE posts; --", "\u0001\u001f\u2028\u2029\ufeff", "a\r\nb\t\"\\", " leading and trailing ", "👩‍👩‍👧‍👦é"])
        {
            var post = await client.PostAsync(new { content = text, title = text, category = text });
            var read = (await client.GetAsync($"/api/posts/{post.Text("id")}").JsonAsync())["post"]!;
            read.Text("content.text").ShouldBe(text);
            read.Text("content.title").ShouldBe(text);
            read.Text("metadata.category").ShouldBe(text);
        }
    }

    [Fact]
    public async Task A_visitor_may_not_post_and_neither_may_a_user_who_is_no_more()
    {
        using var visitor = await app.ClientAsync(null);
        (await visitor.PostAsJsonAsync("/api/posts", new { content = "a" })).StatusCode.ShouldBe(HttpStatusCode.Unauthorized);

        visitor.DefaultRequestHeaders.Add("X-User", "never-registered");
        visitor.DefaultRequestHeaders.Add("Idempotency-Key", "k");
        (await visitor.PostAsJsonAsync("/api/posts", new { content = "a" }).JsonAsync(HttpStatusCode.Unauthorized)).Text("code").ShouldBe("unknown_user");
        await app.AddUserAsync("never-registered");
        await visitor.PostAsJsonAsync("/api/posts", new { content = "a" }).JsonAsync(HttpStatusCode.Created);
    }
}
