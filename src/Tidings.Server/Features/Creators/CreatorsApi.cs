namespace Tidings.Server.Features.Creators;

/// <summary>The routes that show creators. They need nothing registered but the store.</summary>
internal static class CreatorsApi
{
    public static IEndpointRouteBuilder MapCreators(this IEndpointRouteBuilder routes)
    {
        var creators = routes.MapGroup("/api/creators").WithTags("creators");
        creators.MapGet("", ListCreators.HandleAsync).WithName("ListCreators").Produces<CreatorsAnswer>().ProducesProblem(400);
        creators.MapGet("/{id}", GetCreator.HandleAsync).WithName("GetCreator").Produces<CreatorAnswer>().ProducesProblem(404);
        return routes;
    }
}
