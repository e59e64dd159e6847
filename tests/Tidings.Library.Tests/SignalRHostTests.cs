using System.Net;
using System.Net.Http.Headers;
using System.Net.WebSockets;
using System.Text;
using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.SignalR;
using Microsoft.Extensions.DependencyInjection;
using Tidings.Library.Tests.Support;
using Tidings.Protocols;

namespace Tidings.Library.Tests;

/// <summary>SignalR clients of somebody's app that has Tidings in it.</summary>
public sealed class SignalRHostTests
{
    [Fact]
    public async Task A_hub_of_the_apps_own_and_ours_in_a_group_do_not_know_of_each_other()
    {
        await using var app = await HostApp.StartAsync(services: static services => services.AddSignalR(), map: static app =>
        {
            app.MapHub<OwnHub>("/hubs/own");
            app.MapGroup("/live").MapTidings().RequireAuthorization();
        });
        (await NegotiateAsync(app, "/hubs/own", null)).StatusCode.ShouldBe(HttpStatusCode.OK);
        (await NegotiateAsync(app, "/live/hubs/tidings", null)).StatusCode.ShouldBe(HttpStatusCode.Unauthorized);
        (await NegotiateAsync(app, "/hubs/tidings", await app.SignInAsync("ann"))).StatusCode.ShouldBe(HttpStatusCode.NotFound);
        (await NegotiateAsync(app, "/live/hubs/tidings", await app.SignInAsync("ann"))).StatusCode.ShouldBe(HttpStatusCode.OK);
        (await AskAsync(app, "/live/hubs/tidings", "Subscribe")).ShouldContain("\"result\":{\"channel\":\"room:1\"");
        (await AskAsync(app, "/hubs/own", "Greet")).ShouldContain("\"result\":\"hello room:1\"");
    }

    [Fact]
    public async Task Nothing_that_the_app_puts_before_the_endpoints_lets_anybody_past_our_door()
    {
        await using var app = await HostApp.StartAsync(map: static app => app.MapGroup("")
            .AddEndpointFilter(static (context, next) => next(context))
            .MapTidings());
        using var answer = await NegotiateAsync(app, "/hubs/tidings", null);
        answer.StatusCode.ShouldBe(HttpStatusCode.Unauthorized);
        JsonDocument.Parse(await answer.Content.ReadAsStringAsync(TestContext.Current.CancellationToken)).RootElement.GetProperty("code").GetString().ShouldBe("missing_token");
        (await AskAsync(app, "/hubs/tidings", "Subscribe")).ShouldContain("\"result\"");
    }

    [Fact]
    public async Task When_the_app_stops_a_client_is_told_when_to_come_back()
    {
        await using var app = await HostApp.StartAsync();
        using var socket = await ConnectAsync(app, "/hubs/tidings");
        await SendAsync(socket, """{"protocol":"json","version":1}""");
        await ReadUntilAsync(socket, "connectionId");

        var stopping = Task.Run(app.StopAsync, TestContext.Current.CancellationToken); // it holds its caller up until the goodbyes are out

        (await ReadUntilAsync(socket, "\"type\":7")).ShouldMatch("\"error\":\"1001 retry=\\d+\",\"allowReconnect\":true");
        await socket.CloseAsync(WebSocketCloseStatus.NormalClosure, null, TestContext.Current.CancellationToken);
        await stopping.WaitAsync(TimeSpan.FromSeconds(10), TestContext.Current.CancellationToken);
    }

    private static async Task<HttpResponseMessage> NegotiateAsync(HostApp app, string hub, string? token)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, $"{hub}/negotiate?negotiateVersion=1");
        if (token is not null) request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", token);
        return await app.Http.SendAsync(request);
    }

    private static async Task<string> AskAsync(HostApp app, string hub, string method)
    {
        using var socket = await ConnectAsync(app, hub);
        await SendAsync(socket, """{"protocol":"json","version":1}""");
        await SendAsync(socket, $$"""{"type":1,"invocationId":"call","target":"{{method}}","arguments":["room:1"]}""");
        return await ReadUntilAsync(socket, "\"call\"");
    }

    private static async Task<ClientWebSocket> ConnectAsync(HostApp app, string hub)
    {
        var socket = new ClientWebSocket();
        socket.Options.SetRequestHeader("Authorization", $"Bearer {await app.SignInAsync("ann")}");
        await socket.ConnectAsync(new Uri($"ws://{app.Address.Authority}{hub}"), TestContext.Current.CancellationToken);
        return socket;
    }

    private static Task SendAsync(ClientWebSocket socket, string record) =>
        socket.SendAsync(Encoding.UTF8.GetBytes(record + "\u001e"), WebSocketMessageType.Text, true, TestContext.Current.CancellationToken);

    private static async Task<string> ReadUntilAsync(ClientWebSocket socket, string part)
    {
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(10), TimeProvider.System);
        var text = new StringBuilder();
        var buffer = new byte[4_096];
        while (!text.ToString().Contains(part, StringComparison.Ordinal))
        {
            var received = await socket.ReceiveAsync(buffer, limit.Token);
            received.MessageType.ShouldBe(WebSocketMessageType.Text, text.ToString());
            text.Append(Encoding.UTF8.GetString(buffer, 0, received.Count));
        }

        return text.ToString();
    }

#pragma warning disable CA1812 // The framework makes it.
    private sealed class OwnHub : Hub
#pragma warning restore CA1812
    {
#pragma warning disable CA1822 // Hub methods are of an instance.
        public string Greet(string whom) => $"hello {whom}";
#pragma warning restore CA1822
    }
}
