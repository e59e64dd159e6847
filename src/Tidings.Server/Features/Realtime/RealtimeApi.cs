namespace Tidings.Server.Features.Realtime;

/// <summary>The routes of backends: whoever holds the app secret, by the policy <c>Backend</c>.</summary>
internal static class RealtimeApi
{
    public static IEndpointRouteBuilder MapRealtimeApi(this IEndpointRouteBuilder routes)
    {
        var backends = routes.MapGroup("/api/realtime").WithTags("backends").RequireAuthorization("Backend");
        backends.MapPost("/publish", PublishFromBackend.HandleAsync).WithName("PublishFromBackend")
            .Accepts<PublishFromBackend.Request>("application/json").Produces<PublishFromBackend.Answer>()
            .ProducesProblem(400).ProducesProblem(404).ProducesProblem(413);
        return routes;
    }
}
