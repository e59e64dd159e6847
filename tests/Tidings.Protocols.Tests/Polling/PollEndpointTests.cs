using System.Net;
using System.Text.Json;
using Shouldly;
using Tidings.Protocols.Tests.Support;
using Tidings.Realtime;
using Xunit;

namespace Tidings.Protocols.Tests.Polling;

public sealed class PollEndpointTests : IAsyncLifetime
{
    private TestServer _server = null!;
    private HttpClient _client = null!;

    public async ValueTask InitializeAsync()
    {
        _server = await TestServer.StartAsync();
        _client = _server.CreateClient();
    }

    public async ValueTask DisposeAsync()
    {
        _client.Dispose();
        await _server.DisposeAsync();
    }

    [Fact]
    public async Task Without_a_place_a_poll_gives_one_at_once()
    {
        await _server.PublishAsync("post:7", "old");

        var answer = await PollAsync("channels=post:7");

        answer.Types.ShouldBeEmpty();
        answer.Gaps.ShouldBeEmpty();
        answer.Since.ShouldNotBeEmpty();
    }

    [Fact]
    public async Task What_happened_between_two_polls_is_answered_at_once()
    {
        var since = (await PollAsync("channels=post:7,feed:42,room:a")).Since;
        await _server.PublishAsync("post:7", "one");
        await _server.PublishAsync("creator:of-42", "two", """{"n":1}""");
        await _server.PublishAsync("room:a", "three");

        var answer = await PollAsync($"channels=post:7,feed:42,room:a&since={since}");

        answer.Types.ShouldBe(["one", "two", "three"]);
        answer.Events[1].GetProperty("channel").GetString().ShouldBe("feed:42");
        answer.Events[1].GetProperty("n").GetInt32().ShouldBe(1);
        (await PollAsync($"channels=post:7,feed:42,room:a&since={since}")).Types.ShouldBe(["one", "two", "three"], "a lost answer is repeated");
    }

    [Fact]
    public async Task A_waiting_poll_is_answered_by_an_event_and_takes_the_burst_along()
    {
        await using var server = await TestServer.StartAsync(configure: static options => options.PollCollectTime = TimeSpan.FromMilliseconds(500));
        using var client = server.CreateClient();
        var since = (await PollAsync("channels=post:7", client)).Since;
        var polling = PollAsync($"channels=post:7&since={since}", client);
        await Eventually.IsTrueAsync(() => server.Engine.ConnectionCount > 0, "it waits");

        await server.PublishAsync("post:7", "one");
        await server.PublishAsync("post:7", "two");

        (await polling).Types.ShouldBe(["one", "two"]);
        await Eventually.IsTrueAsync(() => server.Engine.ConnectionCount == 0, "a poll leaves nothing behind");
    }

    [Fact]
    public async Task A_poll_that_times_out_has_a_token_and_no_events()
    {
        var since = (await PollAsync("channels=post:7")).Since;

        var answer = await PollAsync($"channels=post:7&since={since}&timeout=0");

        answer.Types.ShouldBeEmpty();
        answer.Since.ShouldBe(since);
    }

    [Fact]
    public async Task What_can_not_be_replayed_is_told_and_the_new_token_is_good()
    {
        var since = (await PollAsync("channels=short:a,post:7")).Since;
        for (var index = 0; index < 5; index++) await _server.PublishAsync("short:a");

        var answer = await PollAsync($"channels=short:a,post:7&since={since}");
        answer.Gaps.ShouldBe(["short:a"]);
        answer.Types.ShouldBeEmpty();

        await _server.PublishAsync("short:a", "next");
        var next = await PollAsync($"channels=short:a,post:7&since={answer.Since}");
        next.Types.ShouldBe(["next"]);
        next.Gaps.ShouldBeEmpty();
        (await PollAsync("channels=short:a,post:7&since=garbage")).Gaps.ShouldBe(["short:a", "post:7"]);
    }

    [Fact]
    public async Task An_answer_holds_at_most_500_events_and_its_token_no_more_than_it_holds()
    {
        var since = (await PollAsync("channels=post:7,post:8")).Since;
        for (var index = 0; index < 700; index++) await _server.PublishAsync(index % 2 == 0 ? "post:7" : "post:8", $"e{index}");

        var seen = new List<string>();
        for (var round = 0; round < 2; round++)
        {
            var answer = await PollAsync($"channels=post:7,post:8&since={since}");
            answer.Types.Count.ShouldBeLessThanOrEqualTo(500);
            seen.AddRange(answer.Types);
            since = answer.Since;
        }

        seen.Count.ShouldBe(700);
        seen.ToHashSet().Count.ShouldBe(700);
    }

    [Fact]
    public async Task An_answer_holds_about_a_megabyte()
    {
        var since = (await PollAsync("channels=post:7")).Since;
        for (var index = 0; index < 30; index++) await _server.PublishAsync("post:7", $"e{index}", $$"""{"text":"{{new string('x', 60_000)}}"}""");

        var first = await PollAsync($"channels=post:7&since={since}");
        var second = await PollAsync($"channels=post:7&since={first.Since}");

        first.Types.Count.ShouldBe(17);
        second.Types.Count.ShouldBe(13);
    }

    [Fact]
    public async Task Nothing_overtakes_an_event_that_did_not_fit()
    {
        var since = (await PollAsync("channels=post:7,post:8")).Since;
        foreach (var size in (int[])[500_000, 500_000, 100_000, 10])
            await _server.PublishAsync("post:7", $"e{size}", $$"""{"text":"{{new string('x', size)}}"}""");

        var first = await PollAsync($"channels=post:7,post:8&since={since}");
        var second = await PollAsync($"channels=post:7,post:8&since={first.Since}");

        first.Types.ShouldBe(["e500000", "e500000"]);
        second.Types.ShouldBe(["e100000", "e10"]);
    }

    [Fact]
    public async Task On_a_resume_a_channel_that_is_lost_is_dropped_with_a_notice()
    {
        var since = (await PollAsync("channels=post:7,post:8")).Since;
        _server.Forbid("post:7");

        var answer = await PollAsync($"channels=post:7,post:8&since={since}");

        answer.Events.Single().GetRawText().ShouldBe("""{"type":"unsubscribed","channel":"post:7","reason":"access_revoked"}""");
        (await GetAsync("channels=post:7,post:8", _client)).StatusCode.ShouldBe(HttpStatusCode.Forbidden);
    }

    [Fact]
    public async Task A_leaving_server_answers_who_waits_and_refuses_who_comes()
    {
        var since = (await PollAsync("channels=post:7")).Since;
        await Eventually.IsTrueAsync(() => _server.Engine.ConnectionCount == 0, "the first poll is over");
        var polling = PollAsync($"channels=post:7&since={since}");
        await Eventually.IsTrueAsync(() => _server.Engine.ConnectionCount > 0, "it waits");

        await _server.Engine.DrainAsync(CancellationToken.None);

        (await polling).Types.ShouldBeEmpty();
        using var late = await GetAsync("channels=post:7", _client);
        late.StatusCode.ShouldBe(HttpStatusCode.ServiceUnavailable);
        late.Headers.RetryAfter!.Delta!.Value.ShouldBeGreaterThan(TimeSpan.Zero);
    }

    [Fact]
    public async Task Faults_and_limits_have_statuses()
    {
        await using var full = await TestServer.StartAsync(new RealtimeOptions { ConnectionsPerUser = 0 });
        using var client = full.CreateClient();
        using (var refused = await GetAsync("channels=post:7", client)) refused.StatusCode.ShouldBe(HttpStatusCode.TooManyRequests);

        _server.BreakAccess();
        using (var broken = await GetAsync("channels=post:7", _client)) broken.StatusCode.ShouldBe(HttpStatusCode.ServiceUnavailable);
        using (var bad = await GetAsync("channels=post:7&timeout=soon", client)) bad.StatusCode.ShouldBe(HttpStatusCode.BadRequest);
    }

    [Fact]
    public async Task A_client_that_leaves_is_forgotten()
    {
        var since = (await PollAsync("channels=post:7")).Since;
        using var cut = new CancellationTokenSource();
        var polling = _client.GetAsync(new Uri($"/poll?token=42&channels=post:7&since={since}", UriKind.Relative), cut.Token);
        await Eventually.IsTrueAsync(() => _server.Engine.ConnectionCount > 0, "it waits");

        await cut.CancelAsync();

        await Should.ThrowAsync<OperationCanceledException>(polling);
        await Eventually.IsTrueAsync(() => _server.Engine.ConnectionCount == 0, "it is forgotten");
    }

    [Fact]
    public async Task A_token_that_expires_while_waiting_is_told()
    {
        await using var server = await TestServer.StartAsync(new RealtimeOptions { ExpiryGrace = TimeSpan.Zero });
        using var client = server.CreateClient();
        var since = (await PollAsync("channels=post:7", client)).Since;

        using var response = await client.GetAsync(new Uri($"/poll?token=42~0.2&channels=post:7&since={since}", UriKind.Relative)).WaitAsync(TestSocket.Deadline);

        response.StatusCode.ShouldBe(HttpStatusCode.Unauthorized);
        (await response.Content.ReadAsStringAsync()).ShouldContain("token_expired");
    }

    private static Task<HttpResponseMessage> GetAsync(string query, HttpClient client) =>
        client.GetAsync(new Uri($"/poll?token=42&{query}", UriKind.Relative)).WaitAsync(TestSocket.Deadline);

    private async Task<Answer> PollAsync(string query, HttpClient? client = null)
    {
        using var response = await GetAsync(query, client ?? _client);
        var text = await response.Content.ReadAsStringAsync();
        response.StatusCode.ShouldBe(HttpStatusCode.OK, text);
        response.Headers.CacheControl!.NoStore.ShouldBeTrue();
        var json = JsonDocument.Parse(text).RootElement;
        return new Answer(
            [.. json.GetProperty("events").EnumerateArray()],
            json.GetProperty("since").GetString()!,
            [.. json.GetProperty("gaps").EnumerateArray().Select(static gap => gap.GetString()!)]);
    }

    private sealed record Answer(IReadOnlyList<JsonElement> Events, string Since, IReadOnlyList<string> Gaps)
    {
        public IReadOnlyList<string> Types => [.. Events.Select(static it => it.GetProperty("type").GetString()!)];
    }
}
