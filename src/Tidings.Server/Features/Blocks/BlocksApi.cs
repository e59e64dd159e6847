namespace Tidings.Server.Features.Blocks;

/// <summary>The routes of blocks.</summary>
internal static class BlocksApi
{
    public static IEndpointRouteBuilder MapBlocks(this IEndpointRouteBuilder routes)
    {
        var blocks = routes.MapGroup("/api/users/{id}/block").WithTags("blocks").RequireAuthorization();
        blocks.MapPost("", BlockUser.BlockAsync).WithName("BlockUser").Produces(204).ProducesProblem(404).ProducesProblem(422);
        blocks.MapDelete("", BlockUser.UnblockAsync).WithName("UnblockUser").Produces(204).ProducesProblem(404);
        return routes;
    }
}
