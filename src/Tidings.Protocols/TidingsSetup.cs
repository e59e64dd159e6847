using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Logging;
using Tidings.Protocols.Hosting;
using Tidings.Realtime;
using Tidings.Realtime.Brokers;
using Tidings.Realtime.Channels;
using Tidings.Realtime.Connections;
using Tidings.Realtime.Fanout;
using Tidings.Realtime.Feeds;
using Tidings.Realtime.History;
using Tidings.Realtime.Presence;
using Tidings.Realtime.Returning;

namespace Tidings.Protocols;

/// <summary>Puts Tidings into an ASP.NET Core app.</summary>
public static class TidingsSetup
{
    /// <summary>
    /// Registers the engine and the native protocol; <see cref="MapTidings"/> maps it. Histories and presence are in this process's memory.
    /// Clients are whom the app's own authentication finds: by a cookie, or by a token if the default scheme reads
    /// <c>Authorization: Bearer</c>. A host that knows better registers an <see cref="IChannelAuthorizer"/>,
    /// <see cref="IConnectionAuthenticator"/>, <see cref="Admission.IRequestIdentity"/>, <see cref="Admission.IOriginPolicy"/> or
    /// <see cref="IMemberInfo"/> of its own as a singleton, before or after.
    /// </summary>
    /// <param name="services">The app's services, which get <see cref="ITidings"/>.</param>
    /// <param name="configure">Says which channels there are; called at once.</param>
    /// <exception cref="ArgumentException">What was said cannot be used; the message says what to change.</exception>
    public static IServiceCollection AddTidings(this IServiceCollection services, Action<TidingsBuilder> configure)
    {
        ArgumentNullException.ThrowIfNull(services);
        ArgumentNullException.ThrowIfNull(configure);
        if (services.Any(static service => service.ServiceType == typeof(RealtimeEngine)))
            throw new InvalidOperationException("AddTidings was called before: say everything in one call.");

        var builder = new TidingsBuilder();
        configure(builder);
        var catalog = builder.BuildCatalog();
        LimitsCheck.Run(builder.Limits, catalog);

        services.TryAddSingleton(TimeProvider.System);
        services.TryAddSingleton<IBroker, InProcessBroker>();
        services.TryAddSingleton<IDurableEventLog>(provider => new MemoryEventLog(
            catalog,
            provider.GetRequiredService<TimeProvider>(),
            publications => provider.GetRequiredService<RealtimeEngine>().Publisher.Carry(publications),
            isSequenced: true));
        services.TryAddSingleton<IChannelAuthorizer>(_ => new RuleAuthorizer(catalog, builder.Decisions));
        services.TryAddSingleton<IConnectionAuthenticator, HostAuthentication>();
        services.TryAddSingleton<IFeedSources, NoFeedSources>();
        return services
            .AddSingleton(catalog)
            .AddSingleton(provider => new RealtimeEngine(builder.Limits, DependenciesOf(provider, catalog)))
            .AddSingleton(provider => provider.GetRequiredService<RealtimeEngine>().Metrics)
            .AddSingleton<ITidings, TidingsOfHost>()
            .AddHostedService<EngineLife>()
            .AddTidingsProtocols(builder.ClientOptions);
    }

    /// <summary>
    /// Maps <c>/ws</c>, <c>/sse</c>, <c>/poll</c>, <c>/socket.io</c> and <c>/hubs/tidings</c>, below the group's prefix if <paramref name="routes"/>
    /// is one. What is added to the result applies to all of them: <c>RequireAuthorization</c>, <c>RequireHost</c>, <c>RequireRateLimiting</c> and so on.
    /// </summary>
    public static IEndpointConventionBuilder MapTidings(this IEndpointRouteBuilder routes)
    {
        ArgumentNullException.ThrowIfNull(routes);
        if (routes.ServiceProvider.GetService<IServiceProviderIsService>()?.IsService(typeof(ITidings)) == false)
            throw new InvalidOperationException("Call builder.Services.AddTidings(…) before MapTidings.");
        return routes.MapTidingsProtocols();
    }

    private static RealtimeDependencies DependenciesOf(IServiceProvider provider, ChannelCatalog catalog) => new()
    {
        Catalog = catalog,
        DurableLog = provider.GetRequiredService<IDurableEventLog>(),
        Authorizer = provider.GetRequiredService<IChannelAuthorizer>(),
        Authenticator = provider.GetRequiredService<IConnectionAuthenticator>(),
        FeedSources = provider.GetRequiredService<IFeedSources>(),
        Broker = provider.GetRequiredService<IBroker>(),
        PresenceStore = provider.GetService<IPresenceStore>(),
        MemberInfo = provider.GetService<IMemberInfo>(),
        ReaderMemory = provider.GetService<IReaderMemory>(),
        Watcher = provider.GetService<IChannelWatcher>(),
        Greeting = provider.GetService<IChannelGreeting>(),
        Listener = provider.GetService<IChannelListener>(),
        Clock = provider.GetRequiredService<TimeProvider>(),
        Loggers = provider.GetRequiredService<ILoggerFactory>(),
    };
}
