using System.Net;
using System.Text;
using System.Text.Json;
using Tidings.Testing;
using Tidings.Testing.Clients;
using Tidings.Testing.Servers;

namespace Tidings.Cluster.Tests;

/// <summary>Socket.IO clients of two nodes behind nginx: the socket comes back on the other node, and polling stays at one.</summary>
public sealed class SocketIoTests
{
    [Fact]
    public async Task A_socket_comes_back_on_the_other_node_with_all_it_missed()
    {
        await using var cluster = await Cluster.StartAsync();
        using var author = await Account.OfHostAsync(cluster.Nodes[0].Server, "author");
        using var reader = await Account.OfHostAsync(cluster.Nodes[0].Server, "reader");
        await author.PostAsync("the first");

        await using var first = await SocketIoClient.ConnectAsync(cluster.Nodes[0].Server.Address, reader.Token);
        await first.SubscribeAsync(author.Creator);
        await author.PostAsync("seen");
        await first.ReadUntilAsync(static client => Posts(client).Count == 1);

        await cluster.Nodes[0].Server.KillAsync();
        using var there = await Account.OfHostAsync(cluster.Nodes[1].Server, "author");
        for (var number = 0; number < 5; number++) await there.PostAsync($"missed {number}");

        await using var second = await SocketIoClient.ConnectAsync(cluster.Nodes[1].Server.Address, reader.Token, first);
        (second.Sid, second.Pid).ShouldBe((first.Sid, first.Pid));
        Posts(second).ShouldBe(["missed 0", "missed 1", "missed 2", "missed 3", "missed 4"]);
        await there.PostAsync("live");
        await second.ReadUntilAsync(static client => Posts(client).Count == 6);
    }

    [Fact]
    public async Task A_polling_session_stays_at_its_node_behind_nginx()
    {
        await using var cluster = await Cluster.StartAsync();
        await using var nginx = await NginxServer.StartAsync(
            new NginxSettings { Site = "compose.conf", Nodes = [.. cluster.Nodes.Select(static node => node.Server.Address)] });
        using var reader = await Account.OfHostAsync(cluster.Nodes[0].Server, "reader");
        using var http = new HttpClient(new SocketsHttpHandler { UseProxy = false }) { BaseAddress = nginx.Address };

        for (var session = 0; session < 5; session++)
        {
            const string path = "/socket.io/?EIO=4&transport=polling";
            var opened = await http.GetStringAsync(path);
            using var handshake = JsonDocument.Parse(opened.AsMemory(1));
            var mine = $"{path}&sid={handshake.RootElement.GetProperty("sid").GetString()}";
            await PostAsync(mine, $$"""40{"token":"{{reader.Token}}"}""");
            var seen = "";
            while (!seen.Contains("\"connected\"", StringComparison.Ordinal)) seen += await http.GetStringAsync(mine);
            for (var round = 0; round < 5; round++)
            {
                await PostAsync(mine, $"42{round}[\"history\",\"feed:reader\"]");
                var answer = "";
                while (!answer.Contains($"43{round}[", StringComparison.Ordinal)) answer += await http.GetStringAsync(mine); // events may come before it
            }

            await PostAsync(mine, "1");
        }

        async Task PostAsync(string url, string packet)
        {
            using var content = new StringContent(packet, Encoding.UTF8, "text/plain");
            using var answer = await http.PostAsync(url, content);
            answer.StatusCode.ShouldBe(HttpStatusCode.OK);
        }
    }

    [Fact]
    public async Task A_WebSocket_through_nginx_comes_back_at_any_node()
    {
        await using var cluster = await Cluster.StartAsync();
        await using var nginx = await NginxServer.StartAsync(
            new NginxSettings { Site = "compose.conf", Nodes = [.. cluster.Nodes.Select(static node => node.Server.Address)] });
        using var reader = await Account.OfHostAsync(cluster.Nodes[0].Server, "reader");
        using var author = await Account.OfHostAsync(cluster.Nodes[1].Server, "author");
        await author.PostAsync("the first");

        var client = await SocketIoClient.ConnectAsync(nginx.Address, reader.Token);
        await client.SubscribeAsync(author.Creator);
        for (var round = 0; round < 6; round++)
        {
            client.Cut();
            await author.PostAsync($"missed {round}");
            var next = await SocketIoClient.ConnectAsync(nginx.Address, reader.Token, client);
            next.Sid.ShouldBe(client.Sid);
            await next.ReadUntilAsync(static read => Posts(read).Count > 0);
            Posts(next).ShouldBe([$"missed {round}"]);
            await client.DisposeAsync();
            client = next;
        }

        await client.DisposeAsync();
    }

    private static IReadOnlyList<string> Posts(SocketIoClient client) =>
        [.. client.Events.Where(static known => known.Name == "post_created").Select(static known => known.Value.GetProperty("post").GetProperty("content").GetProperty("text").GetString()!)];
}
