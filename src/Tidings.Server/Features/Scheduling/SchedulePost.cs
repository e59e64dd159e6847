using Tidings.Server.Auth;
using Tidings.Server.Features.Posts;
using Tidings.Server.Host;
using Tidings.Server.Publishing;
using Tidings.Server.Storage;

namespace Tidings.Server.Features.Scheduling;

/// <summary>
/// Schedules a post that is not published: a draft, one that is scheduled already, or one that was missed, canceled or failed. Accounts that are named
/// take the place of those it had; without any it keeps those.
/// </summary>
internal static class SchedulePost
{
    private const int MaxBody = 16 * 1024;

    public sealed record Request
    {
        public string? ScheduledAt { get; init; }
        public string? TimeZone { get; init; }
        public string? Overlap { get; init; }
        public int? GraceMinutes { get; init; }
        public IReadOnlyList<string>? AccountIds { get; init; }
    }

    public static async Task<IResult> HandleAsync(
        string id, HttpRequest http, CurrentUser author, Store store, TargetPlan plan, PublishingRun run, TimeProvider clock, CancellationToken cancellationToken)
    {
        var body = await RequestJson.ReadAsync(http, SchedulingRequestJson.Strict.SchedulePost, MaxBody, withFingerprint: false, cancellationToken);
        if (body.Value is not { } request) return body.Problem!;

        var now = clock.GetUtcNow();
        var errors = new Dictionary<string, string[]>(StringComparer.Ordinal);
        var time = TargetPlan.ReadTime(request.ScheduledAt, request.TimeZone, request.Overlap, request.GraceMinutes, now, errors);
        TargetPlan.CheckIds(request.AccountIds, errors);
        if (errors.Count > 0) return Problems.Invalid(errors);

        var (row, refusal) = await OwnPosts.ReadAsync(store, id, author.Id, now, cancellationToken);
        if (refusal is not null) return refusal;
        var (accounts, problem) = await plan.CheckAsync(request.AccountIds, row!, null, time!.Instant, cancellationToken);
        if (problem is not null) return problem;

        var grace = request.GraceMinutes is { } minutes ? TimeSpan.FromMinutes(minutes) : plan.Grace;
        var done = await store.WriteAsync<ScheduleAnswer?>(
            async write =>
            {
                if (await PostTargets.LockAsync(write, id) is not { Deleted: 0 } post || !OwnPosts.MayBeScheduled(post.Status)) return null;
                var locked = (await FeedPublication.LockAsync(write, id, author.Id, now))!;
                await TargetPlan.KeepAsync(write, id, time, grace);
                await PlaceAsync(write, locked, request.AccountIds is null ? null : accounts, time.Instant, grace, now);
                return await OwnPosts.AnswerAsync(write, post, author.Id, ScheduleView.Of(time), now);
            },
            cancellationToken);
        if (done is null) return OwnPosts.TooLate;
        run.Wake();
        return TypedResults.Json(done, ScheduledPostJson.Answers.ScheduleAnswer);
    }

    /// <summary>Lets the targets that a locked post is to have wait for a time, and takes the others away.</summary>
    /// <param name="write">The unit.</param>
    /// <param name="post">The post.</param>
    /// <param name="accounts">Where, beside this server's feed; null: where it was to be published already.</param>
    /// <param name="dueAt">When.</param>
    /// <param name="grace">How late it may be.</param>
    /// <param name="now">The time.</param>
    public static async ValueTask PlaceAsync(
        IWriteUnit write, PostRow post, IReadOnlyList<PlannedAccount>? accounts, DateTimeOffset dueAt, TimeSpan grace, DateTimeOffset now)
    {
        var there = await PostTargets.ReadAsync(write, post.Id);
        bool IsMeant(TargetRow target) => target.AccountId.Length == 0 || accounts is null || accounts.Any(account => account.Id == target.AccountId);

        await TargetChanges.RemoveAsync(write, there.Where(target => !IsMeant(target)).Select(static target => target.Id));
        await TargetChanges.DueAsync(write, there.Where(IsMeant).Select(static target => target.Id), dueAt, grace, now);

        List<TargetRow> added = there.Any(static target => target.AccountId.Length == 0) ? [] : [TargetPlan.New(post, null, dueAt, grace, now)];
        added.AddRange((accounts ?? []).Where(account => there.All(target => target.AccountId != account.Id)).Select(account => TargetPlan.New(post, account, dueAt, grace, now)));
        await TargetPlan.AddAsync(write, added, now);
    }
}
