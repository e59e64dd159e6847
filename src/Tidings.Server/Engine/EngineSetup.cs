using Microsoft.AspNetCore.HttpOverrides;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Transport.Sockets;
using Tidings.Protocols;
using Tidings.Protocols.Admission;
using Tidings.Protocols.Upgrade;
using Tidings.Realtime;
using Tidings.Realtime.Channels;
using Tidings.Realtime.Presence;
using Tidings.Realtime.Returning;
using Tidings.Server.Auth;
using Tidings.Server.Host;

namespace Tidings.Server.Engine;

/// <summary>Puts the engine and the protocols together with what this host gives them.</summary>
internal static class EngineSetup
{
    public static IServiceCollection AddEngine(this IServiceCollection services, TidingsOptions options) => services
        .AddSingleton<IMemberInfo, UserInfo>()
        .AddStoredReaders(options) // before the engine, since it must stop after it
        .AddSingleton<IRequestIdentity, RequestIdentity>()
        .AddTidings(tidings =>
        {
            tidings.Catalog = options.Channels;
            tidings.Limits = LimitsOf(options);
            tidings.Clients(clients =>
            {
                clients.AllowAnonymous = options.Auth.AllowAnonymous;
                clients.ConnectionsPerAddress = options.Limits.ConnectionsPerAddress;
                clients.HandshakesPerSecond = options.Limits.HandshakesPerSecond;
                if (FileHandles.Connections() is { } most) clients.Connections = most;
                clients.TrustedProxies.Clear();
                foreach (var proxy in options.TrustedProxies) clients.TrustedProxies.Add(proxy);
                foreach (var origin in options.AllowedOrigins) clients.AllowedOrigins.Add(origin);
            });
        })
        .AddHostedService<EngineRun>()
        .Configure<SocketTransportOptions>(static sockets => sockets.Backlog = ListenBacklog.Wanted)
        .Configure<KestrelServerOptions>(kestrel =>
        {
            if (!options.Roles.HasFlag(NodeRoles.Realtime)) return;
            if (UpgradeCheck.HasFilteredHosts(kestrel.ApplicationServices)) return; // AllowedHosts is for HTTP to see to
            kestrel.ConfigureEndpointDefaults(listen => listen.UseTidings(ProxyHeaders(kestrel.ApplicationServices, options)));
        });

    private static IServiceCollection AddStoredReaders(this IServiceCollection services, TidingsOptions options) =>
        options.ReturnWindow == TimeSpan.Zero || !options.Roles.HasFlag(NodeRoles.Realtime) ? services : services
            .AddSingleton(provider => ActivatorUtilities.CreateInstance<StoredReaders>(provider, options.ReturnWindow))
            .AddSingleton<IReaderMemory>(static provider => provider.GetRequiredService<StoredReaders>())
            .AddHostedService(static provider => provider.GetRequiredService<StoredReaders>());

    /// <summary>What <see cref="HostSetup.UseHost"/> does for a request over HTTP, for a WebSocket that is recognised before it.</summary>
    private static Action<HttpContext> ProxyHeaders(IServiceProvider services, TidingsOptions options)
    {
        if (options.TrustedProxies.Count == 0) return static _ => { };
        var forwarded = ActivatorUtilities.CreateInstance<ForwardedHeadersMiddleware>(services, (RequestDelegate)(static _ => Task.CompletedTask));
        return forwarded.ApplyForwarders;
    }

    private static RealtimeOptions LimitsOf(TidingsOptions options) => new()
    {
        ConnectionsPerUser = options.Limits.ConnectionsPerUser,
        MessagesPerSecond = options.Limits.MessagesPerSecond,
        MessageBurst = options.Limits.MessageBurst,
        MessageBytes = options.Limits.MessageBytes,
        OutboundBytes = options.Limits.OutboundBytes,
        SubscriptionsPerConnection = options.Limits.SubscriptionsPerConnection,
        ExpiryGrace = options.Auth.ClockSkew,
        ReturnWindow = options.ReturnWindow,
        OnlineChannel = options.Channels.Kinds["presence"].Presence == PresenceRule.None ? null : new ChannelName("presence", "online"),
    };
}
