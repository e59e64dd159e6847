using System.Text.Json.Nodes;
using Tidings.Testing;
using Tidings.Testing.Clients;
using Tidings.Testing.Servers;

namespace Tidings.Cluster.Tests;

/// <summary>F25 over nodes: what is taken back by one node is gone on the other, by the bus at once, and by the database without it.</summary>
public sealed class RevocationTests
{
    private const string Channel = "ticket:7";

    private static readonly Dictionary<string, string> WithTickets = new() { ["Channels:ticket:Access"] = "token" };

    [Theory]
    [InlineData(true, 2)]
    [InlineData(false, 10)]
    public async Task A_revocation_on_one_node_ends_the_subscription_on_the_other_in_time(bool hasBus, int seconds)
    {
        await using var cluster = await Cluster.StartAsync(2, Bus.Redis, WithTickets);
        using var backend = new Backend(cluster.Nodes[0].Server);
        await using var reader = await NativeClient.ConnectAsync(cluster.Nodes[1].Server.Address, UserToken.For("reader", cluster.Nodes[1].Server.AuthSecret));
        var ticket = backend.SubscriptionToken("reader", Channel);
        (await SubscribeAsync(reader, ticket)).Text("type").ShouldBe("subscribed");
        if (!hasBus) await cluster.Redis!.KillAsync();

        await backend.PostAsync("/subscriptions/revoke", new { userId = "reader", channel = Channel });

        (await reader.WaitForAsync(message => message.IsOfType("unsubscribed"), "the end of it", TimeSpan.FromSeconds(seconds))).Text("reason").ShouldBe("access_revoked");
        (await SubscribeAsync(reader, ticket)).Text("code").ShouldBe("forbidden");
    }

    [Fact]
    public async Task A_user_is_disconnected_on_all_nodes()
    {
        await using var cluster = await Cluster.StartAsync();
        using var backend = new Backend(cluster.Nodes[0].Server);
        var clients = new List<NativeClient>();
        foreach (var node in cluster.Nodes) clients.Add(await NativeClient.ConnectAsync(node.Server.Address, UserToken.For("42", node.Server.AuthSecret)));
        await using var other = await NativeClient.ConnectAsync(cluster.Nodes[1].Server.Address, UserToken.For("4", cluster.Nodes[1].Server.AuthSecret));

        await backend.PostAsync("/users/42/disconnect", new { });

        foreach (var client in clients) (await client.WaitForCloseAsync()).ShouldBe(new WireClose(4403, "disconnected"));
        other.IsOpen.ShouldBeTrue();
        foreach (var client in clients) await client.DisposeAsync();
    }

    [Theory]
    [InlineData(true, 2)]
    [InlineData(false, 10)]
    public async Task A_user_who_is_suspended_on_one_node_is_sent_away_from_the_other_in_time_and_opens_nothing_there(bool hasBus, int seconds)
    {
        await using var cluster = await Cluster.StartAsync();
        var (one, other) = (cluster.Nodes[0].Server, cluster.Nodes[1].Server);
        using var user = await Account.OfHostAsync(other, "suspect");
        await using var client = await NativeClient.ConnectAsync(user);
        using var stream = await SseClient.OpenAsync(other.Address, user.Token, "broadcast:all");
        using var poll = new PollClient(other.Address, user.Token, "broadcast:all");
        await poll.PollAsync(timeoutSeconds: 0);
        var polling = poll.PollAsync(timeoutSeconds: 25);
        if (!hasBus) await cluster.Redis!.KillAsync();

        using (var backend = Account.Connect(one))
        {
            backend.DefaultRequestHeaders.Authorization = new("Bearer", one.AppSecret);
            using var suspending = await backend.PostAsync("/api/moderation/users/suspect/suspend", null);
            suspending.EnsureSuccessStatusCode();
        }

        (await client.WaitForCloseAsync(TimeSpan.FromSeconds(seconds))).Code.ShouldBe(4403);
        await Task.WhenAll(polling, EndAsync()).WaitAsync(TimeSpan.FromSeconds(seconds));
        foreach (var server in (ServerProcess[])[one, other])
        {
            await using var again = await NativeClient.OpenAsync(server.Address, user.Token);
            (await again.WaitForCloseAsync()).Code.ShouldBe(4401);
        }

        using var refused = await user.Http.GetAsync("/api/auth/me");
        refused.StatusCode.ShouldBe(System.Net.HttpStatusCode.Forbidden);

        async Task EndAsync()
        {
            await foreach (var _ in stream.ReadAsync()) continue;
        }
    }

    private static Task<System.Text.Json.JsonElement> SubscribeAsync(NativeClient client, string token) =>
        client.RequestAsync(new JsonObject { ["type"] = "subscribe", ["channel"] = Channel, ["token"] = token });
}
