using System.Net;
using System.Text.Json.Nodes;
using Dapper;
using Shouldly;
using Tidings.Realtime.Publications;
using Xunit;

namespace Tidings.Server.Tests.Posts;

public sealed class ListPostsTests(PostsApp app) : IClassFixture<PostsApp>
{
    [Fact]
    public async Task A_feed_has_ones_own_posts_and_those_of_whom_one_follows_newest_first()
    {
        var (me, followed, stranger) = (PostsApp.NewUser(), PostsApp.NewUser(), PostsApp.NewUser());
        using var mine = await app.ClientAsync(me);
        using var theirs = await app.ClientAsync(followed);
        using var others = await app.ClientAsync(stranger);
        await mine.PostAsync($"/api/creators/{followed}/follow", null).JsonAsync(HttpStatusCode.NoContent);
        var ids = new List<string>();
        for (var round = 0; round < 4; round++)
        {
            ids.Add((await mine.PostAsync(new { content = "mine", category = "a" })).Text("id"));
            ids.Add((await theirs.PostAsync(new { content = "theirs", category = round % 2 == 0 ? "a" : "b" })).Text("id"));
            await others.PostAsync(new { content = "not for me" });
        }

        ids.Reverse();
        var feed = await mine.GetAsync("/api/posts").JsonAsync();
        IdsOf(feed).ShouldBe(InOrder(feed, ids));
        feed["nextCursor"].ShouldBeNull();
        feed["positions"]!.AsObject().Select(position => position.Key).ShouldBe([$"feed:{me}"]);
        Position.TryParse(feed["positions"]![$"feed:{me}"]!.GetValue<string>(), out var place).ShouldBeTrue();
        place.ShouldBe(new Position(app.EventLog.SequenceEpoch, await app.EventLog.ReadLastSequenceAsync(CancellationToken.None)));

        IdsOf(await mine.GetAsync("/api/posts?category=b").JsonAsync()).Count.ShouldBe(2);
        IdsOf(await mine.GetAsync($"/api/posts?creatorId={followed}").JsonAsync()).Count.ShouldBe(4);
        IdsOf(await mine.GetAsync($"/api/posts?creatorId={followed}&category=a").JsonAsync()).Count.ShouldBe(2);
        IdsOf(await mine.GetAsync("/api/posts?scope=all&limit=100").JsonAsync()).Count.ShouldBeGreaterThanOrEqualTo(12);
    }

    [Fact]
    public async Task A_feed_is_whole_whoever_posts_much_or_little_and_however_it_is_cut_into_pages()
    {
        var me = PostsApp.NewUser();
        using var mine = await app.ClientAsync(me);
        var posts = new List<(string Id, string Category)>();
        for (var creator = 0; creator < 9; creator++)
        {
            var name = PostsApp.NewUser();
            using var theirs = await app.ClientAsync(name);
            await mine.PostAsync($"/api/creators/{name}/follow", null).JsonAsync(HttpStatusCode.NoContent);
            for (var post = 0; post < creator * creator / 4; post++) // from none to more than a page of one creator alone
            {
                var category = post % 3 == 0 ? "a" : "b";
                posts.Add(((await theirs.PostAsync(new { content = "text", category })).Text("id"), category));
            }
        }

        var all = await mine.GetAsync("/api/posts?limit=100").JsonAsync();
        IdsOf(all).ShouldBe(InOrder(all, [.. posts.Select(post => post.Id)]));
        foreach (var limit in (int[])[1, 3, 10, 60])
        {
            IdsOf(all).ShouldBe(await IdsOfPagesAsync(mine, $"/api/posts?limit={limit}"));
            (await IdsOfPagesAsync(mine, $"/api/posts?limit={limit}&category=a"))
                .ShouldBe(InOrder(all, [.. posts.Where(post => post.Category == "a").Select(post => post.Id)]));
        }
    }

    [Fact]
    public async Task Positions_go_with_what_was_asked_for_and_visitors_get_none()
    {
        var author = PostsApp.NewUser();
        using var client = await app.ClientAsync(author);
        using var visitor = await app.ClientAsync(null);
        var id = (await client.PostAsync(new { content = "a" })).Text("id");

        var everyone = await client.GetAsync("/api/posts?scope=all").JsonAsync();
        everyone["positions"]!.AsObject().Select(position => position.Key).ShouldBe(["public:posts"]);
        var one = await client.GetAsync($"/api/posts?creatorId={author}").JsonAsync();
        Position.TryParse(one["positions"]![$"creator:{author}"]!.GetValue<string>(), out var place).ShouldBeTrue();
        place.ShouldBe((await app.EventsAsync($"creator:{author}"))[^1].Whole.Position);
        (await client.GetAsync($"/api/posts/{id}").JsonAsync())["positions"]![$"post:{id}"].ShouldNotBeNull();

        foreach (var path in (string[])["/api/posts", "/api/posts?scope=all", $"/api/posts?creatorId={author}"])
        {
            var page = await visitor.GetAsync(path).JsonAsync();
            page["positions"]!.AsObject().Count.ShouldBe(0);
            page["liked"].ShouldBeNull();
            IdsOf(page).ShouldContain(id);
        }
    }

    [Fact]
    public async Task Pages_neither_repeat_nor_skip_while_others_post()
    {
        var author = PostsApp.NewUser();
        using var client = await app.ClientAsync(author);
        var before = new List<string>();
        for (var index = 0; index < 95; index++) before.Add((await client.PostAsync(new { content = $"{index}" })).Text("id"));

        using var isRead = new CancellationTokenSource();
        var writing = Task.Run(async () =>
        {
            while (!isRead.IsCancellationRequested) await client.PostAsync(new { content = "meanwhile" });
        });

        foreach (var path in (string[])["/api/posts?limit=10", $"/api/posts?limit=7&creatorId={author}", "/api/posts?limit=13&scope=all"])
        {
            var seen = await IdsOfPagesAsync(client, path);
            seen.Distinct().Count().ShouldBe(seen.Count);
            before.Except(seen).ShouldBeEmpty();
        }

        await isRead.CancelAsync();
        await writing;
    }

    [Theory]
    [InlineData("limit=0", "invalid")]
    [InlineData("limit=101", "invalid")]
    [InlineData("limit=-1", "invalid")]
    [InlineData("limit=ten", "invalid")]
    [InlineData("limit=1&limit=2", "invalid")]
    [InlineData("limit=99999999999", "invalid")]
    [InlineData("scope=mine", "invalid")]
    [InlineData("creatorId=a%20b", "invalid")]
    [InlineData("creatorId=%25", "invalid")]
    [InlineData("cursor=garbage", "invalid_cursor")]
    [InlineData("cursor=!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!", "invalid_cursor")]
    public async Task A_bad_query_is_refused(string query, string code)
    {
        using var client = await app.ClientAsync("bad-queries");
        (await client.GetAsync($"/api/posts?{query}").JsonAsync(HttpStatusCode.BadRequest)).Text("code").ShouldBe(code);
    }

    [Fact]
    [Trait("Database", "SQLite")]
    public async Task No_page_reads_more_than_its_indexes_offer()
    {
        var sql = typeof(Features.Posts.ListPosts).GetNestedType("Sql", System.Reflection.BindingFlags.NonPublic)!;
        foreach (var name in (string[])["Everyone", "OfCreator", "Feed"])
        {
            var query = sql.GetField(name)!.GetValue(null)!;
            foreach (var property in query.GetType().GetProperties().Where(property => property.PropertyType == typeof(string)))
            {
                var plan = await app.Store.ReadAsync(
                    async connection => (await connection.QueryAsync($"EXPLAIN QUERY PLAN {property.GetValue(query)}",
                        new { Me = "m", CreatorId = "c", Category = "k", CreatedAt = 1L, Id = "i", Take = 21 })).Select(row => (string)row.detail).ToList(),
                    CancellationToken.None);
                plan.ShouldNotContain(step => step.StartsWith("SCAN TABLE p") && !step.Contains("posts_by_"), string.Join('\n', plan));
                plan.ShouldContain(step => step.Contains("posts_by_"), string.Join('\n', plan));
            }
        }
    }

    private static List<string> IdsOf(JsonNode page) => [.. page["posts"]!.AsArray().Select(post => post!.Text("id"))];

    private static async Task<List<string>> IdsOfPagesAsync(HttpClient client, string path)
    {
        var seen = new List<string>();
        string? cursor = null;
        do
        {
            var page = await client.GetAsync(cursor is null ? path : $"{path}&cursor={cursor}").JsonAsync();
            seen.AddRange(IdsOf(page));
            cursor = page["nextCursor"]?.GetValue<string>();
        }
        while (cursor is not null);
        return seen;
    }

    /// <summary>Posts of one millisecond are in the order of their ids.</summary>
    private static List<string> InOrder(JsonNode page, List<string> ids)
    {
        var times = page["posts"]!.AsArray().ToDictionary(post => post!.Text("id"), post => post!.Text("metadata.createdAt"));
        return [.. ids.OrderByDescending(id => times.GetValueOrDefault(id), StringComparer.Ordinal).ThenByDescending(id => id, StringComparer.Ordinal)];
    }
}
