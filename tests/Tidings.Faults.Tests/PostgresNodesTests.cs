using System.Net;
using Tidings.Testing;
using Tidings.Testing.Clients;
using Tidings.Testing.Servers;

namespace Tidings.Faults.Tests;

/// <summary>Two nodes on one PostgreSQL database and without any bus: what one has committed the other finds by asking the database.</summary>
public sealed class PostgresNodesTests : IAsyncLifetime
{
    /// <summary>A node asks every five seconds.</summary>
    private static readonly TimeSpan Found = TimeSpan.FromSeconds(30);

    private PostgresServer _postgres = null!;
    private string _database = "";
    private ServerProcess _here = null!;
    private ServerProcess _there = null!;

    public async ValueTask InitializeAsync()
    {
        if (PostgresServer.Missing is { } why)
        {
            if (Environment.GetEnvironmentVariable("TIDINGS_ALL_TESTS") == "1") Assert.Fail(why);
            Assert.Skip(why);
        }

        _postgres = await PostgresServer.StartAsync();
        _database = await _postgres.CreateDatabaseAsync();
        _here = ServerProcess.Create(Node(authSecret: null));
        _there = ServerProcess.Create(Node(_here.AuthSecret, _here.AppSecret));
        await Task.WhenAll(_here.StartAgainAsync(), _there.StartAgainAsync()); // both find an empty database
    }

    public async ValueTask DisposeAsync()
    {
        if (_here is not null) await _here.DisposeAsync();
        if (_there is not null) await _there.DisposeAsync();
        if (_postgres is not null) await _postgres.DisposeAsync();
    }

    [Fact]
    public async Task What_is_posted_on_one_node_reaches_channels_and_feeds_on_the_other_once_and_in_order()
    {
        using var reader = await Account.RegisterAsync(_here, "reader");
        using var author = await Account.RegisterAsync(_here, "author");
        using var other = await Account.RegisterAsync(_here, "other");
        await reader.FollowAsync(author);
        await using var socket = await NativeClient.ConnectAsync(_there.Address, reader.Token);
        await socket.SubscribeAsync(reader.Feed);
        await socket.SubscribeAsync(author.Creator);

        for (var number = 0; number < 20; number++) await author.PostAsync($"{number}");
        await Eventually.ReachesAsync(() => TextsOf(socket, reader.Feed).Count, 20, "posts in the feed", Found);
        await Eventually.ReachesAsync(() => TextsOf(socket, author.Creator).Count, 20, "posts in the channel", Found);

        // A follow that is made here changes the feed that is open there.
        await reader.FollowAsync(other);
        await other.PostAsync("20");
        await author.PostAsync("21");
        await Eventually.ReachesAsync(() => TextsOf(socket, reader.Feed).Count, 22, "posts in the feed", Found);

        TextsOf(socket, author.Creator).ShouldBe([.. Enumerable.Range(0, 20).Append(21).Select(number => $"{number}")]);
        TextsOf(socket, reader.Feed).ShouldBe(Enumerable.Range(0, 22).Select(number => $"{number}"), ignoreOrder: true);

        // And whoever comes back gets from either node what came meanwhile.
        var since = socket.PositionOf(reader.Feed)!;
        await socket.DisposeAsync();
        await author.PostAsync("22");
        await using var back = await NativeClient.ConnectAsync(_there.Address, reader.Token);
        (await back.SubscribeAsync(reader.Feed, since)).GetProperty("recovered").GetBoolean().ShouldBeTrue();
        await back.WaitForAsync(message => message.PostText() == "22", "the post that came meanwhile");
    }

    [Fact]
    public async Task What_is_revoked_on_one_node_ends_on_the_other()
    {
        using var backend = new Backend(_here);
        var ticket = backend.SubscriptionToken("*", "ticket:7");
        await using var socket = await NativeClient.ConnectAsync(_there.Address, UserToken.For("reader", _here.AuthSecret));
        await socket.RequestAsync(new() { ["type"] = "subscribe", ["channel"] = "ticket:7", ["token"] = ticket });

        await backend.PostAsync("/subscriptions/revoke", new { userId = "reader", channel = "ticket:7" });

        (await socket.WaitForAsync(message => message.IsOfType("unsubscribed"), "the news", Found)).Text("reason").ShouldBe("access_revoked");
    }

    [Fact]
    public async Task A_transaction_that_never_ends_holds_up_no_delivery_and_is_told_of()
    {
        using var reader = await Account.RegisterAsync(_here, "reader");
        using var author = await Account.RegisterAsync(_here, "author");
        await reader.FollowAsync(author);
        await using var socket = await NativeClient.ConnectAsync(_here.Address, reader.Token);
        await socket.SubscribeAsync(reader.Feed);
        var idle = _postgres.QueryAsync(DatabaseName, "BEGIN; SELECT pg_current_xact_id(); SELECT pg_sleep(40)");

        await author.PostAsync("here");
        await socket.WaitForAsync(message => message.PostText() == "here", "a post while the transaction is open");
        await Eventually.HoldsAsync(() => _here.Output.Text.Contains("holds up the places of feeds", StringComparison.Ordinal), "the alarm", TimeSpan.FromSeconds(40));
        (await _here.GetMetricAsync("tidings_database_horizon_age_seconds")).ShouldBeGreaterThan(5);

        // The place that the reader holds is from before; nothing is missing after it, though some of it comes again.
        var since = socket.PositionOf(reader.Feed)!;
        await socket.DisposeAsync();
        await author.PostAsync("meanwhile");
        await using var back = await NativeClient.ConnectAsync(_there.Address, reader.Token);
        (await back.SubscribeAsync(reader.Feed, since)).GetProperty("recovered").GetBoolean().ShouldBeTrue();
        await back.WaitForAsync(message => message.PostText() == "meanwhile", "the post that came meanwhile");
        await idle;
    }

    [Fact]
    public async Task While_the_database_hangs_writes_are_refused_soon_and_connections_stay()
    {
        using var reader = await Account.RegisterAsync(_here, "reader");
        using var author = await Account.RegisterAsync(_here, "author");
        await using var socket = await NativeClient.ConnectAsync(_here.Address, reader.Token);
        await socket.SubscribeAsync(author.Creator);
        await author.PostAsync("before");

        _postgres.Pause();
        try
        {
            using var refused = await author.TryPostAsync("during").WaitAsync(TimeSpan.FromSeconds(25));
            refused.StatusCode.ShouldBe(HttpStatusCode.ServiceUnavailable);
            refused.Headers.RetryAfter.ShouldNotBeNull();
            (await _here.IsReadyAsync()).ShouldBeFalse();
            using var alive = await author.Http.GetAsync(new Uri("/health/live", UriKind.Relative));
            alive.StatusCode.ShouldBe(HttpStatusCode.OK);
            socket.IsOpen.ShouldBeTrue();
        }
        finally
        {
            _postgres.Resume();
        }

        await Eventually.HoldsAsync(
            async () =>
            {
                using var answer = await author.TryPostAsync("after");
                return answer.StatusCode == HttpStatusCode.Created;
            },
            "posts are taken again");
        await socket.WaitForAsync(message => message.PostText() == "after", "the post on the connection from before", Found);
    }

    private string DatabaseName => _database.Split(';').Single(part => part.StartsWith("Database=", StringComparison.Ordinal))["Database=".Length..];

    private ServerSettings Node(string? authSecret, string? appSecret = null)
    {
        var settings = new Dictionary<string, string>
        {
            ["Database"] = _database,
            ["App:Key"] = "tests",
            ["EncryptionKeys"] = "k3J9xQ0pLmN2bV7cX8zW4sR6tY1uI5oA",
            ["Channels:ticket:Access"] = "token",
        };
        if (authSecret is not null) settings["Auth:Secret"] = authSecret;
        if (appSecret is not null) settings["App:Secret"] = appSecret;
        return new ServerSettings { Settings = settings };
    }

    private static List<string> TextsOf(NativeClient client, string channel) =>
        [.. client.EventsOf(channel, "post_created").DistinctBy(message => message.Text("id")).Select(message => message.PostText()!)];
}
