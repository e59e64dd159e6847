using System.Net;
using System.Net.Http.Json;
using System.Text.Json.Nodes;
using Shouldly;
using Tidings.Server.Features.Purchases;
using Tidings.Server.Features.Subscriptions;
using Tidings.Server.Tests.Posts;
using Tidings.Testing.Checks;
using Xunit;

namespace Tidings.Server.Tests.Access;

public sealed class LockedPostTests(PostsApp app) : IClassFixture<PostsApp>
{
    private readonly LockedText _secret = LockedText.New();

    private string Secret => _secret.Text;

    [Fact]
    public async Task A_post_of_a_tier_is_full_for_its_author_and_whoever_pays_that_much_and_a_preview_for_all_others()
    {
        var (author, reader, poor) = (PostsApp.NewUser(), PostsApp.NewUser(), PostsApp.NewUser());
        using var owner = await app.ClientAsync(author);
        using var paying = await app.ClientAsync(reader);
        using var cheap = await app.ClientAsync(poor);
        using var visitor = await app.ClientAsync(null);
        await SellAsync(owner);
        var picture = PostsApp.NewUser(); // nothing else has this in it, as posts of other tests have the secret
        var post = await owner.PostAsync(new { title = "Title", content = Secret, mediaUrl = $"https://example.com/{picture}.png", tier = "Gold" });
        var id = post.Text("id");
        post["access"]!.ToJsonString().ShouldBe("""{"isLocked":true,"price":null,"currency":"SOL","tier":"Gold","hasAccess":true}""");
        await GrantAsync(reader, author, level: 3, TimeSpan.FromDays(1));
        await GrantAsync(poor, author, level: 1, TimeSpan.FromDays(1));
        _secret.Allow(reader);

        foreach (var (client, isFull) in ((HttpClient, bool)[])[(owner, true), (paying, true), (cheap, false), (visitor, false)])
        {
            foreach (var path in (string[])[$"/api/posts/{id}", $"/api/posts?creatorId={author}", "/api/posts?scope=all&limit=100", "/api/posts"])
            {
                var answer = await client.GetAsync(path).JsonAsync();
                var shown = answer["post"] ?? answer["posts"]!.AsArray().FirstOrDefault(one => one!.Text("id") == id);
                if (shown is null) continue;
                Check(shown, isFull);
                shown.ToJsonString().Contains(Secret).ShouldBe(isFull);
                answer.ToJsonString().Contains(picture).ShouldBe(isFull);
            }
        }
    }

    [Fact]
    public async Task A_price_is_paid_for_one_post_and_a_refund_closes_it()
    {
        var (author, reader) = (PostsApp.NewUser(), PostsApp.NewUser());
        using var owner = await app.ClientAsync(author);
        using var paying = await app.ClientAsync(reader);
        var id = (await owner.PostAsync(new { content = Secret, price = 2.50, currency = "USD" })).Text("id");
        var other = (await owner.PostAsync(new { content = Secret, price = 2.50, currency = "USD" })).Text("id");
        var payment = PostsApp.NewUser();
        var now = DateTimeOffset.UtcNow;
        await app.Store.WriteAsync(async write => await Purchases.GrantAsync(write, reader, id, payment, now), CancellationToken.None);

        _secret.Allow(reader);
        var bought = (await paying.GetAsync($"/api/posts/{id}").JsonAsync())["post"]!;
        Check(bought, isFull: true);
        bought.Text("access.price").ShouldBe("2.5");
        _secret.Forbid(reader);
        Check((await paying.GetAsync($"/api/posts/{other}").JsonAsync())["post"]!, isFull: false);
        await app.Store.WriteAsync(async write => await Purchases.EndAsync(write, payment, now), CancellationToken.None);
        Check((await paying.GetAsync($"/api/posts/{id}").JsonAsync())["post"]!, isFull: false);
    }

    [Fact]
    public async Task What_is_over_opens_nothing_whether_or_not_it_has_been_marked()
    {
        var (author, reader) = (PostsApp.NewUser(), PostsApp.NewUser());
        using var owner = await app.ClientAsync(author);
        using var paying = await app.ClientAsync(reader);
        await SellAsync(owner);
        var id = (await owner.PostAsync(new { content = Secret, tier = "2" })).Text("id");
        await GrantAsync(reader, author, level: 2, TimeSpan.FromMilliseconds(-1));
        Check((await paying.GetAsync($"/api/posts/{id}").JsonAsync())["post"]!, isFull: false);
    }

    [Fact]
    public async Task An_edit_locks_relocks_and_opens_a_post()
    {
        var author = PostsApp.NewUser();
        using var owner = await app.ClientAsync(author);
        using var visitor = await app.ClientAsync(null);
        await SellAsync(owner);
        _secret.Open();
        var id = (await owner.PostAsync(new { content = Secret })).Text("id");

        foreach (var (edit, access, isFull) in ((string, string, bool)[])
        [
            ("""{"tier":"Silver"}""", """{"isLocked":true,"price":null,"currency":"SOL","tier":"Silver","hasAccess":true}""", false),
            ("""{"price":3}""", """{"isLocked":true,"price":3,"currency":"SOL","tier":"Silver","hasAccess":true}""", false),
            ("""{"tier":"","currency":"USD"}""", """{"isLocked":true,"price":3,"currency":"USD","tier":null,"hasAccess":true}""", false),
            ("""{"isLocked":false}""", """{"isLocked":false,"price":null,"currency":"USD","tier":null,"hasAccess":true}""", true),
        ])
        {
            var edited = await owner.PatchAsJsonAsync($"/api/posts/{id}", JsonNode.Parse(edit)).JsonAsync();
            edited["post"]!["access"]!.ToJsonString().ShouldBe(access);
            _ = isFull ? _secret.Open() : _secret.Lock();
            Check((await visitor.GetAsync($"/api/posts/{id}").JsonAsync())["post"]!, isFull);
            var told = (await app.EventsAsync($"creator:{author}"))[^1];
            told.Type.ShouldBe("post_updated");
            told.Payload.ToJsonString().Contains(Secret).ShouldBe(isFull);
            (told.Whole.Draft.FullPayload is not null).ShouldBe(!isFull);
        }

        (await owner.PatchAsJsonAsync($"/api/posts/{id}", new { price = 1 }).JsonAsync()).Text("post.access.isLocked").ShouldBe("true");
        (await owner.PatchAsJsonAsync($"/api/posts/{id}", new { price = 0 }).JsonAsync(HttpStatusCode.BadRequest)).Text("code").ShouldBe("invalid");
    }

    [Fact]
    public async Task A_draft_is_its_authors_alone_until_it_is_published()
    {
        var author = PostsApp.NewUser();
        using var owner = await app.ClientAsync(author);
        using var stranger = await app.ClientAsync(PostsApp.NewUser());
        using var visitor = await app.ClientAsync(null);
        var id = (await owner.PostAsync(new { content = Secret, status = "draft" })).Text("id");

        (await owner.GetAsync($"/api/posts/{id}").JsonAsync()).Text("post.metadata.status").ShouldBe("draft");
        (await owner.GetAsync("/api/posts?status=draft").JsonAsync())["posts"]!.AsArray().Count.ShouldBe(1);
        (await owner.GetAsync("/api/posts").JsonAsync())["posts"]!.AsArray().ShouldBeEmpty();
        (await owner.GetAsync($"/api/creators/{author}").JsonAsync()).Text("creator.postsCount").ShouldBe("0");
        (await app.EventsAsync($"creator:{author}")).ShouldBeEmpty();
        (await app.EventsAsync($"user:{author}")).ShouldHaveSingleItem().Type.ShouldBe("post:created");
        (await visitor.GetAsync($"/api/posts/{id}")).StatusCode.ShouldBe(HttpStatusCode.NotFound);
        (await visitor.GetAsync("/api/posts?status=draft")).StatusCode.ShouldBe(HttpStatusCode.BadRequest);
        (await stranger.GetAsync("/api/posts?status=draft").JsonAsync())["posts"]!.AsArray().ShouldBeEmpty();
        foreach (var sending in (Task<HttpResponseMessage>[])
        [
            stranger.GetAsync($"/api/posts/{id}"), stranger.PostAsync($"/api/posts/{id}/like", null), stranger.PostAsync($"/api/posts/{id}/publish", null),
            stranger.DeleteAsync($"/api/posts/{id}"), stranger.PatchAsJsonAsync($"/api/posts/{id}", new { content = "mine" }),
        ])
        {
            (await sending).StatusCode.ShouldBe(HttpStatusCode.NotFound);
        }

        _secret.Open();
        await Task.WhenAll(Enumerable.Range(0, 5).Select(_ => owner.PostAsync($"/api/posts/{id}/publish", null).JsonAsync()));
        (await app.EventsAsync($"creator:{author}")).ShouldHaveSingleItem().Type.ShouldBe("post_created");
        (await owner.GetAsync($"/api/creators/{author}").JsonAsync()).Text("creator.postsCount").ShouldBe("1");
        (await visitor.GetAsync($"/api/posts/{id}").JsonAsync()).Text("post.metadata.status").ShouldBe("published");
        (await stranger.PostAsync($"/api/posts/{id}/publish", null)).StatusCode.ShouldBe(HttpStatusCode.Forbidden);
    }

    private void Check(JsonNode post, bool isFull)
    {
        post["access"]!["hasAccess"]!.GetValue<bool>().ShouldBe(isFull);
        (post["content"]!["text"]?.GetValue<string>()).ShouldBe(isFull ? Secret : null);
        if (!isFull) post["media"]!["url"].ShouldBeNull();
    }

    private static Task<JsonNode> SellAsync(HttpClient owner) => owner.PutAsJsonAsync(
        "/api/creators/me/tiers", new object[] { new { name = "Silver", level = 1, price = 1 }, new { name = "Gold", level = 2, price = 5 } }).JsonAsync();

    private Task<Tidings.Server.Events.SubscriptionView?> GrantAsync(string reader, string author, long level, TimeSpan length)
    {
        var now = DateTimeOffset.UtcNow;
        var grant = new SubscriptionGrant(reader, author, level, now + length, PostsApp.NewUser());
        return app.Store.WriteAsync(async write => await SubscriptionGrants.GrantAsync(write, grant, now), CancellationToken.None);
    }
}
