using Tidings.Server.Auth;
using Tidings.Server.Features.Posts;

namespace Tidings.Server.Features.Scheduling;

/// <summary>The routes of scheduled publishing.</summary>
internal static class SchedulingApi
{
    public static IEndpointRouteBuilder MapScheduling(this IEndpointRouteBuilder routes)
    {
        var own = routes.MapGroup("/api/posts/{id}").WithTags("publishing").RequireAuthorization();
        own.MapPost("/publish", PublishNow.HandleAsync).WithName("PublishPost").WithSummary("Publishes a draft or a scheduled post now.")
            .Produces<PostChanged>().ProducesProblem(400).ProducesProblem(403).ProducesProblem(404).ProducesProblem(409).ProducesProblem(422);
        own.MapPost("/schedule", SchedulePost.HandleAsync).WithName("SchedulePost").WithSummary("Says when and where a post is to be published.")
            .Accepts<SchedulePost.Request>("application/json").Produces<ScheduleAnswer>()
            .ProducesProblem(400).ProducesProblem(403).ProducesProblem(404).ProducesProblem(409).ProducesProblem(422);
        own.MapDelete("/schedule", CancelSchedule.HandleAsync).WithName("CancelSchedule").WithSummary("Calls off what has not begun.")
            .Produces<ScheduleAnswer>().ProducesProblem(403).ProducesProblem(404).ProducesProblem(409);
        own.MapGet("/targets", GetTargets.HandleAsync).WithName("GetTargets").WithSummary("Where a post is published, with every attempt; for its author.")
            .Produces<TargetsAnswer>().ProducesProblem(403).ProducesProblem(404);
        own.MapPost("/targets/{targetId}/retry", RetryTarget.HandleAsync).WithName("RetryTarget").Produces<TargetAnswer>()
            .ProducesProblem(403).ProducesProblem(404).ProducesProblem(409);
        own.MapPost("/targets/{targetId}/resolve", ResolveTarget.HandleAsync).WithName("ResolveTarget").WithSummary("Says what became of a target that nobody knows of.")
            .Accepts<ResolveTarget.Request>("application/json").Produces<TargetAnswer>().ProducesProblem(400).ProducesProblem(403).ProducesProblem(404).ProducesProblem(409);

        var publishing = routes.MapGroup("/api/publishing").WithTags("publishing").RequireAuthorization();
        publishing.MapGet("/targets", GetTargets.ListAsync).WithName("ListTargets").WithSummary("What failed, is unknown or was skipped of the user's posts.")
            .Produces<TargetPage>().ProducesProblem(400);
        publishing.MapPost("/retry", RetryFailed.HandleAsync).WithName("RetryFailed").WithSummary("Tries again what failed.").Produces<RetriedAnswer>().ProducesProblem(400);

        routes.MapGet("/api/cron/publish-posts", CronPublish.HandleAsync).IgnoreCredentials().WithTags("publishing").WithName("PublishDuePosts")
            .WithSummary("Publishes what is due; for outside schedulers, with Tidings:CronSecret.").Produces<ProcessedAnswer>().ProducesProblem(401);
        return routes;
    }
}
