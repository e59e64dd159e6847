using System.Net;
using Shouldly;
using Tidings.Protocols.Tests.Support;
using Tidings.Realtime;
using Xunit;

namespace Tidings.Protocols.Tests.EngineIo;

public sealed class HandshakeTests
{
    private const string Allowed = "https://app.example";

    [Theory]
    [InlineData("GET", "EIO=4", 400, """{"code":0,"message":"Transport unknown"}""")]
    [InlineData("GET", "EIO=4&transport=webtransport", 400, """{"code":0,"message":"Transport unknown"}""")]
    [InlineData("GET", "EIO=4&transport=polling&sid=unknown", 400, """{"code":1,"message":"Session ID unknown"}""")]
    [InlineData("GET", "EIO=4&transport=websocket", 400, """{"code":3,"message":"Bad request"}""")]
    [InlineData("POST", "EIO=4&transport=polling", 400, """{"code":2,"message":"Bad handshake method"}""")]
    [InlineData("PUT", "EIO=4&transport=polling", 400, """{"code":2,"message":"Bad handshake method"}""")]
    [InlineData("GET", "transport=polling", 400, """{"code":5,"message":"Unsupported protocol version"}""")]
    [InlineData("GET", "EIO=3&transport=polling", 400, """{"code":5,"message":"Unsupported protocol version"}""")]
    [InlineData("GET", "EIO=5&transport=polling", 400, """{"code":5,"message":"Unsupported protocol version"}""")]
    public async Task A_request_that_cannot_be_served_is_answered_with_its_code(string method, string query, int status, string body)
    {
        await using var server = await TestServer.StartAsync();
        using var http = server.CreateClient();
        using var request = new HttpRequestMessage(new HttpMethod(method), $"/socket.io/?{query}");
        using var answer = await http.SendAsync(request);

        ((int)answer.StatusCode).ShouldBe(status);
        answer.Content.Headers.ContentType!.MediaType.ShouldBe("application/json");
        (await answer.Content.ReadAsStringAsync()).ShouldBe(body);
    }

    [Fact]
    public async Task The_handshake_tells_the_times_and_the_limit()
    {
        await using var server = await TestServer.StartAsync();
        using var http = server.CreateClient();
        foreach (var path in new[] { "/socket.io/", "/socket.io" })
        {
            using var answer = await http.GetAsync($"{path}?EIO=4&transport=polling&foo=b%20r");
            answer.Content.Headers.ContentType!.ToString().ShouldBe("text/plain; charset=UTF-8");
            answer.Headers.CacheControl!.NoStore.ShouldBeTrue();
            (await answer.Content.ReadAsStringAsync()).ShouldMatch(
                """^0\{"sid":"[A-Za-z0-9_-]{24}","upgrades":\["websocket"\],"pingInterval":25000,"pingTimeout":10000,"maxPayload":65536\}$""");
        }
    }

    [Fact]
    public async Task A_method_that_sessions_do_not_have_is_answered_with_those_they_have()
    {
        await using var server = await TestServer.StartAsync();
        using var client = await PollingClient.OpenAsync(server);
        using var answer = await client.Http.PutAsync(client.Url, null);
        answer.StatusCode.ShouldBe(HttpStatusCode.MethodNotAllowed);
        answer.Content.Headers.Allow.ShouldBe(["GET", "POST"]);
    }

    [Fact]
    public async Task A_page_of_a_strange_origin_gets_no_session_and_takes_none_over()
    {
        await using var server = await TestServer.StartAsync();
        using var client = await PollingClient.OpenAsync(server);
        foreach (var url in new[] { "/socket.io/?EIO=4&transport=polling", client.Url })
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, url);
            request.Headers.Add("Origin", "https://evil.example");
            using var answer = await client.Http.SendAsync(request);
            answer.StatusCode.ShouldBe(HttpStatusCode.Forbidden);
            (await answer.Content.ReadAsStringAsync()).ShouldBe("""{"code":4,"message":"Forbidden"}""");
        }

        await using var socket = await TestSocket.RequestAsync(
            server, "/socket.io/?EIO=4&transport=websocket", new Dictionary<string, string> { ["Origin"] = "https://evil.example" });
        socket.Status.ShouldBe(403);
    }

    [Fact]
    public async Task A_page_of_an_allowed_origin_may_read_answers_and_refusals()
    {
        await using var server = await TestServer.StartAsync(configure: static options => options.AllowedOrigins.Add(Allowed));
        using var http = server.CreateClient();
        foreach (var query in new[] { "EIO=4&transport=polling", "EIO=3&transport=polling" })
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, $"/socket.io/?{query}");
            request.Headers.Add("Origin", Allowed);
            using var answer = await http.SendAsync(request);
            answer.Headers.GetValues("Access-Control-Allow-Origin").ShouldBe([Allowed]);
            answer.Headers.GetValues("Access-Control-Allow-Credentials").ShouldBe(["true"]);
            answer.Headers.Vary.ShouldContain("Origin");
        }
    }

    [Fact]
    public async Task A_preflight_is_answered_before_anything_else()
    {
        await using var server = await TestServer.StartAsync(configure: static options => options.AllowedOrigins.Add(Allowed));
        using var http = server.CreateClient();
        foreach (var query in new[] { "EIO=4&transport=polling", "EIO=4&transport=polling&sid=unknown" })
        {
            using var request = new HttpRequestMessage(HttpMethod.Options, $"/socket.io/?{query}");
            request.Headers.Add("Origin", Allowed);
            request.Headers.Add("Access-Control-Request-Method", "POST");
            request.Headers.Add("Access-Control-Request-Headers", "x-custom");
            using var answer = await http.SendAsync(request);
            answer.StatusCode.ShouldBe(HttpStatusCode.NoContent);
            answer.Headers.GetValues("Access-Control-Allow-Methods").ShouldBe(["GET,POST"]);
            answer.Headers.GetValues("Access-Control-Allow-Headers").ShouldBe(["x-custom"]);
        }
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_WebSocket_that_cannot_be_served_is_refused_before_the_upgrade(bool isEarly)
    {
        await using var server = await TestServer.StartAsync(isEarly: isEarly);
        foreach (var (query, body) in new[]
        {
            ("EIO=3&transport=websocket", """{"code":5,"message":"Unsupported protocol version"}"""),
            ("EIO=4&transport=websocket&sid=unknown", """{"code":1,"message":"Session ID unknown"}"""),
            ("EIO=4&transport=websocket&sid=" + new string('a', 100), """{"code":1,"message":"Session ID unknown"}"""),
        })
        {
            await using var socket = await TestSocket.RequestAsync(server, $"/socket.io/?{query}", new Dictionary<string, string> { ["Connection"] = "Upgrade" });
            socket.Status.ShouldBe(400);
            socket.StopSending();
            System.Text.Encoding.UTF8.GetString(await socket.ReadToEndAsync()).ShouldBe(body);
        }
    }

    [Fact]
    public async Task Sessions_count_as_connections_before_they_say_who_they_are()
    {
        await using var server = await TestServer.StartAsync(configure: static options => options.Connections = 1);
        using var first = await PollingClient.OpenAsync(server);
        using var answer = await first.Http.GetAsync("/socket.io/?EIO=4&transport=polling");
        answer.StatusCode.ShouldBe(HttpStatusCode.ServiceUnavailable);
        answer.Headers.RetryAfter.ShouldNotBeNull();

        (await first.PostAsync("1")).ShouldBe((HttpStatusCode.OK, "ok"));
        using var second = await PollingClient.OpenAsync(server);
    }

    [Fact]
    public async Task A_client_that_leaves_before_it_is_known_who_it_is_gives_its_place_back()
    {
        await using var server = await TestServer.StartAsync(configure: static options => options.Connections = 1);
        using var http = server.CreateClient();
        using var leaving = new CancellationTokenSource();
        using var request = new HttpRequestMessage(HttpMethod.Get, "/socket.io/?EIO=4&transport=polling");
        request.Headers.Add("Cookie", "user=slow");
        var answer = http.SendAsync(request, leaving.Token);
        await Eventually.IsTrueAsync(() => server.LookedFor > 0, "its user is looked for");
        (await StatusAsync()).ShouldBe(HttpStatusCode.ServiceUnavailable);

        await leaving.CancelAsync();
        await Should.ThrowAsync<OperationCanceledException>(answer);

        await Eventually.IsTrueAsync(async () => await StatusAsync() == HttpStatusCode.OK, "another gets the place");

        async Task<HttpStatusCode> StatusAsync()
        {
            using var other = await http.GetAsync("/socket.io/?EIO=4&transport=polling");
            return other.StatusCode;
        }
    }

    [Fact]
    public async Task A_server_that_is_switched_off_says_when_to_come_back()
    {
        await using var server = await TestServer.StartAsync();
        server.Engine.Suspend(true);
        using var http = server.CreateClient();
        using var answer = await http.GetAsync("/socket.io/?EIO=4&transport=polling");
        answer.StatusCode.ShouldBe(HttpStatusCode.ServiceUnavailable);
        answer.Headers.RetryAfter.ShouldNotBeNull();
    }
}
