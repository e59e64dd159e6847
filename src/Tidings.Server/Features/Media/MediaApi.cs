namespace Tidings.Server.Features.Media;

/// <summary>The routes of media.</summary>
internal static class MediaApi
{
    private static readonly string[] Reading = ["GET", "HEAD"];

    public static IEndpointRouteBuilder MapMedia(this IEndpointRouteBuilder routes)
    {
        var media = routes.MapGroup("/api/media").WithTags("media");
        media.MapPost("", UploadMedia.HandleAsync).WithName("UploadMedia").RequireAuthorization()
            .Produces<MediaAnswer>(201).ProducesProblem(400).ProducesProblem(413).ProducesProblem(415).ProducesProblem(422);
        media.MapMethods("/{id}", Reading, GetMedia.HandleAsync).WithName("GetMedia").Produces(200).Produces(206).Produces(304).ProducesProblem(404);
        return routes;
    }
}
