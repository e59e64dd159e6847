using Tidings.Server.Auth;

namespace Tidings.Server.Features.Moderation;

/// <summary>The routes of reports and of those who act on them.</summary>
internal static class ModerationApi
{
    public static IServiceCollection AddModeration(this IServiceCollection services) =>
        services
            .AddSingleton<Suspensions>()
            .AddHostedService(provider => provider.GetRequiredService<Suspensions>());

    public static IEndpointRouteBuilder MapModeration(this IEndpointRouteBuilder routes)
    {
        routes.MapPost("/api/reports", CreateReport.HandleAsync).WithName("CreateReport").WithTags("moderation").RequireAuthorization()
            .Accepts<CreateReport.Request>("application/json").Produces<ReportAnswer>(201).ProducesProblem(400).ProducesProblem(404);

        var group = routes.MapGroup("/api/moderation").WithTags("moderation");
        group.MapPut("/moderators/{id}", Moderators.AddAsync).WithName("AddModerator").RequireAuthorization(AuthSetup.Backend).Produces(204).ProducesProblem(404);
        group.MapDelete("/moderators/{id}", Moderators.RemoveAsync).WithName("RemoveModerator").RequireAuthorization(AuthSetup.Backend).Produces(204).ProducesProblem(404);

        var moderators = group.MapGroup("").RequireAuthorization(policy => policy.RequireAuthenticatedUser()).AddEndpointFilter(Moderators.FilterAsync);
        moderators.MapGet("/reports", Reports.ListAsync).WithName("ListReports").Produces<ReportPage>().ProducesProblem(400).ProducesProblem(403);
        moderators.MapPost("/reports/{id}/resolve", Reports.ResolveAsync).WithName("ResolveReport")
            .Accepts<Reports.Request>("application/json").Produces(204).ProducesProblem(400).ProducesProblem(403).ProducesProblem(404);
        moderators.MapPost("/posts/{id}/hide", HidePost.HideAsync).WithName("HidePost").Produces(204).ProducesProblem(403).ProducesProblem(404);
        moderators.MapPost("/posts/{id}/restore", HidePost.RestoreAsync).WithName("RestorePost").Produces(204).ProducesProblem(403).ProducesProblem(404);
        moderators.MapPost("/comments/{id}/hide", HideComment.HideAsync).WithName("HideComment").Produces(204).ProducesProblem(403).ProducesProblem(404);
        moderators.MapPost("/comments/{id}/restore", HideComment.RestoreAsync).WithName("RestoreComment").Produces(204).ProducesProblem(403).ProducesProblem(404);
        moderators.MapPost("/users/{id}/suspend", SuspendUser.SuspendAsync).WithName("SuspendUser").Produces(204).ProducesProblem(400).ProducesProblem(403).ProducesProblem(404);
        moderators.MapPost("/users/{id}/lift", SuspendUser.LiftAsync).WithName("LiftSuspension").Produces(204).ProducesProblem(403);
        moderators.MapGet("/audit", Audit.HandleAsync).WithName("ReadAudit").WithSummary("Who did what, the newest first.").Produces<AuditPage>().ProducesProblem(403);
        return routes;
    }
}
