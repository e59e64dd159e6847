using System.Text.Json;
using Tidings.Server.Publishing;
using Tidings.Server.Storage;

namespace Tidings.Server.Features.Scheduling;

/// <summary>
/// What an author does to targets. The post's row is locked. Each change raises the targets' attempts, so that a worker that has one of them writes no
/// more of it.
/// </summary>
internal static class TargetChanges
{
    /// <summary>Lets targets wait for a time, those of these ids (a JSON array) that are not on their way and were not published.</summary>
    public static async ValueTask DueAsync(IWriteUnit write, IEnumerable<string> ids, DateTimeOffset dueAt, TimeSpan grace, DateTimeOffset now)
    {
        var due = dueAt.ToUnixTimeMilliseconds();
        await write.ExecuteAsync(Sql.Due, new
        {
            Ids = JsonSerializer.Serialize(ids),
            Due = due,
            MissAt = due + (long)grace.TotalMilliseconds,
            GiveUpAt = due + (long)RetryDelays.GiveUpAfter.TotalMilliseconds,
            KeyBefore = now - AfterAttempt.KeyIsKept,
            Now = now,
        });
    }

    /// <summary>Cancels what waits of a post.</summary>
    /// <returns>How many targets there were.</returns>
    public static ValueTask<int> CancelAsync(IWriteUnit write, string postId, DateTimeOffset now) =>
        write.ExecuteAsync(Sql.Cancel, new { PostId = postId, Now = now });

    /// <summary>Takes away targets to which a post is not to go any more, so that no later schedule takes them up again.</summary>
    public static async ValueTask RemoveAsync(IWriteUnit write, IEnumerable<string> ids)
    {
        var asked = new { Ids = JsonSerializer.Serialize(ids) };
        await write.ExecuteAsync(Sql.RemoveAttempts, asked);
        await write.ExecuteAsync(Sql.Remove, asked);
    }

    /// <summary>A post was edited: what was not begun is published under a new key.</summary>
    public static async ValueTask BumpRevisionAsync(IWriteUnit write, string postId, DateTimeOffset now)
    {
        await write.ExecuteAsync(Sql.Revise, new { PostId = postId });
        await write.ExecuteAsync(Sql.ReviseTargets, new { PostId = postId, Now = now });
    }

    private static class Sql
    {
        /// <summary>What was begun long ago is looked for before it is sent again: its platform may have forgotten the key.</summary>
        public const string Due = """
            UPDATE targets
            SET state = 'pending', due_at = @Due, next_at = @Due, miss_at = @MissAt, give_up_at = @GiveUpAt, tries = 0, attempt = attempt + 1, owner = NULL, lease_until = NULL,
                doubt = CASE WHEN doubt > 0 AND first_attempt_at < @KeyBefore THEN 2 ELSE doubt END, reason = NULL, updated_at = @Now
            WHERE id IN (SELECT value FROM json_each(@Ids)) AND state IN ('pending', 'claimed', 'retry_wait', 'failed', 'skipped', 'canceled')
            """;

        public const string Cancel = """
            UPDATE targets SET state = 'canceled', attempt = attempt + 1, owner = NULL, lease_until = NULL, updated_at = @Now
            WHERE post_id = @PostId AND state IN ('pending', 'claimed', 'retry_wait')
            """;

        public const string RemoveAttempts = "DELETE FROM attempts WHERE target_id IN (SELECT value FROM json_each(@Ids))";

        public const string Remove = "DELETE FROM targets WHERE id IN (SELECT value FROM json_each(@Ids))";

        public const string Revise = "UPDATE posts SET revision = revision + 1 WHERE id = @PostId";

        public const string ReviseTargets = """
            UPDATE targets
            SET revision = (SELECT revision FROM posts WHERE id = @PostId),
                idempotency_key = id || '-' || CAST((SELECT revision FROM posts WHERE id = @PostId) AS text), updated_at = @Now
            WHERE post_id = @PostId AND first_attempt_at IS NULL AND state IN ('pending', 'claimed', 'retry_wait', 'skipped', 'canceled')
            """;
    }
}
