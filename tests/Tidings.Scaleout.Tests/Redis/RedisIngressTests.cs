using System.Net;
using System.Security.Cryptography;
using System.Text;
using Tidings.Scaleout.Tests.Support;
using Tidings.Server.Scaleout.Redis;
using Tidings.Testing;
using Tidings.Testing.Clients;
using Tidings.Testing.Servers;

namespace Tidings.Scaleout.Tests.Redis;

/// <summary>Backends that publish in Redis, with real servers behind it.</summary>
public sealed class RedisIngressTests : IAsyncLifetime
{
    private readonly List<IAsyncDisposable> _owned = [];
    private RedisServer _redis = null!;
    private RedisConnection _backend = null!;
    private Dictionary<string, string>? _shared;

    public async ValueTask InitializeAsync()
    {
        SharedRedis.Require();
        _owned.Add(_redis = await RedisServer.StartAsync());
        RedisInstallation.Parse(_redis.Address, out var installation).ShouldBeNull();
        _owned.Add(_backend = await RedisConnection.OpenAsync(
            new DnsEndPoint("127.0.0.1", _redis.Port), installation!, null, null, static _ => { }, TestContext.Current.CancellationToken));
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var one in Enumerable.Reverse(_owned)) await one.DisposeAsync();
    }

    [Fact]
    public async Task Each_message_is_published_by_one_of_two_servers_and_those_of_a_channel_in_their_order()
    {
        var (a, b) = (await StartOnPostgresAsync(), await StartOnPostgresAsync());
        await AreListeningAsync(a, b);
        using var reader = await Account.RegisterAsync(b, "reader");
        await using var client = await NativeClient.ConnectAsync(reader);
        await client.SubscribeAsync("room:1");
        await client.SubscribeAsync($"user:{reader.Id}");

        for (var number = 0; number < 50; number++) await PublishAsync("room:1", $$"""{"event":"said","data":{{number / 2}}}"""); // every other one equals the one before
        for (var number = 0; number < 10; number++) await PublishAsync($"user:{reader.Id}", """{"type":"order","id":"order-1","sum":5}""");
        await PublishAsync($"user:{reader.Id}", """{"type":"end"}""");
        await PublishAsync("room:1", """{"event":"end"}""");

        await client.WaitForAsync(static message => message.IsOfType("end") && message.Text("channel") == "room:1", "the last in the room");
        await client.WaitForAsync(static message => message.IsOfType("end") && message.Text("channel") != "room:1", "the last of the user");
        await Eventually.HoldsAsync(
            async () => await CountAsync(a, "published") + await CountAsync(b, "published") == 62 + 10 && await CountAsync(a, "taken") + await CountAsync(b, "taken") == 52, "both have seen all");
        client.EventsOf("room:1", "said").Select(static message => message.GetProperty("data").GetInt32())
            .ShouldBe(Enumerable.Range(0, 50).Select(static number => number / 2));
        var order = client.EventsOf($"user:{reader.Id}", "order").ShouldHaveSingleItem();
        order.Text("id").ShouldBe("order-1");
        order.GetProperty("sum").GetInt32().ShouldBe(5);
    }

    [Fact]
    public async Task What_a_server_leaves_that_answers_no_more_is_published_by_the_other_and_once()
    {
        var (a, b) = (await StartOnPostgresAsync(), await StartOnPostgresAsync());
        await AreListeningAsync(a, b);
        await PublishAsync("room:1", """{"event":"first"}""");
        await Eventually.HoldsAsync(async () => await CountAsync(a, "published") + await CountAsync(b, "published") == 1, "one has published");
        var (silent, other) = await CountAsync(a, "published") == 1 ? (a, b) : (b, a);
        using var reader = await Account.RegisterAsync(other, "reader");
        await using var client = await NativeClient.ConnectAsync(reader);
        var channel = $"user:{reader.Id}"; // a durable one: the bus of a node that was silent may lose what is not
        await client.SubscribeAsync(channel);

        silent.Pause();
        await PublishAsync(channel, """{"event":"second"}""");
        await client.WaitForAsync(static message => message.IsOfType("second"), "what was left");
        silent.Resume();

        // It reads what came meanwhile, or was silent for so long that it connects anew; in either case it reads on.
        var unknown = await CountAsync(silent, "unknown_channel");
        await Eventually.HoldsAsync(
            async () =>
            {
                await PublishAsync("nothing:1", """{"event":"e"}""");
                return await CountAsync(silent, "unknown_channel") > unknown;
            },
            "the silent one reads on");
        await PublishAsync(channel, """{"event":"third"}""");
        await client.WaitForAsync(static message => message.IsOfType("third"), "the next");
        client.EventsOf(channel).Select(static message => message.Text("type")).ShouldBe(["second", "third"]);
    }

    [Fact]
    public async Task A_server_without_a_database_server_reads_redis_and_takes_nothing_that_is_wrong()
    {
        var server = await StartAsync(new Dictionary<string, string>());
        await AreListeningAsync(server);
        using var reader = await Account.RegisterAsync(server, "reader");
        await using var client = await NativeClient.ConnectAsync(reader);
        await client.SubscribeAsync("room:1");

        const string canary = "not-to-be-logged";
        foreach (var malformed in (string[])["", "hello", "[]", "{}", """{"event":7}""", """{"event":"two words"}""", """{"event":"e","data":"\ud800"}""", """{"event":"e","id":""}"""])
            await PublishAsync("room:1", malformed + (malformed.StartsWith('{') ? "" : canary));
        await PublishAsync("room:", """{"event":"e"}""");
        await PublishAsync("user:7", """{"event":"flat","data":[]}""");
        await PublishAsync($"nothing:{canary}", """{"event":"e"}""");
        await PublishAsync("room:1", $$"""{"event":"e","data":"{{new string('x', 80_000)}}"}""");
        await PublishAsync("room:1", """{"event":"good","data":{"a":1},"unknown":true}""");

        var good = await client.WaitForAsync(static message => message.IsOfType("good"), "the good one");
        good.GetProperty("data").GetRawText().ShouldBe("""{"a":1}""");
        client.EventsOf("room:1").Count.ShouldBe(1);
        (await CountAsync(server, "malformed")).ShouldBe(10);
        (await CountAsync(server, "unknown_channel")).ShouldBe(2); // one while it was waited for
        (await CountAsync(server, "too_large")).ShouldBe(1);
        server.Output.ToString().ShouldContain("was not taken");
        server.Output.ToString().ShouldNotContain(canary);

        await _redis.KillAsync();
        using var backend = new Backend(server);
        await backend.PublishAsync("room:1", "by http");
        await client.WaitForAsync(static message => message.Text("id") == "by http", "what comes by another way");
    }

    [Fact]
    public async Task A_repeated_publication_is_delivered_once_whichever_server_it_comes_to()
    {
        var (a, b) = (await StartOnPostgresAsync(), await StartOnPostgresAsync());
        using var reader = await Account.RegisterAsync(b, "reader");
        await using var client = await NativeClient.ConnectAsync(reader);
        using var backendOfA = new Backend(a);
        using var backendOfB = new Backend(b);
        foreach (var channel in (string[])["room:1", "passing:1", $"user:{reader.Id}"])
        {
            await client.SubscribeAsync(channel);
            await Task.WhenAll(Enumerable.Range(0, 10).Select(attempt => (attempt % 2 == 0 ? backendOfA : backendOfB).PublishAsync(channel, "once")));
            await backendOfA.PublishAsync(channel, "last");
            await client.WaitForAsync(message => message.Text("channel") == channel && message.Text("id") == "last", $"the last on {channel}");
            client.EventsOf(channel).Select(static message => message.Text("id")).ShouldBe(["once", "last"], channel);
        }
    }

    [Theory]
    [InlineData("tidings:app:")]
    [InlineData("t")]
    [InlineData("with space:")]
    public void A_prefix_that_would_meet_our_own_names_is_refused(string prefix) => RedisIngress.ProblemOf(prefix).ShouldNotBeNull();

    private async Task<ServerProcess> StartOnPostgresAsync()
    {
        Assert.SkipWhen(PostgresServer.Missing is not null, PostgresServer.Missing ?? "");
        _shared ??= new Dictionary<string, string>
        {
            ["Database"] = await (await PostgresServer.SharedAsync()).CreateDatabaseAsync(),
            ["Auth:Secret"] = RandomNumberGenerator.GetHexString(48),
            ["App:Key"] = "key",
            ["App:Secret"] = RandomNumberGenerator.GetHexString(48),
            ["EncryptionKeys"] = RandomNumberGenerator.GetHexString(48),
        };
        return await StartAsync(_shared);
    }

    private async Task<ServerProcess> StartAsync(Dictionary<string, string> settings)
    {
        var server = await ServerProcess.StartAsync(new ServerSettings
        {
            Settings = new Dictionary<string, string>(settings)
            {
                ["Redis"] = _redis.Address,
                ["RedisIngress"] = "ws:",
                ["Channels:room:Access"] = "signed-in",
                ["Channels:passing:Access"] = "signed-in",
                ["Channels:passing:History"] = "0",
            },
        });
        _owned.Add(server);
        return server;
    }

    private async Task AreListeningAsync(params ServerProcess[] servers) => await Eventually.HoldsAsync(
        async () => await PublishAsync("nothing:1", "{\"event\":\"e\"}") == servers.Length, "all servers listen");

    private async Task<long> PublishAsync(string channel, string message) =>
        (await _backend.AskAsync("PUBLISH", $"ws:{channel}", Encoding.UTF8.GetBytes(message))).Number;

    private static Task<double> CountAsync(ServerProcess server, string result) => server.GetMetricAsync("tidings_ingress_total", $"result=\"{result}\"");
}
