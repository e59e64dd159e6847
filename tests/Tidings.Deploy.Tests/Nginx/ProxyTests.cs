using System.Net;
using System.Net.Http.Json;
using System.Net.Sockets;
using System.Net.WebSockets;
using System.Text;
using System.Text.Json;
using Tidings.Testing;
using Tidings.Testing.Clients;
using Tidings.Testing.Network;
using Tidings.Testing.Servers;

namespace Tidings.Deploy.Tests.Nginx;

/// <summary>Everything that clients do goes through the shipped nginx configuration.</summary>
public sealed class ProxyTests(Site site) : IClassFixture<Site>
{
    [Fact]
    public async Task A_post_reaches_a_socket_a_stream_and_a_poll_through_nginx()
    {
        using var author = await Account.OfHostAsync(site.Server, "through");
        using var http = Site.Through(site.Nginx, author);
        await using var socket = await NativeClient.ConnectAsync(site.Nginx.Address, author.Token);
        await socket.SubscribeAsync(author.Creator);
        using var stream = await SseClient.OpenAsync(site.Nginx.Address, author.Token, author.Creator);
        stream.Status.ShouldBe(HttpStatusCode.OK);
        using var polling = new PollClient(site.Nginx.Address, author.Token, author.Creator);
        await polling.PollAsync(timeoutSeconds: 0);
        var poll = polling.PollAsync();

        using var answer = await http.PostAsJsonAsync("/api/posts", new { content = "through nginx" });
        answer.StatusCode.ShouldBe(HttpStatusCode.Created);

        await socket.WaitForAsync(message => message.IsOfType("post_created"), "the post on the socket");
        (await stream.WaitForAsync(happened => happened.Type == "post_created", "the post on the stream")).Json.Text("channel").ShouldBe(author.Creator);
        (await poll).Events.ShouldContain(happened => happened.IsOfType("post_created"));
    }

    [Fact]
    public async Task An_event_stream_is_not_buffered()
    {
        using var author = await Account.OfHostAsync(site.Server, "unbuffered");
        using var stream = await SseClient.OpenAsync(site.Nginx.Address, author.Token, author.Creator);
        var seen = new List<SseEvent>();
        using var end = new CancellationTokenSource(Eventually.Patience);
        var reading = Task.Run(async () =>
        {
            await foreach (var happened in stream.ReadAsync(end.Token))
            {
                lock (seen) seen.Add(happened);
                if (happened.Type == "post_created") return;
            }
        });

        await author.PostAsync("one small event, far below any buffer");
        await reading;   // while the stream stays open
        lock (seen) seen.ShouldContain(happened => happened.Type == "post_created");
    }

    [Fact]
    public async Task With_TLS_requests_come_by_HTTP_2_and_sockets_by_HTTP_1()
    {
        using var author = await Account.OfHostAsync(site.Server, "encrypted");
        using var http = new HttpClient(new SocketsHttpHandler { UseProxy = false, SslOptions = { TargetHost = "tidings.example", RemoteCertificateValidationCallback = static (_, shown, _, _) => shown?.Subject == "CN=tidings.example" } })
        {
            BaseAddress = site.TlsNginx.TlsAddress,
            DefaultRequestVersion = HttpVersion.Version20,
            DefaultVersionPolicy = HttpVersionPolicy.RequestVersionExact,
        };
        http.DefaultRequestHeaders.Authorization = new("Bearer", author.Token);
        using var answer = await http.GetAsync("/api/auth/me");
        answer.StatusCode.ShouldBe(HttpStatusCode.OK);
        answer.Headers.GetValues("Strict-Transport-Security").ShouldHaveSingleItem();

        using var socket = new ClientWebSocket();
        socket.Options.RemoteCertificateValidationCallback = static (_, shown, _, _) => shown?.Subject == "CN=tidings.example";
        socket.Options.SetRequestHeader("Authorization", $"Bearer {author.Token}");
        socket.Options.SetRequestHeader("Origin", $"https://{site.TlsNginx.TlsAddress.Authority}");   // its own, as the server must know
        using var deadline = new CancellationTokenSource(Eventually.Patience);
        await socket.ConnectAsync(new UriBuilder(site.TlsNginx.TlsAddress) { Scheme = "wss", Path = "/ws" }.Uri, deadline.Token);
        var bytes = new byte[4_096];
        var first = await socket.ReceiveAsync(bytes.AsMemory(), deadline.Token);
        JsonSerializer.Deserialize<JsonElement>(bytes.AsSpan(0, first.Count)).IsOfType("connected").ShouldBeTrue();
    }

    [Fact]
    public async Task Without_TLS_clients_are_sent_to_where_it_is()
    {
        using var account = await Account.OfHostAsync(site.Server, "redirected");
        using var http = Site.Through(site.TlsNginx, account);
        using var request = new HttpRequestMessage(HttpMethod.Post, "/api/posts?a=b") { Headers = { Host = "tidings.example" } };
        using var answer = await http.SendAsync(request);
        answer.StatusCode.ShouldBe(HttpStatusCode.PermanentRedirect);
        answer.Headers.Location.ShouldBe(new Uri("https://tidings.example/api/posts?a=b"));
    }

    [Fact]
    public async Task A_page_of_this_site_may_connect_and_one_of_another_may_not_whatever_it_says_of_the_host()
    {
        using var account = await Account.OfHostAsync(site.Server, "origins");
        (await StatusOfHandshakeAsync($"http://{site.Nginx.Address.Authority}", forwardedHost: null)).ShouldBe(101);
        (await StatusOfHandshakeAsync($"http://{site.Nginx.Address.Authority}", forwardedHost: "evil.example")).ShouldBe(101);
        (await StatusOfHandshakeAsync("http://evil.example", forwardedHost: null)).ShouldBe(403);
        (await StatusOfHandshakeAsync("http://evil.example", forwardedHost: "evil.example")).ShouldBe(403);

        async Task<int> StatusOfHandshakeAsync(string origin, string? forwardedHost)
        {
            using var raw = await RawConnection.OpenAsync(site.Nginx.Address);
            await raw.SendAsync(Encoding.ASCII.GetBytes(
                $"GET /ws HTTP/1.1\r\nHost: {site.Nginx.Address.Authority}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n" +
                $"Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nOrigin: {origin}\r\nAuthorization: Bearer {account.Token}\r\n" +
                (forwardedHost is null ? "" : $"X-Forwarded-Host: {forwardedHost}\r\nForwarded: host={forwardedHost}\r\n") + "\r\n"));
            return int.Parse((await raw.ReadAnswerAsync()).Split(' ')[1], System.Globalization.CultureInfo.InvariantCulture);
        }
    }

    [Fact]
    public async Task The_server_counts_by_the_clients_addresses_and_not_by_what_clients_say_of_them()
    {
        await using var server = await ServerProcess.StartAsync(new ServerSettings
        {
            Settings = new Dictionary<string, string> { ["TrustedProxies"] = "127.0.0.1", ["Limits:RequestsPerSecondPerAddress"] = "1" },
        });
        await using var nginx = await NginxServer.StartAsync(new NginxSettings { Site = "compose.conf", Nodes = [server.Address] });
        using var greedy = From("127.0.0.2");
        using var modest = From("127.0.0.3");

        var last = HttpStatusCode.OK;
        for (var i = 0; i < 50 && last == HttpStatusCode.OK; i++) last = await AskAsync(greedy, i);
        last.ShouldBe(HttpStatusCode.TooManyRequests);
        (await AskAsync(modest, 0)).ShouldBe(HttpStatusCode.OK);

        HttpClient From(string address)
        {
            var handler = new SocketsHttpHandler
            {
                UseProxy = false,
                ConnectCallback = async (context, cancellationToken) =>
                {
                    var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
                    socket.Bind(new IPEndPoint(IPAddress.Parse(address), 0));
                    await socket.ConnectAsync(context.DnsEndPoint, cancellationToken);
                    return new NetworkStream(socket, ownsSocket: true);
                },
            };
            return new HttpClient(handler) { BaseAddress = nginx.Address };
        }

        static async Task<HttpStatusCode> AskAsync(HttpClient http, int number)
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, "/api/posts");
            request.Headers.Add("X-Forwarded-For", $"203.0.113.{number}");
            request.Headers.Add("X-Real-IP", $"203.0.113.{number}");
            using var answer = await http.SendAsync(request);
            return answer.StatusCode;
        }
    }

    [Theory]
    [InlineData("/metrics")]
    [InlineData("/health/ready")]
    [InlineData("/health/live")]
    public async Task What_is_for_operators_does_not_go_out(string path)
    {
        using var http = new HttpClient(new SocketsHttpHandler { UseProxy = false }) { BaseAddress = site.Nginx.Address };
        http.DefaultRequestHeaders.Authorization = new("Bearer", site.Server.AppSecret);
        using var hidden = await http.GetAsync(path);
        hidden.StatusCode.ShouldBe(HttpStatusCode.NotFound);
        using var direct = await http.GetAsync(new Uri(site.Server.Address, path));
        direct.StatusCode.ShouldBe(HttpStatusCode.OK);
    }

    [Fact]
    public async Task A_body_that_is_too_large_is_refused_with_the_servers_own_answer()
    {
        using var account = await Account.OfHostAsync(site.Server, "large");
        using var http = Site.Through(site.Nginx, account);
        using var answer = await http.PostAsync("/api/posts", new StringContent($$"""{"content":"{{new string('x', 1_200_000)}}"}""", Encoding.UTF8, "application/json"));
        answer.StatusCode.ShouldBe(HttpStatusCode.RequestEntityTooLarge);
        answer.Content.Headers.ContentType!.MediaType.ShouldBe("application/problem+json");
    }
}
