using System.Net;
using System.Net.WebSockets;
using Tidings.Testing;
using Tidings.Testing.Clients;
using Tidings.Testing.Servers;

namespace Tidings.Faults.Tests;

/// <summary>The limits at the door of a whole server, behind a proxy that says for whom it asks.</summary>
public sealed class ConnectionLimitTests
{
    [Theory]
    [InlineData("203.0.113.7", "203.0.113.7", "203.0.113.8")]
    [InlineData("2001:db8:1:2::1", "2001:db8:1:2:ffff::1", "2001:db8:1:3::1")]
    public async Task An_address_has_so_many_connections_and_others_have_theirs(string first, string same, string other)
    {
        await using var server = await ServerProcess.StartAsync(new ServerSettings { Settings = new Dictionary<string, string> { ["Limits:ConnectionsPerAddress"] = "2" } });
        using var one = await ConnectAsync(server, first);
        using var two = await ConnectAsync(server, same);

        (await RefusalOfAsync(server, same)).ShouldMatch("^4429 retry=[0-9]{4,5}$");
        using var elsewhere = await ConnectAsync(server, other);
        await using var unknown = await NativeClient.ConnectAsync(server.Address, UserToken.For("5", server.AuthSecret));
        (await server.GetMetricAsync("tidings_refusals_total", "connections_per_address")).ShouldBe(1);

        one.Abort();
        await Eventually.HoldsAsync(async () => (await RefusalOfAsync(server, first)).Length == 0, "there is room again");
    }

    [Fact]
    public async Task A_burst_of_handshakes_is_sent_away_before_any_signature()
    {
        await using var server = await ServerProcess.StartAsync(new ServerSettings { Settings = new Dictionary<string, string> { ["Limits:HandshakesPerSecond"] = "1" } });
        using var poll = new PollClient(server.Address, "not.a.token", "feed:42");

        var answers = await Task.WhenAll(Enumerable.Range(0, 20).Select(_ => poll.PollAsync()));

        answers.Count(answer => answer.Status == HttpStatusCode.ServiceUnavailable).ShouldBeGreaterThan(10);
        answers.ShouldAllBe(answer => answer.Status == HttpStatusCode.ServiceUnavailable || answer.Status == HttpStatusCode.Unauthorized);
        (await server.GetMetricAsync("tidings_refusals_total", "\"handshakes\"")).ShouldBeGreaterThan(10);
    }

    [Fact]
    public async Task Requests_over_the_rate_are_counted()
    {
        await using var server = await ServerProcess.StartAsync(new ServerSettings { Settings = new Dictionary<string, string> { ["Limits:RequestsPerSecondPerUser"] = "1" } });
        using var account = await Account.OfHostAsync(server, "busy");

        var statuses = new List<HttpStatusCode>();
        for (var number = 0; number < 20; number++)
        {
            using var answer = await account.Http.GetAsync("/api/auth/me");
            statuses.Add(answer.StatusCode);
        }

        var refused = statuses.Count(status => status == HttpStatusCode.TooManyRequests);
        refused.ShouldBeGreaterThan(0);
        (await server.GetMetricAsync("tidings_refusals_total", "\"requests\"")).ShouldBe(refused);
    }

    private static async Task<ClientWebSocket> ConnectAsync(ServerProcess server, string address)
    {
        var socket = new ClientWebSocket();
        socket.Options.SetRequestHeader("X-Forwarded-For", address);
        socket.Options.SetRequestHeader("Authorization", $"Bearer {UserToken.For("42", server.AuthSecret)}");
        using var deadline = new CancellationTokenSource(Eventually.Patience);
        await socket.ConnectAsync(new UriBuilder(server.Address) { Scheme = "ws", Path = "/ws" }.Uri, deadline.Token);
        return socket;
    }

    /// <summary>The code and the reason with which a client is sent away; empty if it is not.</summary>
    private static async Task<string> RefusalOfAsync(ServerProcess server, string address)
    {
        using var socket = await ConnectAsync(server, address);
        using var deadline = new CancellationTokenSource(Eventually.Patience);
        var first = await socket.ReceiveAsync(new byte[1024].AsMemory(), deadline.Token);
        return first.MessageType == WebSocketMessageType.Close ? $"{(int)socket.CloseStatus!} {socket.CloseStatusDescription}" : "";
    }
}
