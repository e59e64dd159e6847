using System.Net;
using System.Text.Json;
using System.Text.Json.Nodes;
using Tidings.Testing.Checks;
using Tidings.Testing.Clients;

namespace Tidings.Faults.Tests.Access;

/// <summary>The authorization matrix of reliability.md 3.3: actors × objects × paths × protocols, from <see cref="AccessTable"/>.</summary>
public sealed class AccessMatrixTests(AccessWorld world) : IClassFixture<AccessWorld>
{
    public static TheoryData<string> Readers => new(AccessTable.Rows.Keys);

    [Theory]
    [MemberData(nameof(Readers))]
    public async Task Over_http_everybody_sees_what_the_table_says(string reader)
    {
        foreach (var post in AccessTable.Objects)
        {
            var (sight, path) = (AccessTable.Of(reader, post), $"/api/posts/{world.Ids[post]}");
            using var read = await world.AskAsync(reader, HttpMethod.Get, path, notedAs: "GET /api/posts/{id}");
            Judge(sight, post, await read.Content.ReadAsStringAsync(), $"GET of {post}");
            read.StatusCode.ShouldBe(sight == Sight.Hidden ? HttpStatusCode.NotFound : HttpStatusCode.OK, post);

            var refusal = reader == AccessTable.Anonymous ? HttpStatusCode.Unauthorized : sight == Sight.Hidden ? HttpStatusCode.NotFound : (HttpStatusCode?)null;
            foreach (var method in (HttpMethod[])[HttpMethod.Post, HttpMethod.Delete])
            {
                using var like = await world.AskAsync(reader, method, $"{path}/like");
                if (post is not ("draft" or "hidden")) like.StatusCode.ShouldBe(refusal ?? HttpStatusCode.OK, $"{method} like of {post}");
            }

            if (reader != AccessTable.Author)
            {
                using var edit = await world.AskAsync(reader, HttpMethod.Patch, path, new JsonObject { ["content"] = "mine" });
                using var deletion = await world.AskAsync(reader, HttpMethod.Delete, path);
                using var publishing = await world.AskAsync(reader, HttpMethod.Post, $"{path}/publish");
                using var schedule = await world.AskAsync(reader, HttpMethod.Post, $"{path}/schedule", new JsonObject { ["scheduledAt"] = "2030-01-01T00:00:00Z" });
                using var cancellation = await world.AskAsync(reader, HttpMethod.Delete, $"{path}/schedule");
                using var targets = await world.AskAsync(reader, HttpMethod.Get, $"{path}/targets");
                using var retry = await world.AskAsync(reader, HttpMethod.Post, $"{path}/targets/0/retry");
                using var resolution = await world.AskAsync(reader, HttpMethod.Post, $"{path}/targets/0/resolve", new JsonObject { ["as"] = "again" });
                foreach (var answer in (HttpResponseMessage[])[edit, deletion, publishing, schedule, cancellation, targets, retry, resolution])
                    answer.StatusCode.ShouldBe(refusal ?? HttpStatusCode.Forbidden, $"{answer.RequestMessage!.Method} of {post}");
            }

            using var comments = await world.AskAsync(reader, HttpMethod.Get, $"{path}/comments");
            if (sight == Sight.Hidden) comments.StatusCode.ShouldBe(HttpStatusCode.NotFound, $"comments of {post}");
            if (sight == Sight.Hidden && reader != AccessTable.Anonymous)
            {
                using var comment = await world.AskAsync(reader, HttpMethod.Post, $"{path}/comments", new JsonObject { ["content"] = "hello" });
                comment.StatusCode.ShouldBe(HttpStatusCode.NotFound, $"comment on {post}");
            }
        }

        foreach (var query in (string[])["scope=all", $"creatorId={world.Author.Id}", "", "status=draft"])
        {
            using var list = await world.AskAsync(reader, HttpMethod.Get, $"/api/posts?limit=100&{query}", notedAs: $"GET /api/posts?{query}");
            if (!list.IsSuccessStatusCode) continue;
            foreach (var shown in (await list.Content.ReadAsStringAsync()) is var text ? JsonDocument.Parse(text).RootElement.GetProperty("posts").EnumerateArray() : default)
            {
                var post = world.Ids.First(one => one.Value == shown.Text("id")).Key;
                Judge(AccessTable.Of(reader, post), post, shown.GetRawText(), $"{post} in {query}");
                AccessTable.Of(reader, post).ShouldNotBe(Sight.Hidden, $"{post} in {query}");
            }
        }
    }

    [Theory]
    [MemberData(nameof(Readers))]
    public async Task Live_replayed_recovered_and_as_history_everybody_receives_what_the_table_says(string reader)
    {
        if (reader == AccessTable.Anonymous) return; // nobody subscribes unsigned: ChannelAuthorizationTests
        await ReadAgainAsync(reader);

        foreach (var post in AccessTable.Objects)
        {
            var sight = AccessTable.Of(reader, post);
            var paths = world.Canary.PathsOf(reader, world.Markers[post]);
            if (sight != Sight.Full)
            {
                // What is deleted or hidden was full for the tier's subscribers while it was there.
                if (post is "deleted" or "hidden" && AccessTable.Of(reader, "tier") == Sight.Full) paths.ShouldAllBe(path => path.StartsWith("live creator") || path.StartsWith("live feed"));
                else paths.ShouldBeEmpty($"{reader} has read {post}");
                continue;
            }

            if (post is "draft" or "hidden") continue; // of these its author hears nothing in the channels of everybody
            foreach (var path in (string[])["live creator (ws)", "live creator (sse)", "recovered creator (ws)", "recovered creator (poll)", "history of creator"])
                if (reader != "buyer" || post == "open" || !path.StartsWith("live")) paths.ShouldContain(path, $"{post} to {reader}");
            if (post != "open") paths.ShouldAllBe(path => !path.Contains("public"));
        }

        if (reader == AccessTable.Blocked) world.Canary.PathsOf(reader, world.Ids["open"]).ShouldAllBe(path => path.StartsWith("HTTP") || !path.Contains("public"));
    }

    [Theory]
    [MemberData(nameof(Readers))]
    public async Task A_posts_channel_opens_for_whoever_may_know_of_the_post(string reader)
    {
        if (reader == AccessTable.Anonymous) return;
        await using var client = await world.ConnectAsync(reader, "post (ws)");
        foreach (var post in AccessTable.Objects)
        {
            var isOpen = AccessTable.Of(reader, post) != Sight.Hidden;
            (await client.TrySubscribeAsync($"post:{world.Ids[post]}")).IsOfType("subscribed").ShouldBe(isOpen, post);
            (await client.RequestAsync(new JsonObject { ["type"] = "history", ["channel"] = $"post:{world.Ids[post]}", ["limit"] = 50 })).IsOfType("history").ShouldBe(isOpen, post);
            using var poll = new PollClient(world.Server.Address, world.Readers[reader]!.Token, $"post:{world.Ids[post]}");
            ((await poll.PollAsync(timeoutSeconds: 1)).Status == HttpStatusCode.OK).ShouldBe(isOpen, post);
        }

        if (AccessTable.Of(reader, "tier") == Sight.Preview) world.Canary.PathsOf(reader, world.Markers["tier"]).ShouldBeEmpty();
    }

    [Fact]
    public async Task Every_route_of_the_api_is_in_the_table_or_has_a_reason_not_to_be()
    {
        using var answer = await world.AskAsync(AccessTable.Anonymous, HttpMethod.Get, "/openapi/v1.json");
        var paths = JsonDocument.Parse(await answer.Content.ReadAsStringAsync()).RootElement.GetProperty("paths");
        var routes = paths.EnumerateObject().SelectMany(path => path.Value.EnumerateObject().Select(method => $"{method.Name.ToUpperInvariant()} {path.Name}")).ToList();

        routes.Count.ShouldBeGreaterThan(30);
        routes.Where(route => !AccessTable.Routes.ContainsKey(route) && !AccessTable.WithoutPosts.Any(one => route.Split(' ')[1].StartsWith(one.Path, StringComparison.Ordinal)))
            .ShouldBeEmpty("a new route needs cells in AccessTable, or a reason");
        AccessTable.Routes.Keys.Where(route => !routes.Contains(route)).ShouldBeEmpty("a route is gone: take it out of AccessTable");
    }

    [Fact]
    public void The_log_has_no_text_of_any_post() => world.Markers.Values.Where(marker => Canary.IsInLog(world.Server, marker)).ShouldBeEmpty();

    /// <summary>Reads all that is past in every way: resumed from before the first post, by polling, and as pages of history.</summary>
    private async Task ReadAgainAsync(string reader)
    {
        foreach (var (key, since) in world.Before.Where(one => one.Key.Reader == reader).ToList())
        {
            var channel = key.Channel switch { "creator" => world.Author.Creator, "feed" => world.Readers[reader]!.Feed, _ => "public:posts" };
            await using var client = await world.ConnectAsync(reader, $"recovered {key.Channel} (ws)");
            await client.SubscribeAsync(channel, since);
            await client.RequestAsync(new JsonObject { ["type"] = "ping" });

            await using var past = await world.ConnectAsync(reader, $"history of {key.Channel}");
            await past.RequestAsync(new JsonObject { ["type"] = "history", ["channel"] = channel, ["since"] = since, ["limit"] = 100 });

            using var poll = new PollClient(world.Server.Address, world.Readers[reader]!.Token, channel) { Since = world.BeforePolling[key] };
            world.Canary.Note(reader, $"recovered {key.Channel} (poll)", (await poll.PollAsync(timeoutSeconds: 1)).Body.GetRawText());
        }
    }

    private void Judge(Sight sight, string post, string text, string what)
    {
        text.Contains(world.Markers[post], StringComparison.Ordinal).ShouldBe(sight == Sight.Full, what);
        if (sight == Sight.Hidden) text.ShouldNotContain("edited");
    }
}
