using System.Net;
using Tidings.Testing;
using Tidings.Testing.Clients;
using Tidings.Testing.Servers;

namespace Tidings.Deploy.Tests.Nginx;

/// <summary>F22: nginx cuts what is silent for a minute. Our pings, comments and answers come sooner.</summary>
public sealed class QuietClientTests
{
    /// <summary>The long run takes the shipped timeouts; the quick one lowers them to just above the 25 s of our ping.</summary>
    private static readonly Dictionary<string, string> Timeouts = TestRun.IsLong ? [] : Lowered("30s");

    private static readonly TimeSpan Quiet = TimeSpan.FromSeconds(TestRun.Number(inQuickRun: 45, inLongRun: 600));

    [Fact]
    public async Task Clients_stay_connected_while_nothing_happens_for_longer_than_nginx_waits()
    {
        await using var server = await ServerProcess.StartAsync();
        await using var nginx = await NginxServer.StartAsync(new NginxSettings { Site = "compose.conf", Nodes = [server.Address], Changes = Timeouts });
        await using var impatient = await NginxServer.StartAsync(new NginxSettings { Site = "compose.conf", Nodes = [server.Address], Changes = Lowered("5s") });
        using var author = await Account.OfHostAsync(server, "quiet");

        // That a proxy really cuts, and that the clients would notice.
        await using var cut = await NativeClient.ConnectAsync(impatient.Address, author.Token);

        await using var socket = await NativeClient.ConnectAsync(nginx.Address, author.Token);
        await socket.SubscribeAsync(author.Creator);
        using var stream = await SseClient.OpenAsync(nginx.Address, author.Token, author.Creator);
        var streamed = stream.WaitForAsync(happened => happened.Type == "post_created", "the post on the stream", Quiet + Eventually.Patience);
        using var stop = new CancellationTokenSource();
        var polled = PollUntilPostAsync(nginx.Address, author, stop.Token);

        (await cut.WaitForCloseAsync(TimeSpan.FromSeconds(20))).Code.ShouldBe(WireClose.Broken);
        var over = Deadline.In(Quiet);
        await Eventually.HoldsAsync(() => over.IsOver || !socket.IsOpen || streamed.IsCompleted || polled.IsCompleted, "the quiet time is over", Quiet + Eventually.Patience);
        socket.IsOpen.ShouldBeTrue();
        streamed.IsCompleted.ShouldBeFalse();
        polled.IsCompleted.ShouldBeFalse();

        await author.PostAsync("at last");
        await socket.WaitForAsync(message => message.IsOfType("post_created"), "the post on the socket");
        await streamed;
        await polled;
        stream.Comments.ShouldBeGreaterThanOrEqualTo(2);
        await stop.CancelAsync();
    }

    private static async Task PollUntilPostAsync(Uri address, Account author, CancellationToken stop)
    {
        using var poll = new PollClient(address, author.Token, author.Creator);
        while (true)
        {
            var answer = await poll.PollAsync(cancellationToken: stop);
            answer.Status.ShouldBe(HttpStatusCode.OK);
            if (answer.Events.Any(happened => happened.IsOfType("post_created"))) return;
        }
    }

    private static Dictionary<string, string> Lowered(string time) => new()
    {
        ["proxy_read_timeout 60s"] = $"proxy_read_timeout {time}",
        ["proxy_send_timeout 60s"] = $"proxy_send_timeout {time}",
    };
}
