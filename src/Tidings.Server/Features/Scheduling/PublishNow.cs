using Tidings.Server.Auth;
using Tidings.Server.Features.Access;
using Tidings.Server.Features.Posts;
using Tidings.Server.Host;
using Tidings.Server.Publishing;
using Tidings.Server.Storage;

namespace Tidings.Server.Features.Scheduling;

/// <summary>
/// Publishes a post at once that is not published: a draft, or one that is scheduled, was missed, canceled or failed. On this server it is published with
/// the answer, elsewhere right after. Asked twice it is done once. Whoever else asks knows of no such post.
/// </summary>
internal static class PublishNow
{
    private const int MaxBody = 16 * 1024;

    /// <summary>Where else; absent: where it was to be published.</summary>
    public sealed record Request(IReadOnlyList<string>? AccountIds);

    public static async Task<IResult> HandleAsync(
        string id, HttpRequest http, CurrentUser author, Store store, TargetPlan plan, FeedPublication feed, PublishingRun run, TimeProvider clock,
        CancellationToken cancellationToken)
    {
        var receivedAt = clock.GetTimestamp();
        var now = clock.GetUtcNow();
        IReadOnlyList<PlannedAccount>? accounts = null;
        if (http.ContentLength is > 0 || http.ContentType is not null)
        {
            var body = await RequestJson.ReadAsync(http, SchedulingRequestJson.Strict.PublishNow, MaxBody, withFingerprint: false, cancellationToken);
            if (body.Value is not { } request) return body.Problem!;
            var errors = new Dictionary<string, string[]>(StringComparer.Ordinal);
            TargetPlan.CheckIds(request.AccountIds, errors);
            if (errors.Count > 0) return Problems.Invalid(errors);
            if (request.AccountIds is not null)
            {
                var (row, refusal) = await OwnPosts.ReadAsync(store, id, author.Id, now, cancellationToken);
                if (refusal is not null) return refusal;
                (accounts, var problem) = await plan.CheckAsync(request.AccountIds, row!, null, now, cancellationToken);
                if (problem is not null) return problem;
            }
        }

        var how = feed.Begin();
        var (found, hasChanged, hasTargets) = await store.WriteAsync<(PostRow?, bool, bool)>(
            async write =>
            {
                var draft = await FeedPublication.LockAsync(write, id, author.Id, now);
                if (draft is null || draft.AuthorId != author.Id || !OwnPosts.MayBeScheduled(draft.Status)) return (draft, false, false);

                var locked = (await PostTargets.LockAsync(write, id))!;
                var post = await FeedPublication.PublishAsync(write, draft, how, now, receivedAt);
                if (accounts is not { Count: > 0 } && locked.Publishing is null) return (post, true, false); // a draft for this server alone has no targets

                await SchedulePost.PlaceAsync(write, draft, accounts, now, plan.Grace, now);
                await write.ExecuteAsync(Sql.FeedIsDone, new { PostId = id, Now = now });
                await PostTargets.SettleAsync(write, locked with { Status = "published" }, isSuccess: true, now);
                return (post, true, true);
            },
            cancellationToken);

        if (found is null || found.View() == PostView.Hidden) return Problems.NotFound("post");
        if (found.AuthorId != author.Id) return Problems.Problem(403, "forbidden", "Only its author may publish a post.");
        if (hasChanged) feed.Done(how);
        if (hasTargets) run.Wake();
        return found.Status == PostStates.Publishing
            ? OwnPosts.TooLate
            : TypedResults.Json(new PostChanged(true, found.Whole()), PostsJson.Answers.PostChanged);
    }

    /// <summary>Marks this server's feed as done among the targets of a post that was just put there.</summary>
    public static ValueTask<int> FeedIsDoneAsync(IWriteUnit write, string postId, DateTimeOffset now) => write.ExecuteAsync(Sql.FeedIsDone, new { PostId = postId, Now = now });

    private static class Sql
    {
        public const string FeedIsDone =
            "UPDATE targets SET state = 'succeeded', attempt = attempt + 1, reason = NULL, updated_at = @Now WHERE post_id = @PostId AND account_id = ''";
    }
}
