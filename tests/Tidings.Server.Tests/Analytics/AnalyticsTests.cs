using System.Globalization;
using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using Shouldly;
using Tidings.Testing;
using Tidings.Testing.Clients;
using Tidings.Testing.Servers;
using Xunit;

namespace Tidings.Server.Tests.Analytics;

/// <summary>Figures of creators and posts, from outside.</summary>
public sealed class AnalyticsTests(AnalyticsTests.Studio server) : IClassFixture<AnalyticsTests.Studio>
{
    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Fact]
    public async Task What_readers_do_is_counted_and_told_live_and_what_they_take_back_too()
    {
        using var creator = await server.UserAsync("creator");
        using var fan = await server.UserAsync("fan");
        using var other = await server.UserAsync("other");
        await using var client = await NativeClient.ConnectAsync(creator);
        await client.SubscribeAsync($"user:{creator.Id}");
        var post = (await creator.PostAsync("count me")).Text("id");

        foreach (var reader in (Account[])[fan, other])
        {
            await reader.FollowAsync(creator);
            await SendAsync(reader, HttpMethod.Post, $"/api/posts/{post}/like");
        }

        await SendAsync(other, HttpMethod.Delete, $"/api/posts/{post}/like");
        await SendAsync(other, HttpMethod.Delete, $"/api/creators/{creator.Id}/follow");
        var comment = (await SendAsync(fan, HttpMethod.Post, $"/api/posts/{post}/comments", new { content = "one" })).GetProperty("comment").Text("id");
        await SendAsync(fan, HttpMethod.Post, $"/api/posts/{post}/comments", new { content = "two" });
        await SendAsync(fan, HttpMethod.Delete, $"/api/posts/{post}/comments/{comment}");

        await client.WaitForAsync(
            static message => message.IsOfType("analytics:updated") && Said(message.GetProperty("metrics")) == "1 1 1 1", "the creator's clients are told the last figures");
        var overview = await creator.GetAsync("/api/analytics/overview");
        Said(overview.GetProperty("totals")).ShouldBe("1 1 1 1");
        var days = overview.GetProperty("days").EnumerateArray().ToList();
        days.Count.ShouldBe(30);
        days.Sum(static day => day.GetProperty("likes").GetInt64()).ShouldBe(1);
        Said(days.Last(static day => day.GetProperty("posts").GetInt64() > 0)).ShouldBe("1 1 1 1");
        days.Select(static day => day.GetProperty("date").GetString()).ShouldBeInOrder();

        var one = await creator.GetAsync($"/api/analytics/posts/{post}");
        one.GetProperty("likes").GetInt64().ShouldBe(1);
        one.GetProperty("comments").GetInt64().ShouldBe(1);
        one.GetProperty("income").GetArrayLength().ShouldBe(0);
    }

    [Fact]
    public async Task What_was_paid_is_added_up_by_currency()
    {
        using var creator = await server.UserAsync("creator");
        using var fan = await server.UserAsync("fan");
        var post = (await creator.PostAsync("worth it")).Text("id")!;
        await server.Provider.TipAsync(fan, creator, post, 0.1m, "EUR");
        await server.Provider.TipAsync(fan, creator, post, 0.2m, "EUR");
        await server.Provider.TipAsync(fan, creator, post, 1.5m, "SOL");
        await SendAsync(fan, HttpMethod.Post, "/api/tips", new { creatorId = creator.Id, postId = post, amount = 99, currency = "EUR" }); // never confirmed

        const string Paid = """[{"currency":"EUR","amount":0.3},{"currency":"SOL","amount":1.5}]""";
        (await creator.GetAsync($"/api/analytics/posts/{post}")).GetProperty("income").GetRawText().ShouldBe(Paid);
        var overview = await creator.GetAsync("/api/analytics/overview");
        overview.GetProperty("income").GetRawText().ShouldBe(Paid);
        (await creator.GetAsync($"/api/analytics/posts/{post}")).GetProperty("tips").GetInt64().ShouldBe(3);
    }

    [Fact]
    public async Task Figures_are_their_owners_alone()
    {
        using var creator = await server.UserAsync("creator");
        using var stranger = await server.UserAsync("stranger");
        var post = (await creator.PostAsync("mine")).Text("id");

        (await stranger.Http.GetAsync($"/api/analytics/posts/{post}", Cancelled)).StatusCode.ShouldBe(HttpStatusCode.NotFound);
        (await stranger.Http.GetAsync("/api/analytics/posts/nothing", Cancelled)).StatusCode.ShouldBe(HttpStatusCode.NotFound);
        (await stranger.GetAsync("/api/analytics/overview")).GetProperty("totals").GetProperty("posts").GetInt64().ShouldBe(0);
        using var visitor = new HttpClient { BaseAddress = creator.Http.BaseAddress };
        (await visitor.GetAsync("/api/analytics/overview", Cancelled)).StatusCode.ShouldBe(HttpStatusCode.Unauthorized);
        (await visitor.GetAsync($"/api/analytics/posts/{post}", Cancelled)).StatusCode.ShouldBe(HttpStatusCode.Unauthorized);
    }

    [Theory]
    [InlineData("from=yesterday")]
    [InlineData("to=2026-02-30")]
    [InlineData("from=1969-12-31")]
    [InlineData("from=2026-01-02&to=2026-01-01")]
    [InlineData("from=2024-01-01&to=2026-01-01")]
    public async Task Days_that_make_no_sense_are_refused(string query)
    {
        using var creator = await server.UserAsync("creator");
        using var answer = await creator.Http.GetAsync($"/api/analytics/overview?{query}", Cancelled);
        answer.StatusCode.ShouldBe(HttpStatusCode.BadRequest);
        JsonDocument.Parse(await answer.Content.ReadAsStringAsync(Cancelled)).RootElement.GetProperty("code").GetString().ShouldBe("invalid");
    }

    [Fact]
    public async Task Any_days_can_be_asked_for()
    {
        using var creator = await server.UserAsync("creator");
        var overview = await creator.GetAsync("/api/analytics/overview?from=2024-02-28&to=2024-03-01");
        overview.GetProperty("days").EnumerateArray().Select(static day => day.GetProperty("date").GetString()).ShouldBe(["2024-02-28", "2024-02-29", "2024-03-01"]);
    }

    private static async Task<JsonElement> SendAsync(Account user, HttpMethod method, string path, object? body = null)
    {
        using var request = new HttpRequestMessage(method, path) { Content = body is null ? null : JsonContent.Create(body) };
        using var answer = await user.Http.SendAsync(request, Cancelled);
        answer.IsSuccessStatusCode.ShouldBeTrue($"{method} {path} gave {(int)answer.StatusCode}");
        return answer.StatusCode == HttpStatusCode.NoContent ? default : await answer.Content.ReadFromJsonAsync<JsonElement>(Cancelled);
    }

    private static string Said(JsonElement figures) =>
        string.Join(' ', ((string[])["posts", "likes", "comments", "followers"]).Select(name => figures.GetProperty(name).GetInt64().ToString(CultureInfo.InvariantCulture)));

    /// <summary>A server with a payment provider.</summary>
    public sealed class Studio : IAsyncLifetime
    {
        private int _users;
        private ServerProcess _process = null!;

        public Provider Provider { get; } = new();

        public async ValueTask InitializeAsync() => _process = await ProductServer.StartAsync(new Dictionary<string, string> { ["Payments:WebhookSecret"] = Provider.Secret });

        public ValueTask DisposeAsync() => _process.DisposeAsync();

        public Task<Account> UserAsync(string name) => Account.RegisterAsync(_process, $"{name}{Interlocked.Increment(ref _users)}");
    }
}
