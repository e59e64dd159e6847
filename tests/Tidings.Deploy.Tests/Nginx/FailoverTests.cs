using System.Net;
using System.Net.Http.Json;
using System.Net.Sockets;
using System.Text;
using Tidings.Testing;
using Tidings.Testing.Clients;
using Tidings.Testing.Servers;

namespace Tidings.Deploy.Tests.Nginx;

/// <summary>What nginx does with requests when a node is restarted: it repeats what may be repeated, and nothing else.</summary>
public sealed class FailoverTests
{
    /// <summary>So that nginx keeps trying the node that is away, and the tests do not depend on whose turn it is.</summary>
    private static readonly Dictionary<string, string> KeepTrying = new() { ["max_fails=1 fail_timeout=1s"] = "max_fails=0" };

    [Fact]
    public async Task A_node_that_refuses_connections_is_noticed_by_nobody()
    {
        await using var server = await ServerProcess.StartAsync();
        var away = new Uri($"http://127.0.0.1:{FreePort.Take()}");
        await using var nginx = await NginxServer.StartAsync(new NginxSettings { Site = "compose.conf", Nodes = [away, server.Address], Changes = KeepTrying });
        using var author = await Account.OfHostAsync(server, "unnoticed");
        using var http = Site.Through(nginx, author);

        for (var i = 0; i < 10; i++)
        {
            using var read = await http.GetAsync("/api/posts");
            read.StatusCode.ShouldBe(HttpStatusCode.OK);
            using var written = await http.PostAsJsonAsync("/api/posts", new { content = $"without a key {i}" });
            written.StatusCode.ShouldBe(HttpStatusCode.Created);
            await using var socket = await NativeClient.ConnectAsync(nginx.Address, author.Token);
            using var stream = await SseClient.OpenAsync(nginx.Address, author.Token, author.Creator);
            stream.Status.ShouldBe(HttpStatusCode.OK);
        }

        (await author.GetAllPostsAsync($"creatorId={author.Id}")).Count.ShouldBe(10);
        nginx.AllLogs.ShouldContain($"{away.Authority}, {server.Address.Authority}", customMessage: "it was never tried");
    }

    [Fact]
    public async Task A_request_that_broke_off_is_repeated_if_it_is_safe_to_and_a_post_only_with_a_key()
    {
        await using var server = await ServerProcess.StartAsync();
        using var broken = new BrokenNode();
        await using var nginx = await NginxServer.StartAsync(new NginxSettings { Site = "compose.conf", Nodes = [broken.Address, server.Address], Changes = KeepTrying });
        using var author = await Account.OfHostAsync(server, "repeated");
        using var http = Site.Through(nginx, author);

        for (var i = 0; i < 10; i++)
        {
            using var read = await http.GetAsync("/api/posts");
            read.StatusCode.ShouldBe(HttpStatusCode.OK);
        }

        var afterReads = broken.Requests;
        afterReads.ShouldBeGreaterThan(0);

        for (var i = 0; i < 10; i++) (await PostAsync($"with a key {i}", key: $"key-{i}")).ShouldBe(HttpStatusCode.Created);
        var afterKeyed = broken.Requests;
        afterKeyed.ShouldBeGreaterThan(afterReads);
        (await author.GetAllPostsAsync($"creatorId={author.Id}")).Count.ShouldBe(10);

        var answers = new List<HttpStatusCode>();
        for (var i = 0; i < 10; i++) answers.Add(await PostAsync($"without a key {i}", key: null));
        answers.Count(status => status == HttpStatusCode.BadGateway).ShouldBe(broken.Requests - afterKeyed);
        answers.ShouldContain(HttpStatusCode.BadGateway);
        answers.ShouldAllBe(status => status == HttpStatusCode.BadGateway || status == HttpStatusCode.Created);
        (await author.GetAllPostsAsync($"creatorId={author.Id}")).Count.ShouldBe(10 + answers.Count(status => status == HttpStatusCode.Created));

        async Task<HttpStatusCode> PostAsync(string content, string? key)
        {
            using var request = new HttpRequestMessage(HttpMethod.Post, "/api/posts") { Content = JsonContent.Create(new { content }) };
            if (key is not null) request.Headers.Add("Idempotency-Key", key);
            using var answer = await http.SendAsync(request);
            return answer.StatusCode;
        }
    }

    [Fact]
    public async Task After_a_reload_new_requests_go_to_the_new_nodes_and_open_sockets_stay()
    {
        await using var first = await ServerProcess.StartAsync();
        await using var second = await ServerProcess.StartAsync();
        await using var nginx = await NginxServer.StartAsync(new NginxSettings { Site = "compose.conf", Nodes = [first.Address] });
        using var onFirst = await Account.OfHostAsync(first, "stays");
        using var onSecond = await Account.OfHostAsync(second, "comes");
        await using var socket = await NativeClient.ConnectAsync(nginx.Address, onFirst.Token);
        await socket.SubscribeAsync(onFirst.Creator);

        await nginx.ReloadAsync([second.Address]);

        using var http = Site.Through(nginx, onSecond);
        await Eventually.HoldsAsync(
            async () =>
            {
                using var answer = await http.GetAsync("/api/auth/me");
                return answer.StatusCode == HttpStatusCode.OK;   // only the second knows its secret
            },
            "the second node answers");
        await onFirst.PostAsync("to a socket of the time before");
        await socket.WaitForAsync(message => message.IsOfType("post_created"), "the post on the old socket");
    }

    /// <summary>Takes connections and requests, and hangs up instead of answering, as a node does that is killed.</summary>
    private sealed class BrokenNode : IDisposable
    {
        private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
        private int _requests;

        public BrokenNode()
        {
            _listener.Start();
            Address = new Uri($"http://{_listener.LocalEndpoint}");
            _ = ServeAsync();
        }

        public Uri Address { get; }

        public int Requests => Volatile.Read(ref _requests);

        public void Dispose() => _listener.Dispose();

        private async Task ServeAsync()
        {
            try
            {
                while (true)
                {
                    using var socket = await _listener.AcceptSocketAsync();
                    var head = new StringBuilder();
                    var buffer = new byte[4_096];
                    while (!head.ToString().Contains("\r\n\r\n", StringComparison.Ordinal))
                    {
                        var count = await socket.ReceiveAsync(buffer.AsMemory());
                        if (count == 0) break;
                        head.Append(Encoding.Latin1.GetString(buffer, 0, count));
                    }

                    Interlocked.Increment(ref _requests);
                }
            }
            catch (SocketException)
            {
                // The test is over.
            }
            catch (ObjectDisposedException)
            {
                // The same.
            }
        }
    }
}
