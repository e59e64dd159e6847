using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using Shouldly;
using Tidings.Protocols.Streams;
using Tidings.Protocols.Tests.Support;
using Tidings.Realtime;
using Xunit;

namespace Tidings.Protocols.Tests.Sse;

public sealed class SseEndpointTests : IAsyncLifetime
{
    private TestServer _server = null!;

    public static TheoryData<string, int, string> Refusals => new()
    {
        { "channels=open:a", 401, "missing_token" },
        { "channels=open:a&token=invalid", 401, "invalid_token" },
        { "channels=open:a&token=expired", 401, "token_expired" },
        { "token=42", 400, "bad_request" },
        { "channels=&token=42", 400, "bad_request" },
        { "channels=open:a,&token=42", 400, "bad_request" },
        { "channels=open&token=42", 400, "bad_request" },
        { "channels=nope:a&token=42", 400, "unknown_channel" },
        { $"channels={string.Join(',', Enumerable.Range(0, 51).Select(static number => $"open:{number}"))}&token=42", 400, "too_many_subscriptions" },
        { "channels=open:a,open:b&positions=AAAA&token=42", 400, "bad_request" },
        { "channels=open:a,user:43&token=42", 403, "forbidden" },
    };

    public async ValueTask InitializeAsync() => _server = await TestServer.StartAsync();

    public ValueTask DisposeAsync() => _server.DisposeAsync();

    [Theory]
    [MemberData(nameof(Refusals))]
    public async Task A_first_request_is_refused_with_a_problem(string query, int status, string code)
    {
        using var client = _server.CreateClient();
        foreach (var path in (string[])["/sse", "/poll"])
        {
            using var response = await client.GetAsync(new Uri($"{path}?{query}", UriKind.Relative));

            ((int)response.StatusCode).ShouldBe(status, path);
            response.Content.Headers.ContentType!.MediaType.ShouldBe("application/problem+json");
            (await response.Content.ReadFromJsonAsync<JsonElement>()).GetProperty("code").GetString().ShouldBe(code);
        }
    }

    [Theory]
    [InlineData("POST")]
    [InlineData("HEAD")]
    public async Task Another_method_is_refused(string method)
    {
        using var client = _server.CreateClient();
        foreach (var path in (string[])["/sse", "/poll"])
        {
            using var request = new HttpRequestMessage(new HttpMethod(method), $"{path}?channels=open:a&token=42");
            using var response = await client.SendAsync(request);

            response.StatusCode.ShouldBe(HttpStatusCode.MethodNotAllowed);
        }
    }

    [Fact]
    public async Task Head_and_retry_come_at_once_and_every_event_has_an_id()
    {
        using var stream = await EventStream.OpenAsync(_server, "channels=post:7,live:a&token=42");
        var headers = stream.Response.Headers;
        stream.Response.Content.Headers.ContentType!.ToString().ShouldBe("text/event-stream");
        headers.CacheControl!.ToString().ShouldBe("no-store, no-transform");
        headers.GetValues("X-Accel-Buffering").ShouldBe(["no"]);

        (await stream.ReadAsync())!.Type.ShouldBe("connected");
        stream.Retry.ShouldBeInRange(2000, 5000);
        var first = await stream.ReadAsync("subscribed");
        await stream.ReadAsync("subscribed");
        await _server.PublishAsync("post:7", "post_liked", """{"likesCount":3}""");
        await _server.PublishAsync("live:a", "typing", """{"userId":"1"}""");

        var liked = (await stream.ReadAsync())!;
        liked.Type.ShouldBe("post_liked");
        liked.Data.ShouldStartWith("""{"type":"post_liked","channel":"post:7","position":""");
        liked.Id.ShouldNotBe(first.Id);
        var typing = (await stream.ReadAsync())!;
        typing.Id.ShouldBe(liked.Id, "an event without a place keeps the stream where it is");
    }

    [Fact]
    public async Task A_stream_resumes_where_the_last_event_was()
    {
        var (stream, subscribed) = await EventStream.SubscribeAsync(_server, "post:7,room:a,feed:42");
        StreamEvent seen;
        using (stream)
        {
            subscribed.Data.ShouldNotContain("recovered");
            await _server.PublishAsync("post:7", "one");
            seen = await stream.ReadAsync("one");
        }

        await _server.PublishAsync("room:a", "two");
        await _server.PublishAsync("creator:of-42", "three");
        await _server.PublishAsync("post:7", "four");

        var (again, _) = await EventStream.SubscribeAsync(_server, "post:7", seen.Id);
        using (again) (await again.ReadAsync())!.Type.ShouldBe("four");
        using var all = await EventStream.OpenAsync(_server, "channels=post:7,room:a,feed:42&token=42&since=garbage", seen.Id);
        var types = new List<string?>();
        while (types.Count < 7) types.Add((await all.ReadAsync())!.Type);
        types.ShouldBe(["connected", "subscribed", "four", "subscribed", "two", "subscribed", "three"]);
    }

    [Fact]
    public async Task A_stream_that_broke_before_its_first_event_misses_nothing()
    {
        var (stream, subscribed) = await EventStream.SubscribeAsync(_server, "post:7");
        stream.Dispose();
        await _server.PublishAsync("post:7", "missed");

        var (again, resumed) = await EventStream.SubscribeAsync(_server, "post:7", subscribed.Id);

        using (again)
        {
            resumed.Json.GetProperty("recovered").GetBoolean().ShouldBeTrue();
            resumed.Id.ShouldBe(subscribed.Id, "it may break again before what was missed is out");
            (await again.ReadAsync())!.Type.ShouldBe("missed");
        }
    }

    [Theory]
    [InlineData("garbage")]
    [InlineData("AQ")]
    [InlineData("AQAAAAE")]
    public async Task What_can_not_be_replayed_is_told(string lastEventId)
    {
        using var stream = await EventStream.OpenAsync(_server, "channels=post:7&token=42", lastEventId);

        await stream.ReadAsync("connected");
        var gap = (await stream.ReadAsync())!;
        gap.Type.ShouldBe("gap");
        gap.Data.ShouldBe("""{"channels":["post:7"]}""");
        (await stream.ReadAsync())!.Id.ShouldBe(gap.Id);
    }

    [Fact]
    public async Task A_token_of_four_kilobytes_is_garbage_and_no_more()
    {
        using var stream = await EventStream.OpenAsync(_server, "channels=post:7&token=42", new string('A', 4096));

        await stream.ReadAsync("gap");
    }

    [Fact]
    public async Task Positions_of_the_channels_start_a_stream()
    {
        var one = await _server.PublishAsync("post:7", "one");
        await _server.PublishAsync("post:7", "two");

        using var stream = await EventStream.OpenAsync(_server, $"channels=post:8,post:7&positions=,{one.Position}&token=42&events=message");

        var all = new List<StreamEvent>();
        while (all.Count < 4) all.Add((await stream.ReadAsync())!);
        all.ShouldAllBe(static it => it.Type == null);
        all.Select(static it => it.Json.GetProperty("type").GetString()).ShouldBe(["connected", "subscribed", "subscribed", "two"]);
    }

    [Fact]
    public async Task Without_names_control_events_carry_their_type()
    {
        using var stream = await EventStream.OpenAsync(_server, "channels=post:7,feed:42&token=42&events=message&since=garbage");
        await _server.PublishAsync("creator:of-42", "post_created");

        var seen = new List<string>();
        while (seen.Count < 5) seen.Add((await stream.ReadAsync())!.Data);
        seen[1].ShouldBe("""{"type":"gap","channels":["post:7"]}""");
        var draining = _server.Engine.DrainAsync(CancellationToken.None);
        StreamEvent? last = null;
        while (await stream.ReadAsync() is { } next) last = next;
        last!.Data.ShouldStartWith("""{"type":"closing","code":1001,"reason":"retry=""");
        await draining;
    }

    [Fact]
    public async Task On_a_resume_a_channel_that_is_lost_is_dropped_and_the_rest_goes_on()
    {
        var (stream, subscribed) = await EventStream.SubscribeAsync(_server, "post:7,post:8");
        stream.Dispose();
        _server.Forbid("post:7");
        await _server.PublishAsync("post:7", "secret");
        await _server.PublishAsync("post:8", "open");

        using var again = await EventStream.OpenAsync(_server, "channels=post:7,post:8&token=42", subscribed.Id);

        await again.ReadAsync("connected");
        (await again.ReadAsync())!.Data.ShouldBe("""{"type":"unsubscribed","channel":"post:7","reason":"access_revoked"}""");
        (await again.ReadAsync())!.Json.GetProperty("channel").GetString().ShouldBe("post:8");
        (await again.ReadAsync())!.Type.ShouldBe("open");
    }

    [Fact]
    public async Task A_leaving_server_ends_streams_and_sends_new_ones_away_with_200()
    {
        var (stream, _) = await EventStream.SubscribeAsync(_server, "post:7");
        using (stream)
        {
            await _server.Engine.DrainAsync(CancellationToken.None);

            (await stream.ReadAsync())!.Type.ShouldBe("closing");
            stream.Retry.ShouldBeGreaterThanOrEqualTo(1000);
            (await stream.ReadAsync()).ShouldBeNull();
        }

        using var late = await EventStream.OpenAsync(_server, "channels=post:7&token=42");
        late.Response.StatusCode.ShouldBe(HttpStatusCode.OK);
        (await late.ReadAsync())!.Json.GetProperty("code").GetInt32().ShouldBe(1001);
        (await late.ReadAsync()).ShouldBeNull();
    }

    [Fact]
    public async Task A_fault_of_ours_sends_the_client_away_with_200()
    {
        _server.BreakAccess();

        using var stream = await EventStream.OpenAsync(_server, "channels=post:7&token=42");

        stream.Response.StatusCode.ShouldBe(HttpStatusCode.OK);
        (await stream.ReadAsync())!.Json.GetProperty("code").GetInt32().ShouldBe(4503);
        stream.Retry.ShouldBeInRange(5000, 15000);
    }

    [Fact]
    public async Task Too_many_connections_are_sent_away_with_200()
    {
        await using var server = await TestServer.StartAsync(new RealtimeOptions { ConnectionsPerUser = 0 });

        using var stream = await EventStream.OpenAsync(server, "channels=post:7&token=42");

        (await stream.ReadAsync())!.Json.GetProperty("code").GetInt32().ShouldBe(4429);
    }

    [Fact]
    public async Task A_silent_stream_carries_comments_and_a_client_that_leaves_is_forgotten()
    {
        await using var server = await TestServer.StartAsync(new RealtimeOptions { StreamHeartbeatInterval = TimeSpan.FromMilliseconds(100) });
        var (stream, _) = await EventStream.SubscribeAsync(server, "post:7");
        using (stream)
        {
            var reading = stream.ReadAsync("done");
            await Eventually.IsTrueAsync(() => stream.Comments > 0, "a comment comes");
            await server.PublishAsync("post:7", "done");
            await reading;
        }

        await Eventually.IsTrueAsync(() => server.Engine.ConnectionCount == 0, "it is forgotten");
    }

    [Fact]
    public async Task A_token_that_expires_ends_the_stream_with_its_reason()
    {
        await using var server = await TestServer.StartAsync(new RealtimeOptions { ExpiryGrace = TimeSpan.Zero });
        using var stream = await EventStream.OpenAsync(server, "channels=post:7&token=42~0.1");

        (await stream.ReadAsync("closing")).Data.ShouldBe("""{"code":4401,"reason":"token_expired","retry":null}""");
        (await stream.ReadAsync()).ShouldBeNull();
    }

    [Fact]
    public async Task Line_breaks_and_names_can_not_forge_events()
    {
        var (stream, _) = await EventStream.SubscribeAsync(_server, "room:a");
        using (stream)
        {
            await _server.PublishAsync("room:a", "x\ndata: forged\n\n", "{\"a\":\n\n1}");

            var got = (await stream.ReadAsync())!;
            got.Type.ShouldBeNull("a name with a line break is not written");
            got.Json.GetProperty("type").GetString().ShouldBe("x\ndata: forged\n\n");
            got.Json.GetProperty("data").GetProperty("a").GetInt32().ShouldBe(1);
        }
    }

    [Fact]
    public async Task Fifty_channels_have_a_token_under_two_kilobytes()
    {
        var channels = string.Join(',', Enumerable.Range(0, StreamToken.MaxChannels).Select(static number => $"open:{number}"));

        var (stream, last) = await EventStream.SubscribeAsync(_server, channels);

        using (stream) last.Id!.Length.ShouldBeInRange(50 * 4, 2047);
    }

    [Fact]
    public async Task A_preflight_of_an_allowed_origin_is_answered()
    {
        await using var server = await TestServer.StartAsync(configure: static options => options.AllowedOrigins.Add("https://good.example"));
        using var client = server.CreateClient();
        using var request = new HttpRequestMessage(HttpMethod.Options, "/poll");
        request.Headers.Add("Origin", "https://good.example");

        using var response = await client.SendAsync(request);

        response.StatusCode.ShouldBe(HttpStatusCode.NoContent);
        response.Headers.GetValues("Access-Control-Allow-Origin").ShouldBe(["https://good.example"]);
        response.Headers.GetValues("Access-Control-Allow-Headers").Single().ShouldContain("Authorization");
    }
}
