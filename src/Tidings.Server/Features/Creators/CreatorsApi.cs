using Tidings.Server.Features.Tiers;

namespace Tidings.Server.Features.Creators;

/// <summary>The routes of creators.</summary>
internal static class CreatorsApi
{
    public static IEndpointRouteBuilder MapCreators(this IEndpointRouteBuilder routes)
    {
        var creators = routes.MapGroup("/api/creators").WithTags("creators");
        creators.MapGet("", ListCreators.HandleAsync).WithName("ListCreators").Produces<CreatorsAnswer>().ProducesProblem(400);
        creators.MapGet("/{id}", GetCreator.HandleAsync).WithName("GetCreator").Produces<CreatorAnswer>().ProducesProblem(404);
        creators.MapPut("/me/tiers", SetTiers.HandleAsync).WithName("SetTiers").RequireAuthorization()
            .Accepts<IReadOnlyList<SetTiers.Request>>("application/json").Produces<IReadOnlyList<TierView>>()
            .ProducesProblem(400).ProducesProblem(413);
        creators.MapPatch("/me", EditCreator.HandleAsync).WithName("EditCreator").RequireAuthorization()
            .Accepts<EditCreator.Request>("application/json").Produces<EditCreator.Answer>()
            .ProducesProblem(400).ProducesProblem(404).ProducesProblem(413);
        return routes;
    }
}
