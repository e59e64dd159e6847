using System.Net.Http.Json;
using System.Security.Cryptography;
using System.Text.Json.Nodes;
using Tidings.Scaleout.Tests.Support;
using Tidings.Testing;
using Tidings.Testing.Checks;
using Tidings.Testing.Clients;
using Tidings.Testing.Servers;

namespace Tidings.Scaleout.Tests;

/// <summary>Two real servers on one PostgreSQL, with Redis between them or without.</summary>
public abstract class TwoServersContract : IAsyncLifetime
{
    private ServerProcess _a = null!;
    private ServerProcess _b = null!;

    /// <summary>The other node's readers get what was published within this time.</summary>
    protected abstract TimeSpan Bound { get; }

    /// <summary>Settings beside the database.</summary>
    protected abstract Task<IReadOnlyDictionary<string, string>> PrepareAsync();

    public async ValueTask InitializeAsync()
    {
        Assert.SkipWhen(PostgresServer.Missing is not null, PostgresServer.Missing ?? "");
        var settings = new Dictionary<string, string>(await PrepareAsync())
        {
            ["Database"] = await (await PostgresServer.SharedAsync()).CreateDatabaseAsync(),
            ["Auth:Secret"] = RandomNumberGenerator.GetHexString(48),
            ["App:Key"] = "key",
            ["App:Secret"] = RandomNumberGenerator.GetHexString(48),
            ["EncryptionKeys"] = RandomNumberGenerator.GetHexString(48),
            ["Channels:room:Access"] = "signed-in",
            ["Payments:WebhookSecret"] = Provider.Secret,
        };
        _a = await ServerProcess.StartAsync(new ServerSettings { Settings = settings });
        _b = await ServerProcess.StartAsync(new ServerSettings { Settings = settings });
        foreach (var server in new[] { _a, _b }) await HasBusAsync(server, "up");
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var server in new[] { _a, _b })
            if (server is not null) await server.DisposeAsync();
        foreach (var one in Owned) await one.DisposeAsync();
        GC.SuppressFinalize(this);
    }

    /// <summary>What ends with the test, after the servers.</summary>
    private protected List<IAsyncDisposable> Owned { get; } = [];

    private protected Provider Provider { get; } = new();

    private protected ServerProcess A => _a;

    private protected ServerProcess B => _b;

    [Fact]
    public async Task Rights_that_change_on_one_server_change_on_the_others_connections()
    {
        using var creator = await Account.RegisterAsync(_a, "creator");
        using var reader = await Account.RegisterAsync(_b, "reader");
        using (var tiers = await creator.Http.PutAsJsonAsync("/api/creators/me/tiers", new object[] { new { name = "Gold", level = 1, price = 5 } })) tiers.EnsureSuccessStatusCode();
        await using var client = await NativeClient.ConnectAsync(reader);
        await client.SubscribeAsync(creator.Creator);
        await client.SubscribeAsync(reader.Feed);

        var payment = await Provider.SubscribeAsync(reader, creator, "Gold", 5);
        await client.WaitForAsync(message => message.IsOfType("feed_update") && message.Text("reason") == "subscribed", "what to read again", Bound);
        var text = LockedText.New(reader.Id);
        await PostUntilAsync(isFull: true);
        await Provider.RefundAsync(_a, payment);
        await PostUntilAsync(isFull: false);
        text = LockedText.New(); // the node has heard: not one more byte
        await PostUntilAsync(isFull: false);

        using (var block = await creator.Http.PostAsync($"/api/users/{reader.Id}/block", null)) block.EnsureSuccessStatusCode();
        await client.WaitForAsync(message => message.IsOfType("unsubscribed") && message.Text("channel") == creator.Creator, "the end", Bound);

        // The other node hears of it a moment later, by the bus or by looking; what it sends until then is of before.
        Task PostUntilAsync(bool isFull) => Eventually.HoldsAsync(
            async () =>
            {
                using var answer = await creator.Http.PostAsJsonAsync("/api/posts", new { content = text.Text, tier = "Gold" });
                var id = (await Account.ReadAsync(answer, System.Net.HttpStatusCode.Created)).GetProperty("post").Text("id");
                var told = await client.WaitForAsync(message => message.IsOfType("post_created") && message.PostId() == id, "the post");
                return told.PostText() is not null == isFull;
            },
            isFull ? "a full form" : "a preview",
            Bound);
    }

    [Fact]
    public async Task A_post_on_one_server_reaches_the_followers_socket_on_the_other()
    {
        using var creator = await Account.RegisterAsync(_a, "creator");
        using var follower = await Account.RegisterAsync(_b, "follower");
        await follower.FollowAsync(creator);
        await using var client = await NativeClient.ConnectAsync(follower);
        await client.SubscribeAsync(follower.Feed);
        await client.SubscribeAsync(creator.Creator);

        var post = await creator.PostAsync("hello from the other node");

        foreach (var channel in new[] { follower.Feed, creator.Creator })
        {
            await client.WaitForAsync(
                message => message.IsOfType("post_created") && message.Text("channel") == channel && message.PostId() == post.Text("id"), $"the post on {channel}", Bound);
        }
    }

    [Fact]
    public async Task Events_in_memory_and_passing_ones_reach_the_other_server()
    {
        using var reader = await Account.RegisterAsync(_b, "reader");
        await using var client = await NativeClient.ConnectAsync(reader);
        await client.SubscribeAsync("room:1");
        using var backend = new Backend(_a);

        await backend.PublishAsync("room:1", "said-1");

        await client.WaitForAsync(message => message.Text("id") == "said-1", "the event", Bound);
    }

    [Fact]
    public async Task What_is_revoked_or_ended_on_one_server_ends_on_the_other_within_two_seconds()
    {
        using var reader = await Account.RegisterAsync(_b, "reader");
        await using var client = await NativeClient.ConnectAsync(reader);
        await client.SubscribeAsync("room:1");
        using var backend = new Backend(_a);

        await backend.PostAsync("/subscriptions/revoke", new { userId = reader.Id, channel = "room:1" });
        await client.WaitForAsync(message => message.IsOfType("unsubscribed") && message.Text("channel") == "room:1", "the end of the subscription", TimeSpan.FromSeconds(2));

        await backend.PostAsync($"/users/{reader.Id}/disconnect", new { revokeTokens = true });
        (await client.WaitForCloseAsync(TimeSpan.FromSeconds(2))).Code.ShouldBe(4403);

        using var other = await Account.RegisterAsync(_b, "other");
        await using var signedIn = await NativeClient.ConnectAsync(other);
        using (await other.Http.PostAsync(new Uri(_a.Address, "/api/auth/logout"), content: null))
        {
        }

        (await signedIn.WaitForCloseAsync(TimeSpan.FromSeconds(2))).Code.ShouldBe(4401);
    }

    private protected static async Task HasBusAsync(ServerProcess server, string state)
    {
        using var http = Account.Connect(server);
        await Eventually.HoldsAsync(
            async () => JsonNode.Parse(await http.GetStringAsync("/health/ready"))!["bus"]?.GetValue<string>() == state, $"the bus is {state}", TimeSpan.FromSeconds(30));
    }
}

public sealed class TwoServersWithRedisTests : TwoServersContract
{
    private RedisServer? _redis;

    protected override TimeSpan Bound => TimeSpan.FromSeconds(2);

    protected override async Task<IReadOnlyDictionary<string, string>> PrepareAsync()
    {
        SharedRedis.Require();
        _redis = await RedisServer.StartAsync();
        Owned.Add(_redis);
        return new Dictionary<string, string> { ["Redis"] = _redis.Address };
    }

    [Fact]
    public async Task With_redis_gone_posts_and_revocations_arrive_within_ten_seconds_and_the_servers_are_ready()
    {
        using var creator = await Account.RegisterAsync(A, "creator");
        using var reader = await Account.RegisterAsync(B, "reader");
        await using var client = await NativeClient.ConnectAsync(reader);
        await client.SubscribeAsync(creator.Creator);
        await client.SubscribeAsync("room:1");
        using var backend = new Backend(A);

        await _redis!.KillAsync();
        foreach (var server in new[] { A, B }) await HasBusAsync(server, "down");

        var post = await creator.PostAsync("without a bus");
        await client.WaitForAsync(message => message.IsOfType("post_created") && message.PostId() == post.Text("id"), "the post", TimeSpan.FromSeconds(10));
        await backend.PostAsync("/subscriptions/revoke", new { userId = reader.Id, channel = "room:1" });
        await client.WaitForAsync(message => message.IsOfType("unsubscribed"), "the end of the subscription", TimeSpan.FromSeconds(10));
        using (await reader.Http.PostAsync(new Uri(A.Address, "/api/auth/logout"), content: null))
        {
        }

        (await client.WaitForCloseAsync(TimeSpan.FromSeconds(10))).Code.ShouldBe(4401);
        await _redis.StartAgainAsync();
        foreach (var server in new[] { A, B }) await HasBusAsync(server, "up");
        (await A.GetMetricAsync("tidings_redis_up")).ShouldBe(1);
    }
}

public sealed class TwoServersWithoutRedisTests : TwoServersContract
{
    protected override TimeSpan Bound => TimeSpan.FromSeconds(2);

    protected override Task<IReadOnlyDictionary<string, string>> PrepareAsync() =>
        Task.FromResult<IReadOnlyDictionary<string, string>>(new Dictionary<string, string>());
}
