using Tidings.Server.Features.Scheduling;
using Tidings.Server.Storage;

namespace Tidings.Server.Publishing;

/// <summary>
/// Computes anew when scheduled posts are due whose instants were computed by another version of tzdb: an author means nine in the morning, whatever a
/// government has decided since.
/// </summary>
internal sealed partial class ZoneRules(Store store, PublishingClock clock, ILogger<ZoneRules> logger)
{
    private const int Batch = 200;

    /// <summary>Goes through all that are due in the future, a few at a time. Two nodes that do so at once come to the same.</summary>
    public async Task RecomputeAsync(CancellationToken cancellationToken)
    {
        var now = await clock.ReadAsync(cancellationToken).ConfigureAwait(false);
        while (true)
        {
            var asked = new { Now = now.ToUnixTimeMilliseconds(), Tzdb = ScheduleTime.CurrentTzdb, Batch = (long)Batch };
            var posts = await store.QueryAsync<string>(Sql.Older, asked, cancellationToken).ConfigureAwait(false);
            var moved = 0;
            foreach (var post in posts)
                if (await store.WriteAsync(write => RecomputeAsync(write, post, now), cancellationToken).ConfigureAwait(false)) moved++;
            if (moved > 0) Log.Moved(logger, moved, ScheduleTime.CurrentTzdb);
            if (posts.Count < Batch) return;
        }
    }

    private static async ValueTask<bool> RecomputeAsync(IWriteUnit write, string postId, DateTimeOffset now)
    {
        if (await PostTargets.LockAsync(write, postId).ConfigureAwait(false) is not { Status: PostStates.Scheduled, Deleted: 0 } post) return false;
        if (await write.QuerySingleOrDefaultAsync<Kept>(Sql.Read, new { Id = postId }).ConfigureAwait(false) is not { } kept) return false;

        // A zone that is not known any more keeps the instant that it had.
        var due = ScheduleTime.Again(kept.LocalTime, kept.TimeZone, kept.Overlap)?.Instant.ToUnixTimeMilliseconds() ?? kept.ScheduledAt;
        await write.ExecuteAsync(Sql.Move, new { Id = postId, At = due, Tzdb = ScheduleTime.CurrentTzdb }).ConfigureAwait(false);
        if (due == kept.ScheduledAt) return false;

        await write.ExecuteAsync(Sql.MoveTargets, new { Id = postId, By = due - kept.ScheduledAt, Now = now }).ConfigureAwait(false);
        await PostTargets.SettleAsync(write, post, isSuccess: false, now).ConfigureAwait(false);
        return true;
    }

    private sealed record Kept(long ScheduledAt, string LocalTime, string TimeZone, string Overlap);

    private static class Sql
    {
        public const string Older = """
            SELECT id FROM posts
            WHERE status = 'scheduled' AND deleted = 0 AND scheduled_at > @Now AND local_time IS NOT NULL AND tzdb <> @Tzdb
            ORDER BY scheduled_at LIMIT @Batch
            """;

        public const string Read = "SELECT scheduled_at AS ScheduledAt, local_time AS LocalTime, time_zone AS TimeZone, overlap AS Overlap FROM posts WHERE id = @Id";

        public const string Move = "UPDATE posts SET scheduled_at = @At, tzdb = @Tzdb WHERE id = @Id";

        public const string MoveTargets = """
            UPDATE targets
            SET due_at = due_at + @By, next_at = next_at + @By, miss_at = miss_at + @By, give_up_at = give_up_at + @By, updated_at = @Now
            WHERE post_id = @Id AND state = 'pending'
            """;
    }

    private static partial class Log
    {
        [LoggerMessage(3141, LogLevel.Information, "{Count} scheduled posts are due at another instant by the time zones of {Tzdb}")]
        public static partial void Moved(ILogger logger, int count, string tzdb);
    }
}
