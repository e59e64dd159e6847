namespace Tidings.Server.Features.Likes;

/// <summary>The routes of likes.</summary>
internal static class LikesApi
{
    public static IEndpointRouteBuilder MapLikes(this IEndpointRouteBuilder routes)
    {
        var likes = routes.MapGroup("/api/posts/{id}/like").WithTags("likes").RequireAuthorization();
        likes.MapPost("", LikePost.LikeAsync).WithName("LikePost").Produces<LikesAnswer>().ProducesProblem(404);
        likes.MapDelete("", LikePost.UnlikeAsync).WithName("UnlikePost").Produces<LikesAnswer>().ProducesProblem(404);
        return routes;
    }
}
