using Tidings.Server.Auth;
using Tidings.Server.Host;
using Tidings.Server.Publishing;
using Tidings.Server.Storage;

namespace Tidings.Server.Features.Scheduling;

/// <summary>
/// Calls off what has not begun: a scheduled post is <c>canceled</c> then and may be scheduled again, published or deleted; of one that is on its way the
/// targets that still wait are.
/// </summary>
internal static class CancelSchedule
{
    public static async Task<IResult> HandleAsync(string id, CurrentUser author, Store store, TimeProvider clock, CancellationToken cancellationToken)
    {
        var now = clock.GetUtcNow();
        var (_, problem) = await OwnPosts.ReadAsync(store, id, author.Id, now, cancellationToken);
        if (problem is not null) return problem;

        var done = await store.WriteAsync<ScheduleAnswer?>(
            async write =>
            {
                if (await PostTargets.LockAsync(write, id) is not { Deleted: 0 } post || await TargetChanges.CancelAsync(write, id, now) == 0) return null;
                return await OwnPosts.AnswerAsync(write, post, author.Id, null, now);
            },
            cancellationToken);
        return done is null
            ? Problems.Problem(409, "not_scheduled", "Nothing of this post waits for its time.")
            : TypedResults.Json(done, ScheduledPostJson.Answers.ScheduleAnswer);
    }
}
