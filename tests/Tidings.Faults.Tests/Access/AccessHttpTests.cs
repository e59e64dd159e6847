using System.Net;
using System.Net.Http.Headers;
using System.Text.Json;
using System.Text.Json.Nodes;
using Tidings.Testing.Checks;
using Tidings.Testing.Clients;

namespace Tidings.Faults.Tests.Access;

/// <summary>
/// The authorization matrix of reliability.md 3.3 over HTTP: actors × objects × routes, each cell from <see cref="AccessTable"/>. Beside what is asserted here,
/// the canary looks through every answer.
/// </summary>
[Collection(nameof(AccessWorld))]
public sealed class AccessHttpTests(AccessWorld world)
{
    public static TheoryData<string> Readers => new(AccessTable.Rows.Keys);

    [Theory]
    [MemberData(nameof(Readers))]
    public async Task Every_route_answers_everybody_as_the_table_says(string reader)
    {
        foreach (var (route, cells) in AccessTable.Routes.Where(route => route.Value.Cells is not (Cells.List or Cells.Live)))
        {
            if (!IsAsked(cells, reader)) continue;
            foreach (var post in route.Contains('{') || cells.Body?.Contains("{id}") == true ? AccessTable.Objects : AccessTable.Objects[..1])
            {
                using var answer = await AskAsync(reader, route, cells, post);
                Judge(reader, route, cells, post, answer.StatusCode);
                if (cells.Cells is Cells.Seen or Cells.Whole && route.StartsWith("GET", StringComparison.Ordinal))
                    (await answer.Content.ReadAsStringAsync()).Contains((route.EndsWith("/comments", StringComparison.Ordinal) ? world.Said : world.Texts)[post].Text, StringComparison.Ordinal)
                        .ShouldBe(AccessTable.Of(reader, post) == Sight.Full && IsThere(cells, post), $"{route} of {post}");
            }
        }
    }

    [Theory]
    [MemberData(nameof(Readers))]
    public async Task Every_list_shows_everybody_the_posts_as_the_table_says(string reader)
    {
        foreach (var query in (string[])["scope=all", $"creatorId={world.Author.Id}", "", "status=draft"])
        {
            using var list = await world.AskAsync(reader, HttpMethod.Get, $"/api/posts?limit=100&{query}");
            if (!list.IsSuccessStatusCode) continue;
            var seen = new HashSet<string>();
            foreach (var shown in JsonDocument.Parse(await list.Content.ReadAsStringAsync()).RootElement.GetProperty("posts").EnumerateArray())
            {
                var post = world.Ids.First(one => one.Value == shown.Text("id")).Key;
                seen.Add(post).ShouldBeTrue($"{post} once in {query}");
                AccessTable.Of(reader, post).ShouldNotBe(Sight.Hidden, $"{post} in {query}");
                shown.GetRawText().Contains(world.Texts[post].Text, StringComparison.Ordinal).ShouldBe(AccessTable.Of(reader, post) == Sight.Full, $"{post} in {query}");
            }

            if (query is not ("" or "status=draft"))
                seen.Order().ShouldBe(AccessTable.Objects.Where(post => post is not ("draft" or "hidden") && AccessTable.Of(reader, post) != Sight.Hidden).Order(), query);
        }
    }

    [Theory]
    [MemberData(nameof(Readers))]
    public async Task A_file_gives_its_bytes_its_head_its_ranges_and_its_tag_to_whoever_sees_all_of_its_post(string reader)
    {
        foreach (var post in AccessTable.Objects)
        {
            var status = AccessTable.Of(reader, post) == Sight.Full ? HttpStatusCode.OK : HttpStatusCode.NotFound;
            foreach (var (method, change, expected) in ((HttpMethod, Action<HttpRequestHeaders>, HttpStatusCode)[])
            [
                (HttpMethod.Get, static _ => { }, HttpStatusCode.OK),
                (HttpMethod.Head, static _ => { }, HttpStatusCode.OK),
                (HttpMethod.Get, static headers => headers.Range = new RangeHeaderValue(11, null), HttpStatusCode.PartialContent),
                (HttpMethod.Get, static headers => headers.Range = new RangeHeaderValue(1_000_000, null), HttpStatusCode.RequestedRangeNotSatisfiable),
                (HttpMethod.Get, headers => headers.IfNoneMatch.Add(new EntityTagHeaderValue($"\"{world.Files[post]}\"")), HttpStatusCode.NotModified),
                (HttpMethod.Get, static headers => headers.IfModifiedSince = DateTimeOffset.UtcNow, HttpStatusCode.NotModified),
            ])
            {
                using var answer = await world.AskAsync(reader, method, $"/api/media/{world.Files[post]}", change: change);
                answer.StatusCode.ShouldBe(status == HttpStatusCode.OK ? expected : status, $"{method} of the file of {post}");
                if (status == HttpStatusCode.OK) continue;
                answer.Headers.ETag.ShouldBeNull();
                answer.Content.Headers.LastModified.ShouldBeNull();
                answer.Headers.CacheControl?.Public.ShouldBeFalse();
            }
        }
    }

    [Fact]
    public async Task What_is_hidden_is_answered_as_what_never_was()
    {
        // Byte for byte, so that nothing tells the two apart: neither a detail nor a header.
        foreach (var (route, cells) in AccessTable.Routes.Where(route => route.Value.Cells is Cells.Seen or Cells.Whole or Cells.WholeOfOthers or Cells.AuthorOnly))
        {
            foreach (var post in (string[])["draft", "deleted", "hidden"])
            {
                var nothing = Guid.CreateVersion7().ToString("N");
                using var hidden = await AskAsync("stranger", route, cells, post);
                using var never = await AskAsync("stranger", route, cells, post, nothing);
                (await TextOfAsync(hidden, world.Ids[post], world.Files[post])).ShouldBe(await TextOfAsync(never, nothing, nothing), $"{route} of {post}");
            }
        }
    }

    [Fact]
    public async Task Whoever_is_suspended_gets_nothing_by_any_route()
    {
        var server = world.Server;
        using var suspended = await Account.OfHostAsync(server, "suspended");
        using (var backend = Account.Connect(server))
        {
            backend.DefaultRequestHeaders.Authorization = new("Bearer", server.AppSecret);
            using var suspending = await backend.PostAsync("/api/moderation/users/suspended/suspend", null);
            suspending.EnsureSuccessStatusCode();
        }

        foreach (var (route, cells) in AccessTable.Routes.Where(route => route.Value.Cells is not (Cells.Signed or Cells.Live) && (route.Value.IsAsked || route.Value.Cells != Cells.Own)))
        {
            if (route.Contains("/health/") || route.Contains("/openapi/") || route is "GET /api/socket" or "GET /api/user/export") continue; // these are for them, too
            using var request = RequestOf(route, cells, "open", world.Ids["open"], world.Files["open"]);
            using var answer = await suspended.Http.SendAsync(request);
            answer.StatusCode.ShouldBe(HttpStatusCode.Forbidden, route);
        }
    }

    [Fact]
    public async Task Every_route_that_the_server_describes_is_in_the_table()
    {
        using var answer = await world.AskAsync(AccessTable.Anonymous, HttpMethod.Get, "/openapi/v1.json");
        var paths = JsonDocument.Parse(await answer.Content.ReadAsStringAsync()).RootElement.GetProperty("paths");
        var routes = paths.EnumerateObject().SelectMany(path => path.Value.EnumerateObject().Select(method => $"{method.Name.ToUpperInvariant()} {path.Name}")).ToList();

        routes.Count.ShouldBeGreaterThan(60);
        routes.Where(route => !AccessTable.Routes.ContainsKey(route)).ShouldBeEmpty("a new route needs cells in AccessTable");
    }

    private static bool IsAsked(RouteCells cells, string reader) => cells.Cells switch
    {
        Cells.AuthorOnly or Cells.WholeOfOthers => reader != AccessTable.Author,
        Cells.Moderators => reader != AccessTable.Moderator,
        _ => cells.IsAsked,
    };

    private static bool IsThere(RouteCells cells, string post) => !cells.IsOfPublished || post is not ("draft" or "hidden");

    private static void Judge(string reader, string route, RouteCells cells, string post, HttpStatusCode status)
    {
        var what = $"{reader}: {route} of {post}";
        if (cells.Cells == Cells.Signed) status.ShouldBe(HttpStatusCode.Unauthorized, what);
        else if (reader == AccessTable.Anonymous && !cells.IsForVisitors) status.ShouldBe(HttpStatusCode.Unauthorized, what);
        else if (cells.Cells is Cells.Moderators or Cells.Backends) status.ShouldBe(HttpStatusCode.Forbidden, what);
        else if (cells.Cells == Cells.Own) ((int)status).ShouldBeLessThan(500, what);
        else if (IsRefused(cells, AccessTable.Of(reader, post)) || !IsThere(cells, post)) status.ShouldBe(HttpStatusCode.NotFound, what);
        else if (cells.Cells is Cells.AuthorOnly or Cells.WholeOfOthers) status.ShouldBe(HttpStatusCode.Forbidden, what);
        else if (route.EndsWith("/purchase", StringComparison.Ordinal)) status.ShouldBeOneOf(HttpStatusCode.Accepted, HttpStatusCode.UnprocessableEntity);
        else ((int)status).ShouldBeInRange(200, 299, what);
    }

    private static bool IsRefused(RouteCells cells, Sight sight) => cells.Cells is Cells.Whole or Cells.WholeOfOthers ? sight != Sight.Full : sight == Sight.Hidden;

    private async Task<HttpResponseMessage> AskAsync(string reader, string route, RouteCells cells, string post, string? id = null)
    {
        using var request = RequestOf(route, cells, post, id ?? world.Ids[post], id ?? world.Files[post]);
        return await world.SendAsync(reader, route, request);
    }

    private HttpRequestMessage RequestOf(string route, RouteCells cells, string post, string id, string file)
    {
        var (method, pattern) = (route.Split(' ')[0], route.Split(' ')[1]);
        var path = pattern.Replace("{id}", pattern.Contains("/media/") ? file : pattern.Contains("/creators/") ? world.Author.Id : id)
            .Replace("{commentId}", world.Comments.GetValueOrDefault(post, "nothing")).Replace("{targetId}", "0").Replace("{name}", $"post:{id}").Replace("{appId}", "tidings")
            .Replace("{channel}", $"private-post-{id}").Replace("{userId}", world.Author.Id).Replace("{documentName}", "v1");
        return new HttpRequestMessage(new HttpMethod(method), path)
        {
            Content = cells.Body is { } body ? new StringContent(body.Replace("{id}", id).Replace("{soon}", $"{DateTimeOffset.UtcNow.AddDays(1):yyyy-MM-dd'T'HH:mm:ss'Z'}"), System.Text.Encoding.UTF8, "application/json") : null,
        };
    }

    /// <summary>All of an answer but its time and what was asked for.</summary>
    private static async Task<string> TextOfAsync(HttpResponseMessage answer, string id, string file)
    {
        var body = await answer.Content.ReadAsStringAsync();
        var parsed = body.StartsWith('{') ? JsonNode.Parse(body)!.AsObject() : [];
        parsed.Remove("traceId");
        var headers = answer.Headers.Concat(answer.Content.Headers).Where(header => header.Key is not "Date").Select(header => $"{header.Key}: {string.Join(',', header.Value)}").Order();
        return $"{(int)answer.StatusCode}\n{string.Join('\n', headers)}\n{parsed.ToJsonString()}".Replace(id, "(id)").Replace(file, "(id)");
    }
}
