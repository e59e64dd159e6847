using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.HostFiltering;
using Microsoft.AspNetCore.Http.Metadata;
using Microsoft.AspNetCore.RateLimiting;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using Tidings.Protocols.Native;

namespace Tidings.Protocols.Upgrade;

/// <summary>Marks an endpoint as ours.</summary>
/// <param name="Path">Where it is within its group.</param>
/// <param name="TakesWebSockets">Whether it is one that is served before HTTP.</param>
/// <param name="HasFilters">Whether the host put endpoint filters before it.</param>
internal sealed record TidingsEndpoint(string Path, bool TakesWebSockets, bool HasFilters);

/// <summary>
/// A WebSocket that is served before HTTP passes by everything that the host hangs on its endpoint. So whatever is there and not known
/// to be mere description stops the start.
/// </summary>
internal static class UpgradeCheck
{
    /// <exception cref="InvalidOperationException">The host asks for something that a WebSocket served before HTTP would pass by.</exception>
    public static void Run(IServiceProvider services)
    {
        var ours = services.GetRequiredService<EndpointDataSource>().Endpoints.OfType<RouteEndpoint>()
            .Select(static endpoint => (Endpoint: endpoint, Mark: endpoint.Metadata.GetMetadata<TidingsEndpoint>()))
            .Where(static pair => pair.Mark is { TakesWebSockets: true })
            .ToList();
        if (ours.Count == 0) throw Problem(NativeEndpoint.Path, "MapTidings was not called.");
        foreach (var (endpoint, mark) in ours)
            if (FindProblem(services, endpoint, mark!) is { } problem) throw Problem(mark!.Path, problem);
    }

    /// <summary>Whether the host takes requests for some host names only, which a middleware before routing sees to.</summary>
    public static bool HasFilteredHosts(IServiceProvider services) =>
        services.GetService<IOptions<HostFilteringOptions>>()?.Value.AllowedHosts.Any(static host => host is not ("*" or "[::]" or "0.0.0.0")) ?? false;

    private static InvalidOperationException Problem(string what, string problem) =>
        new($"UseTidings serves {what} before HTTP, but {problem} Remove UseTidings from the endpoint, or what it cannot honour.");

    private static string? FindProblem(IServiceProvider services, RouteEndpoint ours, TidingsEndpoint mark)
    {
        if (ours.RoutePattern.RawText != mark.Path) return $"MapTidings put it at {ours.RoutePattern.RawText}.";
        if (mark.HasFilters) return "there are endpoint filters on it.";
        if (ours.Metadata.FirstOrDefault(static item => !IsDescription(item)) is { } unknown) return $"there is {unknown.GetType().Name} on it.";

        if (services.GetService<IOptions<AuthorizationOptions>>()?.Value.FallbackPolicy is not null && ours.Metadata.GetMetadata<IAllowAnonymous>() is null)
            return "the app has an authorization FallbackPolicy.";
        if (services.GetService<IOptions<RateLimiterOptions>>()?.Value.GlobalLimiter is not null) return "the app has a global rate limiter.";
        return HasFilteredHosts(services) ? "the app takes some host names only (AllowedHosts)." : null;
    }

    private static bool IsDescription(object item) =>
        item is TidingsEndpoint or IAllowAnonymous or IExcludeFromDescriptionMetadata or IEndpointNameMetadata or IRouteNameMetadata or ITagsMetadata
            or IEndpointSummaryMetadata or IEndpointDescriptionMetadata or IRouteDiagnosticsMetadata
        || item.GetType().Namespace is "System.Runtime.CompilerServices" or "System.Diagnostics";
}
