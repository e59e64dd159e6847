using System.Collections.Concurrent;
using System.Globalization;
using System.Net;
using System.Runtime.CompilerServices;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Tidings.Protocols.Admission;
using Tidings.Realtime;
using Tidings.Realtime.Brokers;
using Tidings.Realtime.Channels;
using Tidings.Realtime.Connections;
using Tidings.Realtime.Feeds;
using Tidings.Realtime.History;
using Tidings.Realtime.Presence;
using Tidings.Realtime.Publications;

namespace Tidings.Protocols.Tests.Support;

/// <summary>A small host on a free loopback port: the real engine on a log in memory, tokens that are the user's name.</summary>
internal sealed class TestServer : IAsyncDisposable
{
    private readonly WebApplication _app;
    private readonly TestAccess _access;
    private readonly StrongBox<int> _requests;
    private int _published;

    private TestServer(WebApplication app, RealtimeEngine engine, TestAccess access, TestLogs logs, StrongBox<int> requests)
    {
        _requests = requests;
        _app = app;
        Engine = engine;
        _access = access;
        Logs = logs;
        Address = new Uri(app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.First());
    }

    public RealtimeEngine Engine { get; }

    public TestLogs Logs { get; }

    /// <summary>How many requests have come to HTTP.</summary>
    public int HttpRequests => Volatile.Read(ref _requests.Value);

    /// <summary>How many requests have had their user looked for that is not found before the client leaves.</summary>
    public int LookedFor => Volatile.Read(ref _access.LookedFor);

    public Uri Address { get; }

    public IPEndPoint EndPoint => new(IPAddress.Loopback, Address.Port);

    /// <summary>Starts one.</summary>
    /// <param name="options">The engine's limits, if not the usual.</param>
    /// <param name="configure">The protocols' options.</param>
    /// <param name="catalog">The kinds of channels, if not the usual.</param>
    /// <param name="protocols">The versions of HTTP.</param>
    /// <param name="isEarly">Whether WebSockets are recognised before HTTP.</param>
    /// <param name="listen">What else is done to the endpoint, before that.</param>
    /// <param name="services">What else is registered, such as another protocol.</param>
    /// <param name="presence">Where members are kept, if not in memory.</param>
    public static async Task<TestServer> StartAsync(
        RealtimeOptions? options = null, Action<NativeProtocolOptions>? configure = null, ChannelCatalog? catalog = null,
        HttpProtocols protocols = HttpProtocols.Http1, bool isEarly = false, Action<ListenOptions>? listen = null, Action<IServiceCollection>? services = null,
        IPresenceStore? presence = null)
    {
        var logs = new TestLogs();
        var builder = WebApplication.CreateSlimBuilder(new WebApplicationOptions { EnvironmentName = "Production" });
        builder.Logging.ClearProviders().AddProvider(logs).SetMinimumLevel(LogLevel.Trace);
        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;
            kestrel.Listen(IPAddress.Loopback, 0, endpoint =>
            {
                endpoint.Protocols = protocols;
                listen?.Invoke(endpoint);
                if (isEarly) endpoint.UseTidings();
            });
        });

        var access = new TestAccess(catalog ?? Catalogs.Usual);
        RealtimeEngine? engine = null;
        var log = new MemoryEventLog(access.Catalog, TimeProvider.System, publications => engine!.Publisher.Carry(publications), isSequenced: true);
        engine = new RealtimeEngine(options ?? new RealtimeOptions(), new RealtimeDependencies
        {
            Catalog = access.Catalog,
            DurableLog = log,
            Authorizer = access,
            Authenticator = access,
            FeedSources = access,
            Broker = new InProcessBroker(),
            Clock = TimeProvider.System,
            Loggers = NullLoggerFactory.Instance,
            PresenceStore = presence,
        });
        await engine.StartAsync(CancellationToken.None);

        builder.Services.AddSingleton(engine);
        builder.Services.AddSingleton<IConnectionAuthenticator>(access);
        builder.Services.AddSingleton<IRequestIdentity>(access);
        builder.Services.AddTidingsProtocols(configure);
        services?.Invoke(builder.Services);
        var app = builder.Build();
        var requests = new StrongBox<int>();
        app.Use((context, next) =>
        {
            Interlocked.Increment(ref requests.Value);
            return next(context);
        });
        app.MapTidingsProtocols();
        await app.StartAsync();
        return new TestServer(app, engine, access, logs, requests);
    }

    /// <summary>Publishes an event with a running number as its id.</summary>
    public async Task<Publication> PublishAsync(string channel, string type = "note", string payload = "{}")
    {
        Engine.Catalog.Parse(channel, out var name);
        return await Engine.Publisher.PublishAsync(
            new PublicationDraft
            {
                Channel = name!,
                Type = type,
                Payload = System.Text.Encoding.UTF8.GetBytes(payload),
                Timestamp = TimeProvider.System.GetUtcNow(),
                Id = Interlocked.Increment(ref _published).ToString(CultureInfo.InvariantCulture),
            },
            CancellationToken.None);
    }

    /// <summary>From now on nobody may read this channel.</summary>
    public void Forbid(string channel) => _access.Forbidden.TryAdd(channel, true);

    /// <summary>From now on nothing can be checked, as when the database is out of reach.</summary>
    public void BreakAccess() => _access.IsBroken = true;

    public HttpClient CreateClient() => new() { BaseAddress = Address };

    public async ValueTask DisposeAsync()
    {
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(5), TimeProvider.System);
        await Engine.DrainAsync(limit.Token);
        await _app.StopAsync(limit.Token);
        await _app.DisposeAsync();
        await Engine.DisposeAsync();
    }
}

/// <summary>
/// A token is a user's name; <c>expired</c> and <c>invalid…</c> are what they say, <c>name~seconds</c> expires then. Kinds are open by
/// their <see cref="AccessRule"/>. The cookie <c>user</c> signs in; that of <c>slow</c> is looked for until the client has left.
/// </summary>
internal sealed class TestAccess(ChannelCatalog catalog) : IConnectionAuthenticator, IChannelAuthorizer, IFeedSources, IRequestIdentity
{
    public ChannelCatalog Catalog => catalog;

    public ConcurrentDictionary<string, bool> Forbidden { get; } = new();

    public bool IsBroken { get; set; }

    public int LookedFor;

    public ValueTask<TokenVerdict> AuthenticateAsync(string token, CancellationToken cancellationToken)
    {
        if (IsBroken) throw new IOException("The database is out of reach.");
        if (token == "expired") return ValueTask.FromResult(new TokenVerdict(null, IsExpired: true));
        if (token.StartsWith("invalid", StringComparison.Ordinal) || token.Length == 0) return ValueTask.FromResult(new TokenVerdict(null));
        var parts = token.Split('~');
        DateTimeOffset? expires = parts.Length > 1 ? TimeProvider.System.GetUtcNow().AddSeconds(double.Parse(parts[1], CultureInfo.InvariantCulture)) : null;
        return ValueTask.FromResult(new TokenVerdict(new ClientIdentity(parts[0], expires)));
    }

    public ValueTask<ChannelGrant> AuthorizeAsync(ClientIdentity identity, ChannelName channel, string? token, CancellationToken cancellationToken)
    {
        if (IsBroken) throw new IOException("The database is out of reach.");
        var isAllowed = !Forbidden.ContainsKey(channel.Value) && catalog.RulesOf(channel).Access switch
        {
            AccessRule.Public => true,
            AccessRule.SignedIn => identity.UserId is not null,
            AccessRule.Owner => identity.UserId == channel.Id,
            _ => false,
        };
        return ValueTask.FromResult(isAllowed ? ChannelGrant.Open : ChannelGrant.Denied);
    }

    public ValueTask<IReadOnlyList<FeedSource>> ReadAsync(ChannelName feed, CancellationToken cancellationToken) =>
        ValueTask.FromResult<IReadOnlyList<FeedSource>>([new FeedSource(new ChannelName("creator", $"of-{feed.Id}"), 0)]);

    public async ValueTask<ClientIdentity?> OfAsync(HttpContext context)
    {
        if (context.Request.Cookies["user"] is not { } user) return null;
        if (user == "slow")
        {
            Interlocked.Increment(ref LookedFor);
            await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, context.RequestAborted);
        }

        return new ClientIdentity(user, null);
    }
}

/// <summary>Everything that was logged, at every level.</summary>
internal sealed class TestLogs : ILoggerProvider
{
    public ConcurrentQueue<string> Lines { get; } = new();

    public ILogger CreateLogger(string categoryName) => new Logger(categoryName, Lines);

    public void Dispose()
    {
    }

    private sealed class Logger(string category, ConcurrentQueue<string> lines) : ILogger
    {
        public IDisposable? BeginScope<TState>(TState state) where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
            lines.Enqueue($"{logLevel} {category} {formatter(state, exception)} {exception}");
    }
}
