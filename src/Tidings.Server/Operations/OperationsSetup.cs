namespace Tidings.Server.Operations;

/// <summary>Health and metrics.</summary>
internal static class OperationsSetup
{
    public static IServiceCollection AddOperations(this IServiceCollection services) => services.AddSingleton<PrometheusText>();

    public static void MapOperations(this IEndpointRouteBuilder routes)
    {
        routes.ServiceProvider.GetRequiredService<PrometheusText>(); // it counts from now on, not from the first who asks
        routes.MapHealth();
        routes.MapGet("/metrics", static (PrometheusText metrics) => TypedResults.Text(metrics.Write(), "text/plain; version=0.0.4; charset=utf-8"))
            .RequireAuthorization("Backend")
            .WithTags("operations")
            .WithSummary("What was counted, in the Prometheus text format; for the app secret.");
    }
}
