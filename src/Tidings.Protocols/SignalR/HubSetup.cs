using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Http.Connections;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Hosting;

namespace Tidings.Protocols.SignalR;

/// <summary>Puts <c>/hubs/tidings</c> on the framework's own carriers of SignalR.</summary>
internal static class HubSetup
{
    /// <summary>Where it is.</summary>
    public const string Path = "/hubs/tidings";

    // Below what proxies usually wait for an answer.
    private static readonly TimeSpan PollTimeout = TimeSpan.FromSeconds(25);
    private static readonly TimeSpan CloseTimeout = TimeSpan.FromSeconds(2);

    // Slow readers are the engine's to cut; this is for what it does not see.
    private static readonly TimeSpan SendTimeout = TimeSpan.FromMinutes(1);

    /// <summary>Registers it.</summary>
    public static IServiceCollection AddTidingsHub(this IServiceCollection services)
    {
        services.AddConnections();
        services.TryAddSingleton<HubVisits>();
        services.TryAddSingleton<HubDoor>();
        services.TryAddSingleton<HubHandler>();
        return services;
    }

    /// <summary>Maps it, and the request that negotiates below it.</summary>
    public static void MapTidingsHub(this IEndpointRouteBuilder routes)
    {
        var options = new HttpConnectionDispatcherOptions { TransportSendTimeout = SendTimeout };
        options.LongPolling.PollTimeout = PollTimeout;
        options.WebSockets.CloseTimeout = CloseTimeout;
        routes.MapConnections(Path, options, Serve)
            .Add(static endpoint =>
            {
                var isNegotiation = ((RouteEndpointBuilder)endpoint).RoutePattern.RawText!.EndsWith("/negotiate", StringComparison.Ordinal);
                var next = endpoint.RequestDelegate!;
                endpoint.RequestDelegate = context => context.RequestServices.GetRequiredService<HubDoor>().EnterAsync(context, isNegotiation, next);
                endpoint.Metadata.Add(new ExcludeFromDescriptionAttribute());
            });

        // Callbacks run in the reverse order: the engine's, which sends everyone away, then this, then the framework's, which cuts.
        var visits = routes.ServiceProvider.GetRequiredService<HubVisits>();
        routes.ServiceProvider.GetRequiredService<IHostApplicationLifetime>().ApplicationStopping.Register(visits.WaitForGoodbyes);
    }

    /// <summary>The handler is made with the first connection: what a host's app hangs on is there by then, and a start that fails says why.</summary>
    private static void Serve(IConnectionBuilder connection)
    {
        var handler = connection.ApplicationServices.GetRequiredService<HubHandler>;
        connection.Run(context => handler().OnConnectedAsync(context));
    }
}
