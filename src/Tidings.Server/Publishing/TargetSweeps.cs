using Tidings.Server.Publishing.Connectors;
using Tidings.Server.Storage;

namespace Tidings.Server.Publishing;

/// <summary>
/// Looks after targets that nobody works on: those whose node has died or stands still, those that were missed, and those that waited too long. Each
/// in a unit of its own that looks again.
/// </summary>
internal sealed partial class TargetSweeps(Store store, ConnectorCatalog connectors, NodeName node, PublishingMetrics metrics, ILogger<TargetSweeps> logger)
{
    private const int Batch = 200;

    /// <summary>Takes from nodes what they have had longer than their leases. An attempt without an outcome is unknown, and goes on by its platform's class.</summary>
    /// <returns>How many there were.</returns>
    public async Task<int> TakeBackAsync(DateTimeOffset now, CancellationToken cancellationToken)
    {
        // With SQLite there is one process: whatever another one had, it is dead.
        var asked = new { Now = now.ToUnixTimeMilliseconds(), Me = node.Value, IsAlone = store.IsPostgres ? 0L : 1L, Batch = (long)Batch };
        var left = await store.QueryAsync<TargetRow>(Sql.Left, asked, cancellationToken).ConfigureAwait(false);
        var taken = 0;
        foreach (var target in left)
            if (await store.WriteAsync(write => TakeBackAsync(write, target, now), cancellationToken).ConfigureAwait(false)) taken++;
        if (taken > 0) Log.TakenBack(logger, taken);
        return taken;
    }

    /// <summary>Skips what is later than it may be and was not begun, and gives up what is still waiting past its last time.</summary>
    public async Task GiveUpAsync(DateTimeOffset now, CancellationToken cancellationToken)
    {
        var asked = new { Now = now.ToUnixTimeMilliseconds(), Batch = (long)Batch };
        foreach (var post in await store.QueryAsync<string>(Sql.LatePosts, asked, cancellationToken).ConfigureAwait(false))
            await store.WriteAsync(write => GiveUpAsync(write, post, now), cancellationToken).ConfigureAwait(false);
    }

    private async ValueTask<bool> TakeBackAsync(IWriteUnit write, TargetRow target, DateTimeOffset now)
    {
        if (await PostTargets.LockAsync(write, target.PostId).ConfigureAwait(false) is not { } post) return false;
        var isBegun = target.State == TargetStates.Sending;
        var repeats = connectors.Find(target.Platform)?.Repeats ?? Repeats.Never;
        var firstAt = DateTimeOffset.FromUnixTimeMilliseconds(target.FirstAttemptAt ?? target.DueAt);
        var next = isBegun ? AfterAttempt.Doubtful(repeats, target, firstAt, now, TimeSpan.Zero)
            : new NextStep(target.Tries == 0 ? TargetStates.Pending : TargetStates.RetryWait, now, target.Doubt);

        var reason = isBegun ? "The server ended before it was known whether it was posted." : null;
        var change = new { target.Id, target.Attempt, target.State, Next = next.State, NextAt = next.NextAt ?? now, next.Doubt, Reason = reason, Now = now };
        if (await write.ExecuteAsync(Sql.TakeBack, change).ConfigureAwait(false) == 0) return false;
        if (isBegun) await write.ExecuteAsync(Sql.EndAttempt, new { target.Id, Number = target.Attempt, Reason = reason, Now = now }).ConfigureAwait(false);
        if (next.State == TargetStates.Unknown) await PostTargets.TellFailedAsync(write, post, target, reason!, now, isInDoubt: true).ConfigureAwait(false);
        await PostTargets.SettleAsync(write, post, isSuccess: false, now).ConfigureAwait(false);
        if (isBegun) metrics.Count(target.Platform, "taken_over");
        return true;
    }

    private static async ValueTask GiveUpAsync(IWriteUnit write, string postId, DateTimeOffset now)
    {
        if (await PostTargets.LockAsync(write, postId).ConfigureAwait(false) is not { } post) return;
        var asked = new { PostId = postId, Now = now };
        var missed = await write.QueryAsync<TargetRow>(Sql.Skip, asked).ConfigureAwait(false);
        var givenUp = await write.QueryAsync<TargetRow>(Sql.GiveUp, asked).ConfigureAwait(false);
        foreach (var target in givenUp) await PostTargets.TellFailedAsync(write, post, target, target.Reason ?? "It was tried for too long.", now).ConfigureAwait(false);
        if (missed.Count > 0) await PostTargets.TellMissedAsync(write, post, missed, now).ConfigureAwait(false);
        if (missed.Count + givenUp.Count > 0) await PostTargets.SettleAsync(write, post, isSuccess: false, now).ConfigureAwait(false);
    }

    private static class Sql
    {
        public const string Left = $"""
            SELECT {TargetRow.Columns} FROM targets
            WHERE state IN ('claimed', 'sending') AND (lease_until < @Now OR (@IsAlone = 1 AND owner <> @Me)) ORDER BY lease_until LIMIT @Batch
            """;

        /// <summary>The attempt rises with it: whoever had the target writes no more.</summary>
        public const string TakeBack = """
            UPDATE targets
            SET state = @Next, next_at = @NextAt, doubt = @Doubt, attempt = attempt + 1, owner = NULL, lease_until = NULL, reason = @Reason, updated_at = @Now
            WHERE id = @Id AND attempt = @Attempt AND state = @State
            """;

        public const string EndAttempt =
            "UPDATE attempts SET finished_at = @Now, outcome = 'unknown', reason = @Reason WHERE target_id = @Id AND number = @Number AND outcome IS NULL";

        private const string IsMissed = "state IN ('pending', 'retry_wait') AND tries = 0 AND miss_at <= @Now";
        private const string IsOver = "state = 'retry_wait' AND tries > 0 AND give_up_at + 60000 < @Now";

        /// <summary>By the index of what is due.</summary>
        public const string LatePosts = $"SELECT DISTINCT post_id FROM targets WHERE next_at <= @Now AND (({IsMissed}) OR ({IsOver})) LIMIT @Batch";

        public const string Skip = $"""
            UPDATE targets SET state = 'skipped', attempt = attempt + 1, reason = 'Its time went by.', updated_at = @Now WHERE post_id = @PostId AND {IsMissed}
            RETURNING {TargetRow.Columns}
            """;

        public const string GiveUp = $"""
            UPDATE targets SET state = CASE WHEN doubt > 0 THEN 'unknown' ELSE 'failed' END, attempt = attempt + 1, updated_at = @Now WHERE post_id = @PostId AND {IsOver}
            RETURNING {TargetRow.Columns}
            """;
    }

    private static partial class Log
    {
        [LoggerMessage(3111, LogLevel.Warning, "{Count} targets were taken back from nodes that had them for longer than their leases")]
        public static partial void TakenBack(ILogger logger, int count);
    }
}
