using System.Net;
using System.Net.Http.Json;
using System.Text;
using Shouldly;
using Tidings.Realtime.Publications;
using Tidings.Server.Tests.Posts;
using Xunit;

namespace Tidings.Server.Tests.Realtime;

public sealed class PublishFromBackendTests(PostsApp app) : IClassFixture<PostsApp>
{
    private const string Path = "/api/realtime/publish";

    [Fact]
    public async Task What_a_backend_publishes_is_in_the_log_with_its_position()
    {
        using var backend = await app.ClientAsync("backend");
        var answer = await backend.PostAsJsonAsync(Path, new { channel = "private-user-7", @event = "order:paid", data = new { type = "x", id = 1, sum = 2.50m, text = "Ж" } }).JsonAsync();

        var published = (await app.EventsAsync("user:7")).ShouldHaveSingleItem();
        published.Type.ShouldBe("order:paid");
        Encoding.UTF8.GetString(published.Whole.Draft.Payload.Span).ShouldBe("""{"sum":2.50,"text":"Ж"}""");
        answer.Text("id").ShouldBe(published.Whole.Draft.Id);
        Position.TryParse(answer.Text("position"), out var position).ShouldBeTrue();
        position.ShouldBe(published.Whole.Position);
    }

    [Fact]
    public async Task The_same_id_is_published_once_per_channel_and_answered_as_at_first()
    {
        using var backend = await app.ClientAsync("backend");
        var answers = await Task.WhenAll(Enumerable.Range(0, 20).Select(
            _ => backend.PostAsJsonAsync(Path, new { channel = "user:8", @event = "e", data = new { }, id = "order 1" }).JsonAsync()));
        answers.ShouldAllBe(answer => answer.Text("id") == "order 1");
        (await app.EventsAsync("user:8")).Count.ShouldBe(1);

        var again = await backend.PostAsJsonAsync(Path, new { channel = "user_8", @event = "other", data = new { a = 1 }, id = "order 1" }).JsonAsync();
        Position.TryParse(again.Text("position"), out var position).ShouldBeTrue();
        position.ShouldBe((await app.EventsAsync("user:8")).Single().Whole.Position);

        await backend.PostAsJsonAsync(Path, new { channel = "user:9", @event = "e", data = new { }, id = "order 1" }).JsonAsync();
        (await app.EventsAsync("user:9")).Count.ShouldBe(1);
    }

    [Fact]
    public async Task Channels_of_the_host_take_any_json_and_have_a_position_if_they_have_a_history()
    {
        using var backend = await app.ClientAsync("backend");
        foreach (var data in (string[])["null", "5", "\"text\"", "[1,2]", """{"id":"kept"}"""])
        {
            var body = new StringContent($$"""{"channel":"open:a","event":"e","data":{{data}}}""", Encoding.UTF8, "application/json");
            (await backend.PostAsync(Path, body).JsonAsync())["position"].ShouldNotBeNull();
        }

        var passing = await backend.PostAsJsonAsync(Path, new { channel = "passing:a", @event = "e", id = "one" }).JsonAsync();
        passing.ToJsonString().ShouldBe("""{"id":"one"}""");
        (await backend.PostAsJsonAsync(Path, new { channel = "passing:a", @event = "e", id = "one" }).JsonAsync()).ToJsonString().ShouldBe("""{"id":"one"}""");
    }

    [Theory]
    [InlineData("""{"event":"e","data":{}}""", 400, "invalid", "channel")]
    [InlineData("""{"channel":"no name","event":"e","data":{}}""", 400, "invalid", "channel")]
    [InlineData("""{"channel":"user:a b","event":"e","data":{}}""", 400, "invalid", "channel")]
    [InlineData("""{"channel":7,"event":"e","data":{}}""", 400, "invalid", "channel")]
    [InlineData("""{"channel":"unknown:1","event":"e","data":{}}""", 404, "unknown_channel", null)]
    [InlineData("""{"channel":"user:1","data":{}}""", 400, "invalid", "event")]
    [InlineData("""{"channel":"user:1","event":"","data":{}}""", 400, "invalid", "event")]
    [InlineData("""{"channel":"user:1","event":"a b","data":{}}""", 400, "invalid", "event")]
    [InlineData("""{"channel":"user:1","event":"a\nb","data":{}}""", 400, "invalid", "event")]
    [InlineData("""{"channel":"user:1","event":"é","data":{}}""", 400, "invalid", "event")]
    [InlineData("""{"channel":"user:1","event":"e","data":[]}""", 400, "invalid", "data")]
    [InlineData("""{"channel":"user:1","event":"e","data":null}""", 400, "invalid", "data")]
    [InlineData("""{"channel":"open:1","event":"post_created","data":5}""", 400, "invalid", "data")]
    [InlineData("""{"channel":"open:1","event":"e","data":{"a":"\ud800"}}""", 400, "invalid", "data")]
    [InlineData("""{"channel":"user:1","event":"e","data":{},"id":""}""", 400, "invalid", "id")]
    [InlineData("""{"channel":"user:1","event":"e","data":{},"id":"a\u0000"}""", 400, "invalid", "id")]
    [InlineData("""[]""", 400, "invalid", "body")]
    [InlineData("""{"channel":"user:1","event":"e","data":{}""", 400, "malformed_json", null)]
    public async Task A_bad_publication_is_refused(string body, int status, string code, string? field)
    {
        using var backend = await app.ClientAsync("backend");
        var problem = await backend.PostAsync(Path, new StringContent(body, Encoding.UTF8, "application/json")).JsonAsync((HttpStatusCode)status);
        problem.Text("code").ShouldBe(code);
        if (field is not null) problem["errors"]!.AsObject().Select(error => error.Key).ShouldBe([field]);
    }

    [Fact]
    public async Task Size_has_a_limit_and_users_and_visitors_may_not()
    {
        using var backend = await app.ClientAsync("backend");
        using var user = await app.ClientAsync(PostsApp.NewUser());
        using var visitor = await app.ClientAsync(null);
        var tooMuch = await backend.PostAsJsonAsync(Path, new { channel = "user:1", @event = "e", data = new { a = new string('a', 66_000) } }).JsonAsync(HttpStatusCode.BadRequest);
        tooMuch["errors"]!["data"].ShouldNotBeNull();
        (await backend.PostAsJsonAsync(Path, new { channel = "user:1", @event = "e", data = new { a = new string('a', 90_000) } }).JsonAsync(HttpStatusCode.RequestEntityTooLarge)).Text("code").ShouldBe("too_large");
        (await user.PostAsJsonAsync(Path, new { channel = "user:1", @event = "e", data = new { } })).StatusCode.ShouldBe(HttpStatusCode.Forbidden);
        (await visitor.PostAsJsonAsync(Path, new { channel = "user:1", @event = "e", data = new { } })).StatusCode.ShouldBe(HttpStatusCode.Unauthorized);
    }
}
