using Tidings.Server.Features.Posts;
using Tidings.Server.Storage;

namespace Tidings.Server.Publishing;

/// <summary>
/// Publishes on this server's own feed: the post, its events and the target's outcome are one unit, which names the attempt. So it happens once,
/// whatever dies and whoever else believes to have the target.
/// </summary>
internal sealed class FeedTarget(Store store, TargetClaims claims, FeedPublication feed, NodeName node)
{
    /// <summary>Publishes, and claims what is next in the lane.</summary>
    /// <returns>The target's new state, and what was claimed.</returns>
    /// <exception cref="LostClaimException">The target is another's: nothing was written.</exception>
    public async Task<(string State, TargetRow? Next)> PublishAsync(TargetRow target, bool claimNext, DateTimeOffset now, CancellationToken cancellationToken)
    {
        var how = feed.Begin();
        CrashPoints.Reached("target-claimed");
        var (state, next) = await store.WriteAsync<(string?, TargetRow?)>(
            async write =>
            {
                if (await PostTargets.LockAsync(write, target.PostId).ConfigureAwait(false) is not { } post) return (null, null);
                var draft = await FeedPublication.LockAsync(write, target.PostId, target.UserId, now).ConfigureAwait(false);
                var problem = draft is null ? "The post is gone." : post.Status == "hidden" ? "A moderator has hidden the post."
                    : await OutgoingPosts.IsSuspendedAsync(write, post.AuthorId, now).ConfigureAwait(false) ? "Your account is suspended." : null;
                var mayPublish = problem is null;
                var done = mayPublish ? TargetStates.Succeeded : TargetStates.Failed;
                if (await write.ExecuteAsync(Sql.End, new { target.Id, target.Attempt, State = done, Reason = problem, Now = now }).ConfigureAwait(false) == 0) return (null, null);

                if (mayPublish)
                {
                    await write.ExecuteAsync(Sql.Attempt, new { target.Id, Number = target.Attempt, target.IdempotencyKey, Owner = node.Value, Now = now }).ConfigureAwait(false);
                    if (!post.IsOnFeed) await FeedPublication.PublishAsync(write, draft!, how, now).ConfigureAwait(false);
                    post = post with { Status = "published" };
                    await PostTargets.TellAsync(write, post, "post:published", TargetRow.OwnFeed, null, now).ConfigureAwait(false);
                }

                else
                {
                    await PostTargets.TellFailedAsync(write, post, target, problem!, now).ConfigureAwait(false);
                }

                await PostTargets.SettleAsync(write, post, isSuccess: mayPublish, now).ConfigureAwait(false);
                return (done, claimNext ? await claims.ClaimNextAsync(write, target.Lane, now.ToUnixTimeMilliseconds()).ConfigureAwait(false) : null);
            },
            cancellationToken).ConfigureAwait(false);

        CrashPoints.Reached("target-ended");
        feed.Done(how);
        return (state ?? throw new LostClaimException(), next);
    }

    private static class Sql
    {
        public const string End = """
            UPDATE targets
            SET state = @State, tries = tries + 1, first_attempt_at = coalesce(first_attempt_at, @Now), owner = NULL, lease_until = NULL, reason = @Reason, updated_at = @Now
            WHERE id = @Id AND attempt = @Attempt AND state = 'claimed'
            """;

        public const string Attempt = """
            INSERT INTO attempts (target_id, number, idempotency_key, payload_hash, owner, started_at, finished_at, outcome, latency)
            VALUES (@Id, @Number, @IdempotencyKey, '', @Owner, @Now, @Now, 'sent', 0)
            """;
    }
}
