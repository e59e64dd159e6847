using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Tidings.Protocols.Admission;
using Tidings.Protocols.Native;
using Tidings.Protocols.Polling;
using Tidings.Protocols.Pusher;
using Tidings.Protocols.SignalR;
using Tidings.Protocols.SocketIo;
using Tidings.Protocols.Sse;
using Tidings.Protocols.Streams;
using Tidings.Protocols.Upgrade;
using Tidings.Protocols.WebSockets;

namespace Tidings.Protocols;

/// <summary>Puts the protocols into a host that registers the engine and an <see cref="Realtime.Connections.IConnectionAuthenticator"/>.</summary>
internal static class ProtocolsSetup
{
    /// <summary>
    /// Registers the native protocol over its three transports. A host that knows origins or signed-in users better registers its own
    /// <see cref="IOriginPolicy"/> or <see cref="IRequestIdentity"/>.
    /// </summary>
    public static IServiceCollection AddTidingsProtocols(this IServiceCollection services, Action<NativeProtocolOptions>? configure = null)
    {
        services.AddOptions<NativeProtocolOptions>()
            .Validate(
                static options => options.AllowedOrigins.All(ExactOrigins.IsOrigin),
                "Every allowed origin must be written as a browser sends it, for example https://app.example or http://localhost:3000: no path, no wildcard, lower case.")
            .Validate(
                static options => options is { ConnectionsPerAddress: > 0, Connections: > 0, HandshakesPerSecond: > 0 },
                "ConnectionsPerAddress, Connections and HandshakesPerSecond must be above zero.")
            .ValidateOnStart();
        if (configure is not null) services.Configure(configure);

        services.TryAddSingleton<IOriginPolicy, ExactOrigins>();
        services.TryAddSingleton<IRequestIdentity, SignedInUser>();
        services.TryAddSingleton<ConnectionLimits>();
        services.TryAddSingleton<Gatekeeper>();
        services.TryAddSingleton<StreamDoor>();
        services.TryAddSingleton<NativeEndpoint>();
        services.AddSingleton<IWebSocketEndpoint>(static provider => provider.GetRequiredService<NativeEndpoint>());
        services.TryAddSingleton<EarlyUpgrade>();
        services.TryAddSingleton<SseEndpoint>();
        services.TryAddSingleton<PollEndpoint>();
        services.AddDataProtection();
        services.TryAddSingleton<RecoveryKeys>();
        services.TryAddSingleton<MainNamespace>();
        services.TryAddSingleton<SocketIoDoor>();
        services.TryAddSingleton<SocketIoEndpoint>();
        services.AddSingleton<IWebSocketEndpoint>(static provider => provider.GetRequiredService<SocketIoEndpoint>());
        return services.AddTidingsHub();
    }

    /// <summary>Registers Pusher's protocol besides, for the clients of one app.</summary>
    public static IServiceCollection AddTidingsPusher(this IServiceCollection services, Func<IServiceProvider, PusherApp> app)
    {
        services.AddSingleton(app);
        services.TryAddSingleton<PusherEndpoint>();
        return services.AddSingleton<IWebSocketEndpoint>(static provider => provider.GetRequiredService<PusherEndpoint>());
    }

    /// <summary>Asked without making it: what a host's app hangs on may not be there yet, and says so at the start.</summary>
    private static bool HasPusher(IServiceProvider services) => services.GetService<IServiceProviderIsService>()?.IsService(typeof(PusherApp)) == true;

    /// <summary>Maps every protocol, for all methods: a WebSocket over HTTP/2 arrives as CONNECT.</summary>
    public static IEndpointConventionBuilder MapTidingsProtocols(this IEndpointRouteBuilder routes)
    {
        var group = routes.MapGroup("");
        MapWebSocket<NativeEndpoint>(NativeEndpoint.Path);
        Map("/sse", false, static context => context.RequestServices.GetRequiredService<SseEndpoint>().HandleAsync(context));
        Map("/poll", false, static context => context.RequestServices.GetRequiredService<PollEndpoint>().HandleAsync(context));
        if (HasPusher(routes.ServiceProvider)) MapWebSocket<PusherEndpoint>(PusherEndpoint.Path);
        Map(SocketIoEndpoint.Path, true, static context => context.RequestServices.GetRequiredService<SocketIoEndpoint>().HandleAsync(context));
        group.MapTidingsHub();
        return group;

        void MapWebSocket<TEndpoint>(string path)
            where TEndpoint : IWebSocketEndpoint =>
            Map(path, true, static context => WebSocketRequest.ServeAsync(context, context.RequestServices.GetRequiredService<TEndpoint>()));

        void Map(string path, bool takesWebSockets, RequestDelegate handler) => group.Map(path, handler)
            .ExcludeFromDescription()
            .Finally(endpoint => endpoint.Metadata.Add(new TidingsEndpoint(path, takesWebSockets, endpoint.FilterFactories.Count > 0)));
    }
}
