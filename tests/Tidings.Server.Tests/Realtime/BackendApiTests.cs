using System.Net;
using System.Net.Http.Json;
using System.Text;
using Microsoft.Extensions.DependencyInjection;
using Shouldly;
using Tidings.Realtime;
using Tidings.Realtime.Channels;
using Tidings.Server.Auth;
using Tidings.Server.Tests.Posts;
using Xunit;

namespace Tidings.Server.Tests.Realtime;

public sealed class BackendApiTests(PostsApp app) : IClassFixture<PostsApp>
{
    [Fact]
    public async Task A_batch_is_published_in_its_order_and_repeated_safely()
    {
        using var backend = await app.ClientAsync("backend");
        var channel = $"user:{PostsApp.NewUser()}";
        var batch = new { publications = new[] { One(channel, "a", "1"), One(channel, "b", "2"), One("passing:x", "c", "3") } };

        var first = await backend.PostAsJsonAsync("/api/realtime/publish/batch", batch).JsonAsync();
        var again = await backend.PostAsJsonAsync("/api/realtime/publish/batch", batch).JsonAsync();

        again.ToJsonString().ShouldBe(first.ToJsonString());
        first["results"]!.AsArray().Select(result => result!.Text("id")).ShouldBe(["1", "2", "3"]);
        first["results"]![0]!["position"].ShouldNotBeNull();
        first["results"]![2]!["position"].ShouldBeNull();
        (await app.EventsAsync(channel)).Select(happened => happened.Type).ShouldBe(["a", "b"]);

        static object One(string channel, string name, string id) => new { channel, @event = name, data = new { }, id };
    }

    [Fact]
    public async Task A_batch_with_a_mistake_publishes_nothing_and_names_each()
    {
        using var backend = await app.ClientAsync("backend");
        var channel = $"user:{PostsApp.NewUser()}";
        var body = $$$"""{"publications":[{"channel":"{{{channel}}}","event":"e","data":{}},null,{"channel":"secret:1","event":"e"},{"channel":"{{{channel}}}","event":"a b","data":[]},{"channel":"{{{channel}}}","event":"e","data":[]}]}""";

        var problem = await backend.PostAsync("/api/realtime/publish/batch", Json(body)).JsonAsync(HttpStatusCode.BadRequest);

        problem["errors"]!.AsObject().Select(error => error.Key)
            .ShouldBe(["publications[1]", "publications[2].channel", "publications[3].event", "publications[4].data"]);
        (await app.EventsAsync(channel)).ShouldBeEmpty();
    }

    [Fact]
    public async Task An_event_for_a_user_is_in_the_users_own_channel()
    {
        using var backend = await app.ClientAsync("backend");
        var user = PostsApp.NewUser();

        var answer = await backend.PostAsJsonAsync($"/api/realtime/users/{user}/publish", new { @event = "hello", data = new { a = 1 }, id = "x" }).JsonAsync();

        answer.Text("id").ShouldBe("x");
        (await app.EventsAsync($"user:{user}")).ShouldHaveSingleItem().Type.ShouldBe("hello");
    }

    [Fact]
    public async Task A_channel_tells_where_it_stands_and_its_history_page_by_page()
    {
        using var backend = await app.ClientAsync("backend");
        var user = PostsApp.NewUser();
        for (var number = 1; number <= 3; number++)
            await backend.PostAsJsonAsync($"/api/realtime/users/{user}/publish", new { @event = "e", data = new { number }, id = $"{number}" }).JsonAsync();

        var details = await backend.GetAsync($"/api/realtime/channels/user:{user}").JsonAsync();
        details.Text("name").ShouldBe($"user:{user}");
        details.Text("subscribers").ShouldBe("0");

        var newest = await backend.GetAsync($"/api/realtime/channels/private-user-{user}/history?limit=2").JsonAsync();
        newest["events"]!.AsArray().Select(happened => happened!.Text("id")).ShouldBe(["2", "3"]);
        newest.Text("position").ShouldBe(details.Text("position"));
        newest["events"]![0]!.Text("number").ShouldBe("2");

        var after = newest["events"]![0]!.Text("position");
        var rest = await backend.GetAsync($"/api/realtime/channels/user:{user}/history?since={after}").JsonAsync();
        rest["events"]!.AsArray().Select(happened => happened!.Text("id")).ShouldBe(["3"]);
        rest.Text("recovered").ShouldBe("true");
    }

    [Fact]
    public async Task What_is_asked_twice_does_no_harm()
    {
        using var backend = await app.ClientAsync("backend");
        for (var time = 0; time < 2; time++)
        {
            (await backend.PostAsync("/api/realtime/users/nobody/disconnect", null).JsonAsync()).ToJsonString().ShouldBe("""{"disconnected":0}""");
            (await backend.PostAsync("/api/realtime/subscriptions/revoke", Json("""{"channel":"ticket:1"}""")).JsonAsync()).ToJsonString().ShouldBe("""{"revoked":0}""");
        }
    }

    [Fact]
    public async Task A_revocation_outlives_the_process_and_covers_what_was_issued_before()
    {
        var channel = new ChannelName("ticket", PostsApp.NewUser());
        using var backend = await app.ClientAsync("backend");
        var before = DateTimeOffset.UtcNow.AddSeconds(-5);
        await backend.PostAsJsonAsync("/api/realtime/subscriptions/revoke", new { userId = "42", channel = channel.Value }).JsonAsync();
        await backend.PostAsJsonAsync("/api/realtime/users/17/disconnect", new { revokeTokens = true }).JsonAsync();

        var another = new Revocations(app.Store, app.Services.GetRequiredService<Server.Host.TidingsOptions>(), TimeProvider.System);
        await another.StartAsync(CancellationToken.None);

        foreach (var revocations in new[] { app.Services.GetRequiredService<Revocations>(), another })
        {
            revocations.CoverChannel(channel, "42", before).ShouldBeTrue();
            revocations.CoverChannel(channel, "42", null).ShouldBeTrue();
            revocations.CoverChannel(channel, "4", before).ShouldBeFalse();
            revocations.CoverChannel(channel, null, before).ShouldBeFalse();
            revocations.CoverChannel(channel, "42", DateTimeOffset.UtcNow.AddSeconds(5)).ShouldBeFalse();
            revocations.CoverToken("17", before).ShouldBeTrue();
            revocations.CoverToken("17", DateTimeOffset.UtcNow.AddSeconds(5)).ShouldBeFalse();
            revocations.CoverToken("42", before).ShouldBeFalse();
        }
    }

    [Theory]
    [InlineData("POST", "/publish/batch", """{"publications":[]}""", 400, "invalid", "publications")]
    [InlineData("POST", "/publish/batch", """{}""", 400, "invalid", "publications")]
    [InlineData("POST", "/publish/batch", """{"publications":{}}""", 400, "invalid", "publications")]
    [InlineData("POST", "/publish/batch", """{""", 400, "malformed_json", null)]
    [InlineData("POST", "/users/a%20b/publish", """{"event":"e","data":{}}""", 400, "invalid", "id")]
    [InlineData("POST", "/users/42/publish", """{"event":"","data":{}}""", 400, "invalid", "event")]
    [InlineData("POST", "/users/42/publish", """{"event":"e","data":[]}""", 400, "invalid", "data")]
    [InlineData("POST", "/users/a%20b/disconnect", """{}""", 400, "invalid", "id")]
    [InlineData("POST", "/users/42/disconnect", """{"revokeTokens":"yes"}""", 400, "invalid", "revokeTokens")]
    [InlineData("POST", "/users/42/disconnect", """[]""", 400, "invalid", "body")]
    [InlineData("POST", "/subscriptions/revoke", """{"userId":"42"}""", 400, "invalid", "channel")]
    [InlineData("POST", "/subscriptions/revoke", """{"userId":"42","channel":"no name"}""", 400, "invalid", "channel")]
    [InlineData("POST", "/subscriptions/revoke", """{"userId":"42","channel":"secret:1"}""", 404, "unknown_channel", null)]
    [InlineData("POST", "/subscriptions/revoke", """{"userId":"","channel":"user:1"}""", 400, "invalid", "userId")]
    [InlineData("POST", "/subscriptions/revoke", """{"userId":42,"channel":"user:1"}""", 400, "invalid", "userId")]
    [InlineData("GET", "/channels?limit=0", null, 400, "invalid", "limit")]
    [InlineData("GET", "/channels?limit=1001", null, 400, "invalid", "limit")]
    [InlineData("GET", "/channels?cursor=%20", null, 400, "invalid", "cursor")]
    [InlineData("GET", "/channels?kind=secret", null, 404, "unknown_channel", null)]
    [InlineData("GET", "/channels/no%20name", null, 400, "invalid", "channel")]
    [InlineData("GET", "/channels/secret:1", null, 404, "unknown_channel", null)]
    [InlineData("GET", "/channels/user:1/history?since=x", null, 400, "invalid", "since")]
    [InlineData("GET", "/channels/user:1/history?limit=x", null, 400, "invalid", "limit")]
    [InlineData("GET", "/channels/passing:1/history", null, 404, "no_history", null)]
    [InlineData("GET", "/connections?limit=-1", null, 400, "invalid", "limit")]
    [InlineData("GET", "/connections?userId=a%20b", null, 400, "invalid", "userId")]
    [InlineData("GET", "/connections?cursor=%2F", null, 400, "invalid", "cursor")]
    public async Task What_is_wrong_is_told(string method, string path, string? body, int status, string code, string? field)
    {
        using var backend = await app.ClientAsync("backend");
        using var request = new HttpRequestMessage(new HttpMethod(method), $"/api/realtime{path}") { Content = body is null ? null : Json(body) };
        var problem = await backend.SendAsync(request).JsonAsync((HttpStatusCode)status);
        problem.Text("code").ShouldBe(code);
        if (field is not null) problem["errors"]!.AsObject().Select(error => error.Key).ShouldBe([field]);
    }

    [Theory]
    [InlineData("POST", "/publish/batch")]
    [InlineData("POST", "/users/42/publish")]
    [InlineData("POST", "/users/42/disconnect")]
    [InlineData("POST", "/subscriptions/revoke")]
    [InlineData("GET", "/channels")]
    [InlineData("GET", "/channels/user:42")]
    [InlineData("GET", "/channels/user:42/history")]
    [InlineData("GET", "/connections")]
    public async Task Users_and_visitors_may_not(string method, string path)
    {
        foreach (var (user, status) in ((string?, HttpStatusCode)[])[("42", HttpStatusCode.Forbidden), (null, HttpStatusCode.Unauthorized)])
        {
            using var client = await app.ClientAsync(user);
            using var request = new HttpRequestMessage(new HttpMethod(method), $"/api/realtime{path}") { Content = method == "POST" ? Json("{}") : null };
            (await client.SendAsync(request)).StatusCode.ShouldBe(status);
        }
    }

    private static StringContent Json(string text) => new(text, Encoding.UTF8, "application/json");
}
