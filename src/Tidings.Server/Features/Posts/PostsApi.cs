using Microsoft.AspNetCore.Mvc;
using Tidings.Server.Host;

namespace Tidings.Server.Features.Posts;

/// <summary>The routes of posts.</summary>
internal static class PostsApi
{
    public static IEndpointRouteBuilder MapPosts(this IEndpointRouteBuilder routes)
    {
        var posts = routes.MapGroup("/api/posts").WithTags("posts");

        posts.MapGet("", ListPosts.HandleAsync).WithName("ListPosts").Produces<PostPage>().ProducesProblem(400);
        posts.MapGet("/{id}", GetPost.HandleAsync).WithName("GetPost").Produces<PostAnswer>().ProducesProblem(404);

        var own = posts.MapGroup("").RequireAuthorization()
            .WithMetadata(new RequestSizeLimitAttribute(Math.Max(JsonBodies.MaxBytes, routes.ServiceProvider.GetRequiredService<PostLimits>().BodyBytes)));
        own.MapPost("", CreatePost.HandleAsync).WithName("CreatePost").Accepts<CreatePost.Request>("application/json")
            .Produces<PostChanged>(201).ProducesProblem(400).ProducesProblem(422);
        own.MapPatch("/{id}", EditPost.HandleAsync).WithName("EditPost").Accepts<EditPost.Request>("application/json")
            .Produces<PostChanged>().ProducesProblem(400).ProducesProblem(403).ProducesProblem(404).ProducesProblem(422);
        own.MapDelete("/{id}", DeletePost.HandleAsync).WithName("DeletePost").Produces(204).ProducesProblem(403).ProducesProblem(404);
        return routes;
    }
}
