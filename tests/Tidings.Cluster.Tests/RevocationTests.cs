using System.Text.Json.Nodes;
using Tidings.Testing;
using Tidings.Testing.Clients;

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

    private static Task<System.Text.Json.JsonElement> SubscribeAsync(NativeClient client, string token) =>
        client.RequestAsync(new JsonObject { ["type"] = "subscribe", ["channel"] = Channel, ["token"] = token });
}
