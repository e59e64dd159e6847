using System.Net;
using System.Net.WebSockets;
using System.Text;
using Tidings.Testing;
using Tidings.Testing.Clients;
using Tidings.Testing.Network;
using Tidings.Testing.Servers;

namespace Tidings.Deploy.Tests.Nginx;

/// <summary>Marked tokens, wherever clients may put them and whatever goes wrong then, are looked for in everything that nginx and the server wrote.</summary>
public sealed class LoggedTokensTests
{
    private const string Canary = "canary-5c21e8";

    [Fact]
    public async Task No_token_of_a_query_a_header_or_a_referrer_is_ever_logged()
    {
        await using var server = await ServerProcess.StartAsync();
        var site = new NginxSettings { Site = "compose.conf", Nodes = [server.Address], Changes = new Dictionary<string, string> { ["tidings_addresses 512"] = "tidings_addresses 8" } };
        await using var nginx = await NginxServer.StartAsync(site);
        var marked = UserToken.For(Canary, server.AuthSecret);   // a good one, of which each part is a secret
        var canaries = new[] { Canary, marked.Split('.')[1], marked.Split('.')[2] };

        await using (var socket = await NativeClient.OpenAsync(nginx.Address, token: null, $"token={marked}"))
        {
            await socket.WaitForAsync(message => message.IsOfType("connected"), "connected by the token in the query");
            socket.Abort();
        }

        foreach (var token in (string[])[marked, $"{Canary}.not.good"])
            await AskEverywhereAsync(nginx.Address, token);

        // Odd requests.
        await SendRawAsync(nginx.Address, $"GET /ws?token={Canary} HTTP/9.9\r\n\r\n");
        await SendRawAsync(nginx.Address, $"GET?token={Canary} / HTTP/1.1\r\nHost: x\r\n\r\n");
        await SendRawAsync(nginx.Address, $"GET /%00?token={Canary} HTTP/1.1\r\nHost: x\r\n\r\n");
        await SendRawAsync(nginx.Address, $"GET http://x/a?token={Canary} HTTP/1.1\r\nHost: y\r\nReferer: ?{Canary}\r\n\r\n");
        await SendRawAsync(nginx.Address, $"GET /a?%74oken={Canary}&x=?{Canary} HTTP/1.1\r\nHost: x\r\nReferer: http://x/#token={Canary}\r\n\r\n");
        await SendRawAsync(nginx.Address, $"GET /long?token={Canary}{new string('x', 20_000)} HTTP/1.1\r\nHost: x\r\n\r\n");
        await SendRawAsync(nginx.Address, $"GET /head HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {Canary}{new string('x', 40_000)}\r\n\r\n");
        await SendRawAsync(nginx.Address, $"GET /head HTTP/1.1\r\nHost: x\r\nAuthorization Bearer {Canary}\r\n\r\n");
        await SendRawAsync(nginx.Address, $"POST /api/posts?access_token={Canary} HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999\r\n\r\n");

        // Too many at once.
        var streams = await Task.WhenAll(Enumerable.Range(0, 12).Select(_ => SseClient.OpenAsync(nginx.Address, token: null, "public:posts", query: $"&token={marked}")));
        streams.Count(stream => stream.Status == HttpStatusCode.TooManyRequests).ShouldBeGreaterThan(0);
        foreach (var stream in streams) stream.Dispose();

        // No node there.
        await server.KillAsync();
        await Eventually.HoldsAsync(async () => await StatusAsync(nginx.Address, "/api/posts", marked) == HttpStatusCode.BadGateway, "the node is gone");
        await AskEverywhereAsync(nginx.Address, marked);

        await nginx.StopAsync();
        var logs = nginx.AllLogs;
        foreach (var path in (string[])["GET /ws ", "GET /sse ", "GET /poll ", "GET /api/posts ", "\" 502 ", "\" 429 ", "\" 414 ", "\" 413 ", "\" 400 "]) logs.ShouldContain(path);
        foreach (var canary in canaries)
        {
            logs.ShouldNotContain(canary, Case.Insensitive);
            server.Output.Text.ShouldNotContain(canary, Case.Insensitive);
        }
    }

    private static async Task AskEverywhereAsync(Uri address, string token)
    {
        foreach (var name in (string[])["access_token", "token", "auth", "ticket", "sid"])
        {
            foreach (var path in (string[])["/sse?channels=public:posts&", "/poll?channels=public:posts&timeout=0&", "/api/posts?", "/nowhere?", "/ws?"])
                await StatusAsync(address, $"{path}{name}={token}", token);

            try
            {
                await using var socket = await NativeClient.OpenAsync(address, token: null, $"{name}={token}");
                socket.Abort();
            }
            catch (WebSocketException)
            {
                // No node is there.
            }
        }
    }

    private static async Task<HttpStatusCode> StatusAsync(Uri address, string path, string token)
    {
        using var http = new HttpClient(new SocketsHttpHandler { UseProxy = false, UseCookies = false });
        using var request = new HttpRequestMessage(HttpMethod.Get, new Uri(address, path));
        request.Headers.TryAddWithoutValidation("Authorization", $"Bearer {token}");
        request.Headers.TryAddWithoutValidation("Cookie", $"tidings_session={token}");
        request.Headers.TryAddWithoutValidation("Referer", $"https://app.example/page?token={token}#{token}");
        using var deadline = new CancellationTokenSource(Eventually.Patience);
        using var answer = await http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, deadline.Token);
        return answer.StatusCode;
    }

    private static async Task SendRawAsync(Uri address, string request)
    {
        using var raw = await RawConnection.OpenAsync(address);
        await raw.SendAsync(Encoding.Latin1.GetBytes(request));
        raw.EndSending();
        await raw.ReadToEndAsync();
    }
}
