using Microsoft.AspNetCore.HttpOverrides;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Tidings.Protocols;
using Tidings.Protocols.Admission;
using Tidings.Realtime;
using Tidings.Realtime.Brokers;
using Tidings.Realtime.Channels;
using Tidings.Realtime.Connections;
using Tidings.Realtime.Feeds;
using Tidings.Realtime.History;
using Tidings.Realtime.Presence;
using Tidings.Server.Auth;
using Tidings.Server.Host;

namespace Tidings.Server.Engine;

/// <summary>Puts the engine and the protocols together with what this host gives them.</summary>
internal static class EngineSetup
{
    public static IServiceCollection AddEngine(this IServiceCollection services, TidingsOptions options) => services
        .AddSingleton(options.Channels)
        .AddSingleton<IBroker, InProcessBroker>()
        .AddSingleton<IMemberInfo, UserInfo>()
        .AddSingleton(OptionsOf(options))
        .AddSingleton(provider => new RealtimeDependencies
        {
            Catalog = options.Channels,
            DurableLog = provider.GetRequiredService<IDurableEventLog>(),
            Authorizer = provider.GetRequiredService<IChannelAuthorizer>(),
            Authenticator = provider.GetRequiredService<IConnectionAuthenticator>(),
            FeedSources = provider.GetRequiredService<IFeedSources>(),
            Broker = provider.GetRequiredService<IBroker>(),
            MemberInfo = provider.GetRequiredService<IMemberInfo>(),
            Clock = provider.GetRequiredService<TimeProvider>(),
            Loggers = provider.GetRequiredService<ILoggerFactory>(),
        })
        .AddSingleton<RealtimeEngine>()
        .AddSingleton(provider => provider.GetRequiredService<RealtimeEngine>().Metrics)
        .AddHostedService<EngineRun>()
        .AddSingleton<IRequestIdentity, RequestIdentity>()
        .AddTidingsProtocols(protocols =>
        {
            protocols.AllowAnonymous = options.Auth.AllowAnonymous;
            protocols.ConnectionsPerAddress = options.Limits.ConnectionsPerAddress;
            protocols.HandshakesPerSecond = options.Limits.HandshakesPerSecond;
            if (FileHandles.Connections() is { } most) protocols.Connections = most;
            protocols.TrustedProxies.Clear();
            foreach (var proxy in options.TrustedProxies) protocols.TrustedProxies.Add(proxy);
            foreach (var origin in options.AllowedOrigins) protocols.AllowedOrigins.Add(origin);
        })
        .Configure<KestrelServerOptions>(kestrel =>
            kestrel.ConfigureEndpointDefaults(listen => listen.UseTidings(ProxyHeaders(kestrel.ApplicationServices, options))));

    /// <summary>What <see cref="HostSetup.UseHost"/> does for a request over HTTP, for a WebSocket that is recognised before it.</summary>
    private static Action<HttpContext> ProxyHeaders(IServiceProvider services, TidingsOptions options)
    {
        if (options.TrustedProxies.Count == 0) return static _ => { };
        var forwarded = ActivatorUtilities.CreateInstance<ForwardedHeadersMiddleware>(services, (RequestDelegate)(static _ => Task.CompletedTask));
        return forwarded.ApplyForwarders;
    }

    private static RealtimeOptions OptionsOf(TidingsOptions options) => new()
    {
        ConnectionsPerUser = options.Limits.ConnectionsPerUser,
        MessagesPerSecond = options.Limits.MessagesPerSecond,
        MessageBurst = options.Limits.MessageBurst,
        MessageBytes = options.Limits.MessageBytes,
        OutboundBytes = options.Limits.OutboundBytes,
        SubscriptionsPerConnection = options.Limits.SubscriptionsPerConnection,
        ExpiryGrace = options.Auth.ClockSkew,
        OnlineChannel = options.Channels.Kinds["presence"].Presence == PresenceRule.None ? null : new ChannelName("presence", "online"),
    };
}
