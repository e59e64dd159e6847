using Tidings.Server.Auth;
using Tidings.Server.Host;
using Tidings.Server.Publishing;
using Tidings.Server.Storage;

namespace Tidings.Server.Features.Scheduling;

/// <summary>The author says what became of a target that nobody knows of: it is there, or it is to be posted again.</summary>
internal static class ResolveTarget
{
    private const int MaxBody = 4 * 1024;

    /// <summary><c>published</c> or <c>again</c>.</summary>
    public sealed record Request(string? As);

    public static async Task<IResult> HandleAsync(
        string id, string targetId, HttpRequest http, CurrentUser author, Store store, TargetPlan plan, PublishingRun run, TimeProvider clock, CancellationToken cancellationToken)
    {
        var body = await RequestJson.ReadAsync(http, SchedulingRequestJson.Strict.ResolveTarget, MaxBody, withFingerprint: false, cancellationToken);
        if (body.Value is not { } request) return body.Problem!;
        if (request.As is not ("published" or "again")) return Problems.Invalid("as", "This must be published or again.");

        var now = clock.GetUtcNow();
        var (_, problem) = await OwnPosts.ReadAsync(store, id, author.Id, now, cancellationToken);
        if (problem is not null) return problem;

        var (target, state) = await store.WriteAsync<(TargetRow?, string?)>(
            async write =>
            {
                if (await PostTargets.LockAsync(write, id) is not { Deleted: 0 } post) return default;
                var before = (await PostTargets.ReadAsync(write, id)).FirstOrDefault(one => one.Id == targetId);
                if (before is not { State: TargetStates.Unknown }) return (before, null);

                var isThere = request.As == "published";
                if (isThere)
                {
                    await write.ExecuteAsync(Sql.IsThere, new { Id = targetId, Now = now });
                }
                else
                {
                    // What is there, if anything, is not what is posted now: it gets a key of its own.
                    await write.ExecuteAsync(Sql.Again, new { Id = targetId, Now = now });
                    await TargetChanges.BumpRevisionAsync(write, id, now);
                    await TargetChanges.DueAsync(write, [targetId], now, plan.Grace, now);
                }

                var settled = await PostTargets.SettleAsync(write, post, isThere, now);
                return ((await PostTargets.ReadAsync(write, id)).First(one => one.Id == targetId), settled);
            },
            cancellationToken);

        if (target is null) return Problems.NotFound("target");
        if (state is null) return Problems.Problem(409, "not_unknown", "It is known what became of this target.");
        run.Wake();
        return TypedResults.Json(new TargetAnswer(id, state, PostTargets.ViewOf(target)), SchedulingJson.Answers.TargetAnswer);
    }

    private static class Sql
    {
        public const string IsThere = "UPDATE targets SET state = 'succeeded', attempt = attempt + 1, doubt = 0, reason = NULL, updated_at = @Now WHERE id = @Id";

        public const string Again =
            "UPDATE targets SET state = 'pending', attempt = attempt + 1, doubt = 0, first_attempt_at = NULL, progress = NULL, updated_at = @Now WHERE id = @Id";
    }
}
