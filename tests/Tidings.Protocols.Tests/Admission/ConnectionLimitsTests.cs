using System.Diagnostics.Metrics;
using System.Net;
using Shouldly;
using Tidings.Protocols.Admission;
using Tidings.Protocols.Tests.Support;
using Tidings.Protocols.WebSockets;
using Xunit;

namespace Tidings.Protocols.Tests.Admission;

public sealed class ConnectionLimitsTests
{
    [Fact]
    public async Task An_address_has_so_many_places_over_all_transports_and_gets_them_back()
    {
        await using var server = await TestServer.StartAsync(configure: static options => Known(options).ConnectionsPerAddress = 3);
        using var client = server.CreateClient();
        await using var first = await TestSocket.ConnectAsync(server, "1");
        using var stream = await client.GetAsync("/sse?channels=open:a&token=2", HttpCompletionOption.ResponseHeadersRead);
        var since = await SinceAsync(client);
        var waiting = client.GetAsync($"/poll?channels=open:a&token=3&since={since}&timeout=30");
        await Eventually.IsTrueAsync(() => server.Engine.ConnectionCount == 3, "all three are there");

        await using var refused = await TestSocket.RequestAsync(server, "/ws?token=4");
        refused.Status.ShouldBe(101, "a page cannot see the status of a refused upgrade");
        (await refused.ReadCloseAsync()).ShouldMatch("^4429 retry=[0-9]{4,5}$");

        using var refusedStream = await client.GetAsync("/sse?channels=open:a&token=4");
        refusedStream.StatusCode.ShouldBe(HttpStatusCode.OK, "an EventSource gives up for good on any other");
        (await refusedStream.Content.ReadAsStringAsync()).ShouldMatch("(?s)^retry: [0-9]+\n\n.*event: closing\ndata: \\{\"code\":4429,\"reason\":\"retry=[0-9]+\",\"retry\":[0-9]+\\}\n\n$");

        using var refusedPoll = await client.GetAsync("/poll?channels=open:a&token=4");
        refusedPoll.StatusCode.ShouldBe(HttpStatusCode.TooManyRequests);
        refusedPoll.Headers.RetryAfter!.Delta!.Value.TotalSeconds.ShouldBeInRange(5, 16);
        (await refusedPoll.Content.ReadAsStringAsync()).ShouldContain("\"code\":\"rate_limited\"");

        await server.PublishAsync("open:a");
        (await waiting).Dispose();
        await using var next = await OnceThereIsRoomAsync(server);
    }

    [Fact]
    public async Task Whoever_is_turned_away_for_another_reason_gives_the_place_back()
    {
        await using var server = await TestServer.StartAsync(configure: static options =>
        {
            Known(options).ConnectionsPerAddress = 1;
            options.AllowedOrigins.Add("https://good.example");
        });
        using var client = server.CreateClient();
        foreach (var target in (string[])["channels=open:a&token=invalid", "channels=open:a", "channels=&token=1", "channels=user:2&token=1", "channels=open:a&token=1&timeout=x"])
        {
            using var poll = await client.GetAsync($"/poll?{target}");
            ((int)poll.StatusCode).ShouldBeInRange(400, 403, target);
            using var stream = target.Contains("timeout", StringComparison.Ordinal) ? null : await client.GetAsync($"/sse?{target}");
        }

        using var byCookie = new HttpRequestMessage(HttpMethod.Get, "/poll?channels=open:a");
        byCookie.Headers.Add("Cookie", "user=1");
        (await client.SendAsync(byCookie)).StatusCode.ShouldBe(HttpStatusCode.Forbidden, "a cookie without an origin");

        await using (var invalid = await TestSocket.RequestAsync(server, "/ws?token=invalid")) (await invalid.ReadCloseAsync()).ShouldBe("4401 invalid_token");
        await using var next = await OnceThereIsRoomAsync(server);
    }

    [Fact]
    public async Task The_place_of_a_client_that_has_not_said_who_it_is_counts()
    {
        await using var server = await TestServer.StartAsync(configure: static options => Known(options).ConnectionsPerAddress = 1);
        await using var silent = await TestSocket.RequestAsync(server, "/ws");
        silent.Status.ShouldBe(101);

        await using var refused = await TestSocket.RequestAsync(server, "/ws?token=1");

        (await refused.ReadCloseAsync()).ShouldStartWith("4429 ");
    }

    [Fact]
    public async Task A_proxy_that_does_not_say_for_whom_it_asks_is_no_client()
    {
        await using var server = await TestServer.StartAsync(configure: static options => options.ConnectionsPerAddress = 1);

        await using var first = await TestSocket.ConnectAsync(server, "1");
        await using var second = await TestSocket.ConnectAsync(server, "2");
    }

    [Fact]
    public async Task A_full_node_sends_away_before_it_looks_at_the_token()
    {
        await using var server = await TestServer.StartAsync(configure: static options => options.Connections = 1);
        await using var first = await TestSocket.ConnectAsync(server, "1");

        await RefusesAllAsync(server);

        first.Cut();
        await using var next = await OnceThereIsRoomAsync(server);
    }

    [Fact]
    public async Task More_handshakes_than_a_node_takes_in_a_second_are_sent_away_before_it_looks_at_the_token()
    {
        using var refusals = new Refusals();
        await using var server = await TestServer.StartAsync(configure: static options => options.HandshakesPerSecond = 1);
        using var client = server.CreateClient();
        for (var attempt = 0; attempt < 3; attempt++) (await client.GetAsync("/poll?channels=open:a&token=invalid")).Dispose();

        // Whoever is refused had a token that would have been told as invalid.
        await Eventually.IsTrueAsync(
            async () =>
            {
                using var first = await client.GetAsync("/poll?channels=open:a&token=invalid");
                using var second = await client.GetAsync("/poll?channels=open:a&token=invalid");
                return second.StatusCode == HttpStatusCode.ServiceUnavailable && second.Headers.RetryAfter is not null;
            },
            "two in a row are too many");
        refusals.Count("handshakes").ShouldBeGreaterThan(0);
    }

    [Theory]
    [InlineData("/poll?channels=open:a&token=invalid", "invalid_token")]
    [InlineData("/poll?channels=open:a&token=expired", "token_expired")]
    [InlineData("/poll?channels=open:a", "missing_token")]
    [InlineData("/poll?channels=nonsense&token=1", "malformed")]
    [InlineData("/poll?channels=user:2&token=1", "forbidden")]
    [InlineData("/sse?channels=user:2&token=1", "forbidden")]
    public async Task What_is_refused_is_counted_by_its_reason(string target, string reason)
    {
        await using var server = await TestServer.StartAsync();
        using var refusals = new Refusals();
        using var client = server.CreateClient();

        (await client.GetAsync(target)).Dispose();

        await Eventually.IsTrueAsync(() => refusals.Count(reason) > 0, reason);
    }

    [Fact]
    public async Task What_a_connection_does_wrong_is_counted_by_its_reason()
    {
        await using var server = await TestServer.StartAsync(new Realtime.RealtimeOptions { MessagesPerSecond = 1, MessageBurst = 3, SubscriptionsPerConnection = 1, MessageBytes = 1024 });
        using var refusals = new Refusals();
        await using var socket = await TestSocket.ConnectAsync(server, "1");
        foreach (var channel in (string[])["user:2", "room:a", "room:b", "room:c"])
            await socket.AskAsync($$"""{"type":"subscribe","id":1,"channel":"{{channel}}"}""");
        await using var large = await TestSocket.ConnectAsync(server, "2");
        await large.SendAsync(new string(' ', 1025));
        await using var malformed = await TestSocket.ConnectAsync(server, "3");
        await malformed.SendAsync("hello");
        await using var strange = await TestSocket.RequestAsync(server, "/ws?token=1", new Dictionary<string, string> { ["Origin"] = "https://evil.example" });

        foreach (var reason in (string[])["forbidden", "too_many_subscriptions", "messages", "too_large", "malformed", "origin"])
            await Eventually.IsTrueAsync(() => refusals.Count(reason) > 0, reason);
    }

    [Theory]
    [InlineData("203.0.113.7", "203.0.113.7", true)]
    [InlineData("203.0.113.7", "::ffff:203.0.113.7", true)]
    [InlineData("203.0.113.7", "203.0.113.8", false)]
    [InlineData("2001:db8:1:2::1", "2001:db8:1:2:ffff:ffff:ffff:ffff", true)]
    [InlineData("2001:db8:1:2::1", "2001:db8:1:3::1", false)]
    [InlineData("::203.0.113.7", "203.0.113.7", false)]
    public void One_client_has_an_address_of_the_fourth_or_a_network_of_the_sixth_version(string one, string other, bool isSame) =>
        (ClientAddress.Of(IPAddress.Parse(one)) == ClientAddress.Of(IPAddress.Parse(other))).ShouldBe(isSame);

    /// <summary>Clients on loopback are known to be clients if no proxy is there.</summary>
    private static NativeProtocolOptions Known(NativeProtocolOptions options)
    {
        options.TrustedProxies.Clear();
        return options;
    }

    private static async Task RefusesAllAsync(TestServer server)
    {
        await using var socket = await TestSocket.RequestAsync(server, "/ws?token=invalid");
        (await socket.ReadCloseAsync()).ShouldMatch("^4503 retry=[0-9]{4,5}$");

        using var client = server.CreateClient();
        using var stream = await client.GetAsync("/sse?channels=open:a&token=invalid");
        stream.StatusCode.ShouldBe(HttpStatusCode.OK);
        (await stream.Content.ReadAsStringAsync()).ShouldContain("\"code\":4503");
        using var poll = await client.GetAsync("/poll?channels=open:a&token=invalid");
        poll.StatusCode.ShouldBe(HttpStatusCode.ServiceUnavailable);
        poll.Headers.RetryAfter.ShouldNotBeNull();
    }

    private static async Task<string> SinceAsync(HttpClient client)
    {
        var answer = await client.GetStringAsync("/poll?channels=open:a&token=3");
        return System.Text.Json.JsonDocument.Parse(answer).RootElement.GetProperty("since").GetString()!;
    }

    private static async Task<TestSocket> OnceThereIsRoomAsync(TestServer server)
    {
        TestSocket? open = null;
        await Eventually.IsTrueAsync(
            async () =>
            {
                open = await TestSocket.RequestAsync(server, "/ws?token=9");
                var (opcode, _) = await open.ReadFrameAsync();
                if (opcode == FrameOpcode.Text) return true;
                await open.DisposeAsync();
                return false;
            },
            "there is room again");
        return open!;
    }

    /// <summary>Counts <c>tidings_refusals_total</c> of this process by reason.</summary>
    private sealed class Refusals : IDisposable
    {
        private readonly MeterListener _listener = new();
        private readonly Dictionary<string, long> _counts = [];

        public Refusals()
        {
            _listener.InstrumentPublished = static (instrument, listener) =>
            {
                if (instrument.Name == "tidings_refusals_total") listener.EnableMeasurementEvents(instrument);
            };
            _listener.SetMeasurementEventCallback<long>((_, value, tags, _) =>
            {
                var reason = (string)tags[0].Value!;
                lock (_counts) _counts[reason] = _counts.GetValueOrDefault(reason) + value;
            });
            _listener.Start();
        }

        public long Count(string reason)
        {
            lock (_counts) return _counts.GetValueOrDefault(reason);
        }

        public void Dispose() => _listener.Dispose();
    }
}
