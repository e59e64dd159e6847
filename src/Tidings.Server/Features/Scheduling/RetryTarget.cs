using Tidings.Server.Auth;
using Tidings.Server.Host;
using Tidings.Server.Publishing;
using Tidings.Server.Storage;

namespace Tidings.Server.Features.Scheduling;

/// <summary>Tries one target again, now: one that failed, was skipped or canceled, or that waits for its next try. The others stay as they are.</summary>
internal static class RetryTarget
{
    public static async Task<IResult> HandleAsync(
        string id, string targetId, CurrentUser author, Store store, TargetPlan plan, PublishingRun run, TimeProvider clock, CancellationToken cancellationToken)
    {
        var now = clock.GetUtcNow();
        var (_, problem) = await OwnPosts.ReadAsync(store, id, author.Id, now, cancellationToken);
        if (problem is not null) return problem;

        var (target, state) = await store.WriteAsync<(TargetRow?, string?)>(
            async write =>
            {
                if (await PostTargets.LockAsync(write, id) is not { Deleted: 0 } post) return default;
                var before = (await PostTargets.ReadAsync(write, id)).FirstOrDefault(one => one.Id == targetId);
                if (before is null || !MayBeRetried(before.State)) return (before, null);
                await TargetChanges.DueAsync(write, [targetId], now, plan.Grace, now);
                var settled = await PostTargets.SettleAsync(write, post, isSuccess: false, now);
                return (before with { State = TargetStates.Pending, Reason = null }, settled);
            },
            cancellationToken);

        if (target is null) return Problems.NotFound("target");
        if (state is null)
        {
            return target.State == TargetStates.Unknown
                ? Problems.Problem(409, "unknown_outcome", "It may have been posted: look there, and say so with resolve.")
                : Problems.Problem(409, "not_failed", "This target did not fail.");
        }

        run.Wake();
        return TypedResults.Json(new TargetAnswer(id, state, PostTargets.ViewOf(target)), SchedulingJson.Answers.TargetAnswer);
    }

    /// <summary>Whether a target of this state may be tried again without asking anybody what became of it.</summary>
    public static bool MayBeRetried(string state) => state is TargetStates.Failed or TargetStates.Skipped or TargetStates.Canceled or TargetStates.RetryWait;
}
