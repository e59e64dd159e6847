using System.Net;
using System.Net.Http.Json;
using System.Security.Claims;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.DataProtection;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Tidings.Realtime;
using Tidings.Realtime.Brokers;
using Tidings.Realtime.Channels;
using Tidings.Realtime.Connections;
using Tidings.Realtime.Fanout;
using Tidings.Realtime.Feeds;
using Tidings.Realtime.History;
using Tidings.Realtime.Publications;
using Tidings.Server.Auth;
using Tidings.Server.ChannelAccess;
using Tidings.Server.Features.Access;
using Tidings.Server.Features.Blocks;
using Tidings.Server.Features.Comments;
using Tidings.Server.Features.ConnectedAccounts;
using Tidings.Server.Features.Conversations;
using Tidings.Server.Features.Creators;
using Tidings.Server.Features.Follows;
using Tidings.Server.Features.Likes;
using Tidings.Server.Features.Media;
using Tidings.Server.Features.Notifications;
using Tidings.Server.Features.Posts;
using Tidings.Server.Features.Realtime;
using Tidings.Server.Features.Scheduling;
using Tidings.Server.Features.Subscriptions;
using Tidings.Server.Host;
using Tidings.Server.Publishing;
using Tidings.Server.Publishing.Connectors;
using Tidings.Server.Scaleout;
using Tidings.Server.Storage;
using Tidings.Testing.Checks;
using Tidings.Testing.Clients;
using Xunit;

namespace Tidings.Server.Tests.Posts;

/// <summary>The features of this part over a real Kestrel, with their own database. Who asks is said by the header X-User.</summary>
public sealed class PostsApp : IAsyncLifetime
{
    private readonly string _folder = Path.Combine(Path.GetTempPath(), $"tidings-posts-{Guid.NewGuid():N}");
    private WebApplication _app = null!;

    internal Store Store => _app.Services.GetRequiredService<Store>();

    internal IDurableEventLog EventLog => _app.Services.GetRequiredService<IDurableEventLog>();

    internal IServiceProvider Services => _app.Services;

    /// <summary>What signs subscription tokens.</summary>
    internal const string AppSecret = "the secret of the app, 32 bytes or more";

    private static IConfiguration TokenSettings =>
        new ConfigurationBuilder().AddInMemoryCollection([new("Tidings:Channels:ticket:Access", "token")]).Build();

    private string Address { get; set; } = "";

    internal static ChannelCatalog Catalog { get; } = new(
        new Dictionary<string, ChannelRules>
        {
            ["feed"] = Kept with { IsFeed = true },
            ["user"] = Kept,
            ["notifications"] = Kept,
            ["creator"] = Kept,
            ["post"] = Kept,
            ["conversation"] = Kept,
            ["public"] = Kept,
            ["broadcast"] = Kept,
            ["tidings"] = Kept with { IsInternal = true },
            ["presence"] = new ChannelRules { History = 0, Presence = PresenceRule.Always },
            ["open"] = new ChannelRules { Access = AccessRule.Public },
            ["club"] = new ChannelRules { Access = AccessRule.SignedIn },
            ["mine"] = new ChannelRules { Access = AccessRule.Owner },
            ["ticket"] = new ChannelRules { Access = AccessRule.Token },
            ["strange"] = new ChannelRules(),
            ["passing"] = new ChannelRules { Access = AccessRule.Public, History = 0 },
        },
        ["post_created"]);

    private static ChannelRules Kept => new() { History = 1_000, Durable = true, FlatEvents = true };

    public async ValueTask InitializeAsync()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.SetMinimumLevel(LogLevel.Warning).AddProvider(new WatchedLogs());
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        builder.Services.AddSingleton(TimeProvider.System).AddSingleton(Catalog).AddStorage(_folder, await TestDatabase.NewAsync()).AddProblemDetails();
        builder.Services.AddSingleton(new MediaFiles(Path.Combine(_folder, "media")));
        builder.Services.AddPostAccess().AddChannelAccess().AddPosts(new PostLimits(10_000)).AddLikes().AddNotifications().AddCreators().AddSubscriptions();
        var options = OptionsReader.Read(TokenSettings);
        builder.Services.AddConnectors(options).AddConnectedAccounts(renews: false).AddPublishing(options).AddDataProtection().UseEphemeralDataProtectionProvider();
        builder.Services.AddSingleton(options).AddSingleton(new HostSecrets("", "", AppSecret)).AddSingleton<SubscriptionTokens>();
        builder.Services.AddSingleton(provider => new RealtimeEngine(new RealtimeOptions(), new RealtimeDependencies
        {
            Catalog = Catalog,
            DurableLog = provider.GetRequiredService<IDurableEventLog>(),
            Authorizer = provider.GetRequiredService<IChannelAuthorizer>(),
            Authenticator = new Nobody(),
            FeedSources = provider.GetRequiredService<IFeedSources>(),
            Listener = provider.GetRequiredService<IChannelListener>(),
            Broker = new InProcessBroker(),
            Clock = TimeProvider.System,
            Loggers = provider.GetRequiredService<ILoggerFactory>(),
        }));
        builder.Services.AddSingleton<IReaderCounts, OwnReaderCounts>();
        builder.Services.AddAuthentication("Test").AddScheme<AuthenticationSchemeOptions, HeaderAuthentication>("Test", null);
        builder.Services.AddAuthorizationBuilder().AddPolicy("Backend", policy => policy.RequireClaim("sub", "backend"));

        CanaryWatch.Shared.Trust("backend");
        _app = builder.Build();
        _app.UseAuthentication();
        _app.UseAuthorization();
        _app.MapPosts().MapScheduling().MapComments().MapLikes().MapFollows().MapBlocks().MapCreators().MapNotifications().MapConversations().MapSubscriptions().MapRealtimeApi();
        var engine = _app.Services.GetRequiredService<RealtimeEngine>();
        _app.Services.GetRequiredService<Store>().DeliverTo(engine.Publisher.Carry);
        await engine.StartAsync(CancellationToken.None);
        await _app.StartAsync();
        Address = _app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.Single();
    }

    public async ValueTask DisposeAsync()
    {
        await _app.StopAsync();
        await _app.DisposeAsync();
        if (Directory.Exists(_folder)) Directory.Delete(_folder, recursive: true);
    }

    /// <summary>A client of a user, who is created if need be; of a visitor if null.</summary>
    internal async Task<HttpClient> ClientAsync(string? user)
    {
        var client = new HttpClient(new WatchedHandler(new SocketsHttpHandler { UseCookies = false }, UserOf)) { BaseAddress = new Uri(Address) };
        if (user is null) return client;

        client.DefaultRequestHeaders.Add("X-User", user);
        if (user != "backend") await AddUserAsync(user);
        return client;
    }

    private static string? UserOf(HttpRequestMessage request) => request.Headers.TryGetValues("X-User", out var users) ? users.Single() : null;

    internal Task AddUserAsync(string id, string? nickname = null, string fullName = "") => Store.WriteAsync(
        async write => await write.ExecuteAsync(
            """
            INSERT INTO users (id, nickname, nickname_key, full_name, is_creator, posts_count, followers_count, created_at)
            VALUES (@Id, @Nickname, @Key, @FullName, 0, 0, 0, 0) ON CONFLICT (id) DO NOTHING
            """,
            new { Id = id, Nickname = nickname ?? $"nick-{id}", Key = (nickname ?? $"nick-{id}").ToLowerInvariant(), FullName = fullName }),
        CancellationToken.None);

    /// <summary>The events of a channel after an offset, oldest first, as type and payload.</summary>
    internal async Task<List<(string Type, JsonNode Payload, Publication Whole)>> EventsAsync(string channel)
    {
        Catalog.Parse(channel, out var name);
        var events = await EventLog.ReadSinceAsync(name!, 0, 1_000, CancellationToken.None);
        return [.. events.Select(one => (one.Draft.Type, JsonNode.Parse(one.Draft.Payload.Span)!, one))];
    }

    /// <summary>A user id that no other test has.</summary>
    internal static string NewUser() => Guid.NewGuid().ToString("N");

    private sealed class Nobody : IConnectionAuthenticator
    {
        public ValueTask<TokenVerdict> AuthenticateAsync(string token, CancellationToken cancellationToken) => default;
    }

    private sealed class HeaderAuthentication(IOptionsMonitor<AuthenticationSchemeOptions> options, ILoggerFactory loggers, UrlEncoder encoder)
        : AuthenticationHandler<AuthenticationSchemeOptions>(options, loggers, encoder)
    {
        protected override Task<AuthenticateResult> HandleAuthenticateAsync()
        {
            if (Request.Headers["X-User"].ToString() is not { Length: > 0 } user) return Task.FromResult(AuthenticateResult.NoResult());
            var principal = new ClaimsPrincipal(new ClaimsIdentity([new Claim("sub", user)], Scheme.Name));
            return Task.FromResult(AuthenticateResult.Success(new AuthenticationTicket(principal, Scheme.Name)));
        }
    }
}

/// <summary>Short forms of requests and answers.</summary>
internal static class Answers
{
    public static async Task<JsonNode> JsonAsync(this Task<HttpResponseMessage> sending, HttpStatusCode expected = HttpStatusCode.OK)
    {
        using var response = await sending;
        var text = await response.Content.ReadAsStringAsync();
        if (response.StatusCode != expected) Assert.Fail($"{(int)response.StatusCode} instead of {(int)expected}: {text}");
        return text.Length == 0 ? new JsonObject() : JsonNode.Parse(text)!;
    }

    public static async Task<JsonNode> PostAsync(this HttpClient client, object post) =>
        (await client.PostAsJsonAsync("/api/posts", post).JsonAsync(HttpStatusCode.Created))["post"]!;

    public static string Text(this JsonNode node, string path)
    {
        foreach (var name in path.Split('.')) node = node[name]!;
        return node.GetValueKind() == JsonValueKind.String ? node.GetValue<string>() : node.ToJsonString();
    }
}
