using System.Net;
using System.Net.Http.Json;
using System.Net.WebSockets;
using System.Text;
using System.Text.Json;
using Tidings.Testing;
using Tidings.Testing.Clients;
using Tidings.Testing.Servers;

namespace Tidings.Library.Tests;

/// <summary>The sample as it is in the repository, run as its reader would; the browser's side of it is in the browser's tests.</summary>
public sealed class ChatSampleTests
{
    [Fact]
    public void It_has_about_30_lines() => File.ReadLines(Path.Combine(Repository.Root, "samples", "Chat", "Program.cs")).Count().ShouldBeLessThanOrEqualTo(32);

    [Fact]
    public async Task Who_has_signed_in_by_cookie_hears_what_is_said_and_the_app_stops_in_order()
    {
        await using var app = await AppProcess.StartChatAsync();
        (await app.Http.GetStringAsync(new Uri("/", UriKind.Relative))).ShouldContain("<title>Chat</title>");

        using var refused = await app.Http.GetAsync(new Uri("/poll?channels=room:1", UriKind.Relative));
        refused.StatusCode.ShouldBe(HttpStatusCode.Unauthorized);

        using var signedIn = await app.Http.PostAsync(new Uri("/login?name=ann", UriKind.Relative), null);
        signedIn.StatusCode.ShouldBe(HttpStatusCode.OK);
        using var socket = new ClientWebSocket();
        socket.Options.SetRequestHeader("Origin", app.Address.GetLeftPart(UriPartial.Authority));
        socket.Options.SetRequestHeader("Cookie", signedIn.Headers.GetValues("Set-Cookie").Single().Split(';')[0]);
        using var deadline = new CancellationTokenSource(Eventually.Patience);
        await socket.ConnectAsync(new UriBuilder(app.Address) { Scheme = "ws", Path = "/ws" }.Uri, deadline.Token);
        await SendAsync("""{"type":"subscribe","id":1,"channel":"room:1"}""");
        await ReceiveAsync("subscribed");

        using var said = await app.Http.PostAsJsonAsync(new Uri("/rooms/1/messages", UriKind.Relative), new { text = "Hello" });
        said.StatusCode.ShouldBe(HttpStatusCode.OK);
        (await ReceiveAsync("message")).GetProperty("data").GetRawText().ShouldBe("""{"from":"ann","text":"Hello"}""");

        await SendAsync("""{"type":"presence","id":2,"channel":"room:1"}""");
        (await ReceiveAsync("presence")).GetProperty("members")[0].Text("userId").ShouldBe("ann");
        await SendAsync("""{"type":"subscribe","id":3,"channel":"staff:1"}""");
        (await ReceiveAsync("error")).Text("code").ShouldBe("forbidden");

        var stopped = app.StopAsync();
        (await socket.ReceiveAsync(new byte[1024], deadline.Token)).CloseStatus.ShouldBe((WebSocketCloseStatus)1001);
        await socket.CloseOutputAsync(WebSocketCloseStatus.NormalClosure, null, deadline.Token);
        (await stopped).ShouldBe(0);

        Task SendAsync(string text) => socket.SendAsync(Encoding.UTF8.GetBytes(text), WebSocketMessageType.Text, endOfMessage: true, deadline.Token);

        async Task<JsonElement> ReceiveAsync(string type)
        {
            var buffer = new byte[16 * 1024];
            while (true)
            {
                var received = await socket.ReceiveAsync(buffer, deadline.Token);
                var message = JsonSerializer.Deserialize<JsonElement>(buffer.AsSpan(0, received.Count));
                if (message.IsOfType(type)) return message;
            }
        }
    }
}
