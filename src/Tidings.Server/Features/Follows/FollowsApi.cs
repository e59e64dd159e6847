namespace Tidings.Server.Features.Follows;

/// <summary>The routes of follows. They need nothing registered but the store.</summary>
internal static class FollowsApi
{
    public static IEndpointRouteBuilder MapFollows(this IEndpointRouteBuilder routes)
    {
        var follows = routes.MapGroup("/api/creators/{id}/follow").WithTags("follows").RequireAuthorization();
        follows.MapPost("", FollowCreator.FollowAsync).WithName("FollowCreator").Produces(204).ProducesProblem(404).ProducesProblem(422);
        follows.MapDelete("", FollowCreator.UnfollowAsync).WithName("UnfollowCreator").Produces(204).ProducesProblem(404);
        return routes;
    }
}
