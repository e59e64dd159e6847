namespace Tidings.Server.Features.Comments;

/// <summary>The routes of comments. They need nothing registered but the store and the log.</summary>
internal static class CommentsApi
{
    public static IEndpointRouteBuilder MapComments(this IEndpointRouteBuilder routes)
    {
        var comments = routes.MapGroup("/api/posts/{id}/comments").WithTags("comments");
        comments.MapGet("", ListComments.HandleAsync).WithName("ListComments")
            .WithSummary("A post's comments, the newest first; with parentId that comment's replies, the oldest first.")
            .Produces<CommentPage>().ProducesProblem(400).ProducesProblem(404);

        var own = comments.MapGroup("").RequireAuthorization();
        own.MapPost("", CreateComment.HandleAsync).WithName("CreateComment").Accepts<CreateComment.Request>("application/json")
            .Produces<CommentAnswer>(201).ProducesProblem(400).ProducesProblem(404).ProducesProblem(413).ProducesProblem(422);
        own.MapPatch("/{commentId}", EditComment.HandleAsync).WithName("EditComment").Accepts<EditComment.Request>("application/json")
            .Produces<CommentAnswer>().ProducesProblem(400).ProducesProblem(403).ProducesProblem(404).ProducesProblem(413);
        own.MapDelete("/{commentId}", DeleteComment.HandleAsync).WithName("DeleteComment")
            .Produces(204).ProducesProblem(403).ProducesProblem(404);
        return routes;
    }
}
