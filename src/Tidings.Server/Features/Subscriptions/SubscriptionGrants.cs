using Tidings.Server.Events;
using Tidings.Server.Features.Access;
using Tidings.Server.Features.Follows;
using Tidings.Server.Storage;

namespace Tidings.Server.Features.Subscriptions;

/// <summary>A paid period: what a confirmed payment grants.</summary>
/// <param name="UserId">Who paid.</param>
/// <param name="CreatorId">Whom.</param>
/// <param name="Level">The tier's level, from 1.</param>
/// <param name="Until">When it is over. Whoever has a period of the same level already begins at the end of that.</param>
/// <param name="PaymentId">The payment, which grants once.</param>
internal sealed record SubscriptionGrant(string UserId, string CreatorId, long Level, DateTimeOffset Until, string PaymentId);

/// <summary>
/// Begins and ends paid periods inside of a payment's unit of work. Rights change with the commit, on live connections of every node too.
/// A period locks the creator's row among the users, then its own.
/// </summary>
internal static class SubscriptionGrants
{
    /// <summary>Why a period ended before its time, as clients are told.</summary>
    public const string Refunded = "subscription_refunded";

    /// <summary>A period came to its end, as clients are told.</summary>
    public const string Expired = "subscription_expired";

    /// <summary>One of the two blocked the other, as clients are told.</summary>
    public const string Blocked = "blocked";

    /// <summary>
    /// When a period of some length would end that is bought now: it goes on where the last of the same level or above ends.
    /// </summary>
    public static async ValueTask<DateTimeOffset> EndOfAsync(
        IWriteUnit write, string userId, string creatorId, long level, TimeSpan length, DateTimeOffset now)
    {
        var pair = new { UserId = userId, CreatorId = creatorId, Level = level, NowMs = now.ToUnixTimeMilliseconds() };
        var held = await write.QuerySingleOrDefaultAsync<long?>(Sql.HeldUntil, pair).ConfigureAwait(false);
        return (held is { } until ? DateTimeOffset.FromUnixTimeMilliseconds(until) : now) + length;
    }

    /// <summary>Begins a period. The subscriber follows the creator from here on, if not before.</summary>
    /// <returns>The subscription; null if there is no such creator, one of the two has blocked the other, or the payment has granted already.</returns>
    public static async ValueTask<SubscriptionView?> GrantAsync(IWriteUnit write, SubscriptionGrant grant, DateTimeOffset now)
    {
        var pair = new { grant.UserId, grant.CreatorId, NowMs = now.ToUnixTimeMilliseconds() };
        if (await write.QuerySingleOrDefaultAsync<long>(Sql.Refusals, new { grant.UserId, grant.CreatorId, grant.PaymentId }).ConfigureAwait(false) > 0) return null;
        if (await write.QuerySingleOrDefaultAsync<string>(Sql.Creator, pair).ConfigureAwait(false) is null) return null;

        await FollowCreator.FollowIfNewAsync(write, grant.UserId, grant.CreatorId, now).ConfigureAwait(false);
        await write.QuerySingleOrDefaultAsync<string>(Sql.LockCreator, pair).ConfigureAwait(false);
        var isFirst = await write.QuerySingleOrDefaultAsync<long>(Sql.Live, pair).ConfigureAwait(false) == 0;
        var row = new SubscriptionRow
        {
            Id = Guid.CreateVersion7(now).ToString("N"),
            UserId = grant.UserId,
            CreatorId = grant.CreatorId,
            Level = grant.Level,
            ExpiresAt = grant.Until.ToUnixTimeMilliseconds(),
            CreatedAt = now.ToUnixTimeMilliseconds(),
            Tier = await write.QuerySingleOrDefaultAsync<string>(Sql.TierName, new { grant.CreatorId, grant.Level }).ConfigureAwait(false),
        };
        var inserted = await write.ExecuteAsync(
            Sql.Insert, new { row.Id, row.UserId, row.CreatorId, row.Level, row.ExpiresAt, grant.PaymentId, Now = now }).ConfigureAwait(false);
        if (inserted == 0) return null;

        if (isFirst) await write.ExecuteAsync(Sql.Count, new { grant.CreatorId, By = 1 }).ConfigureAwait(false);
        var subscribers = await write.QuerySingleOrDefaultAsync<long>(Sql.Subscribers, pair).ConfigureAwait(false);
        var opened = await LockedPosts.NewestAsync(write, grant.CreatorId, grant.Level).ConfigureAwait(false);
        await write.AppendAsync(new SubscriptionStarted(row.View(), subscribers, opened, now)
        {
            Held = await HeldAsync(write, grant.UserId, grant.CreatorId, now).ConfigureAwait(false),
        }).ConfigureAwait(false);
        return row.View();
    }

    /// <summary>Ends what a payment granted, if it is not over: it was refunded.</summary>
    /// <returns>Whether there was anything to end.</returns>
    public static async ValueTask<bool> EndAsync(IWriteUnit write, string paymentId, DateTimeOffset now)
    {
        var found = await write.QuerySingleOrDefaultAsync<SubscriptionRow>(Sql.OfPayment, new { PaymentId = paymentId }).ConfigureAwait(false);
        return found is not null && await EndAsync(write, found, "ended", Refunded, now).ConfigureAwait(false);
    }

    /// <summary>Ends all that a user has with a creator.</summary>
    public static async ValueTask EndAllAsync(IWriteUnit write, string userId, string creatorId, string reason, DateTimeOffset now)
    {
        var pair = new { UserId = userId, CreatorId = creatorId, NowMs = now.ToUnixTimeMilliseconds() };
        foreach (var row in await write.QueryAsync<SubscriptionRow>(Sql.OfPair, pair).ConfigureAwait(false))
            await EndAsync(write, row, "ended", reason, now).ConfigureAwait(false);
    }

    /// <summary>Ends one period.</summary>
    /// <returns>False if it had ended.</returns>
    public static async ValueTask<bool> EndAsync(IWriteUnit write, SubscriptionRow row, string status, string reason, DateTimeOffset now)
    {
        var pair = new { row.UserId, row.CreatorId, NowMs = now.ToUnixTimeMilliseconds() };
        await write.QuerySingleOrDefaultAsync<string>(Sql.LockCreator, pair).ConfigureAwait(false);
        if (await write.ExecuteAsync(Sql.End, new { row.Id, Status = status, Now = now }).ConfigureAwait(false) == 0) return false;

        if (await write.QuerySingleOrDefaultAsync<long>(Sql.Live, pair).ConfigureAwait(false) == 0)
            await write.ExecuteAsync(Sql.Count, new { row.CreatorId, By = -1 }).ConfigureAwait(false);
        var held = await HeldAsync(write, row.UserId, row.CreatorId, now).ConfigureAwait(false);
        var closed = await LockedPosts.NewestAsync(write, row.CreatorId, row.Level).ConfigureAwait(false);
        await write.AppendAsync(new SubscriptionEnded(row.UserId, row.CreatorId, reason, held, closed, now)).ConfigureAwait(false);
        return true;
    }

    private static async ValueTask<IReadOnlyList<HeldLevel>> HeldAsync(IWriteUnit write, string userId, string creatorId, DateTimeOffset now)
    {
        var rows = await write.QueryAsync<(long Level, long ExpiresAt)>(
            Sql.Held, new { UserId = userId, CreatorId = creatorId, NowMs = now.ToUnixTimeMilliseconds() }).ConfigureAwait(false);
        return [.. rows.Select(static row => new HeldLevel(row.Level, DateTimeOffset.FromUnixTimeMilliseconds(row.ExpiresAt)))];
    }

    private static class Sql
    {
        // A period that expired and has not been marked yet still counts as live for the counter, and not for access.
        private const string Pair = "user_id = @UserId AND creator_id = @CreatorId AND status IN ('active', 'canceled')";

        public const string Refusals = """
            SELECT (SELECT COUNT(*) FROM blocks WHERE (blocker_id = @UserId AND blocked_id = @CreatorId) OR (blocker_id = @CreatorId AND blocked_id = @UserId))
                + (SELECT COUNT(*) FROM subscriptions WHERE payment_id = @PaymentId)
            """;

        public const string Creator = "SELECT id FROM users WHERE id = @CreatorId";
        public const string LockCreator = "SELECT id FROM users WHERE id = @CreatorId /*FOR UPDATE*/";
        public const string Live = $"SELECT COUNT(*) FROM subscriptions WHERE {Pair}";
        public const string Held = $"SELECT level, expires_at FROM subscriptions WHERE {Pair} AND expires_at > @NowMs ORDER BY level, expires_at";
        public const string HeldUntil = $"SELECT max(expires_at) FROM subscriptions WHERE {Pair} AND level >= @Level AND expires_at > @NowMs";
        public const string Subscribers = "SELECT subscribers_count FROM users WHERE id = @CreatorId";
        public const string TierName = "SELECT name FROM tiers WHERE creator_id = @CreatorId AND level = @Level";

        public const string Insert = """
            INSERT INTO subscriptions (id, user_id, creator_id, level, status, expires_at, payment_id, created_at, updated_at)
            VALUES (@Id, @UserId, @CreatorId, @Level, 'active', @ExpiresAt, @PaymentId, @Now, @Now)
            ON CONFLICT (payment_id) DO NOTHING
            """;

        public const string Count = "UPDATE users SET subscribers_count = subscribers_count + @By WHERE id = @CreatorId";
        public const string OfPayment = $"{SubscriptionRow.Select} WHERE s.payment_id = @PaymentId";
        public const string OfPair = $"{SubscriptionRow.Select} WHERE s.user_id = @UserId AND s.creator_id = @CreatorId AND s.status IN ('active', 'canceled') ORDER BY s.id";
        public const string End = "UPDATE subscriptions SET status = @Status, updated_at = @Now WHERE id = @Id AND status IN ('active', 'canceled')";
    }
}
