using System.Net;
using System.Net.WebSockets;
using Tidings.Testing;
using Tidings.Testing.Clients;
using Tidings.Testing.Servers;

namespace Tidings.Faults.Tests;

/// <summary>A server that is told by which names it may be reached, which ASP.NET Core sees to before any of our endpoints.</summary>
public sealed class AllowedHostsTests
{
    [Fact]
    public async Task A_WebSocket_under_another_name_is_refused_as_every_request_is()
    {
        await using var server = await ServerProcess.StartAsync(new ServerSettings
        {
            Variables = new Dictionary<string, string> { ["AllowedHosts"] = "127.0.0.1;app.example" },
        });
        var token = UserToken.For("5", server.AuthSecret);
        await using var client = await NativeClient.ConnectAsync(server.Address, token);

        using var stranger = new ClientWebSocket();
        stranger.Options.SetRequestHeader("Host", "other.example");
        stranger.Options.SetRequestHeader("Authorization", $"Bearer {token}");
        stranger.Options.CollectHttpResponseDetails = true;
        using var deadline = new CancellationTokenSource(Eventually.Patience);
        await Should.ThrowAsync<WebSocketException>(() =>
            stranger.ConnectAsync(new UriBuilder(server.Address) { Scheme = "ws", Path = "/ws" }.Uri, deadline.Token));
        stranger.HttpStatusCode.ShouldBe(HttpStatusCode.BadRequest);
    }
}
