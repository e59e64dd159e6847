using Tidings.Server.Auth;
using Tidings.Server.Events;
using Tidings.Server.Features.Analytics;
using Tidings.Server.Host;
using Tidings.Server.Storage;

namespace Tidings.Server.Features.Follows;

/// <summary>
/// Follows a creator, or ends it. Asked twice it is done once. The event takes the creator's channel into the follower's live feeds, or
/// out of them, at its own place in the log.
/// </summary>
internal static class FollowCreator
{
    public static async Task<IResult> FollowAsync(string id, CurrentUser user, Store store, TimeProvider clock, CancellationToken cancellationToken)
    {
        if (id == user.Id) return Problems.Problem(422, "self_follow", "Nobody can follow themselves: one's own posts are in the feed anyway.");

        var now = clock.GetUtcNow();
        var isThere = await store.WriteAsync(
            async write =>
            {
                if (await write.QuerySingleOrDefaultAsync<string>(Sql.Creator, new { CreatorId = id, Me = user.Id }) is null) return false;
                await FollowIfNewAsync(write, user.Id, id, now);
                return true;
            },
            cancellationToken);
        return isThere ? TypedResults.NoContent() : Problems.NotFound("creator");
    }

    public static async Task<IResult> UnfollowAsync(string id, CurrentUser user, Store store, TimeProvider clock, CancellationToken cancellationToken)
    {
        var now = clock.GetUtcNow();
        var isThere = await store.WriteAsync(
            async write =>
            {
                if (await UnfollowIfThereAsync(write, user.Id, id, now)) return true;
                return await write.QuerySingleOrDefaultAsync<string>(Sql.Creator, new { CreatorId = id, Me = user.Id }) is not null;
            },
            cancellationToken);
        return isThere ? TypedResults.NoContent() : Problems.NotFound("creator");
    }

    /// <summary>Begins a follow inside of a unit, of a creator who is there; nothing happens if there is one.</summary>
    public static async ValueTask FollowIfNewAsync(IWriteUnit write, string followerId, string creatorId, DateTimeOffset now)
    {
        var follow = new { FollowerId = followerId, CreatorId = creatorId, Now = now, By = 1 };
        if (await write.ExecuteAsync(Sql.Follow, follow).ConfigureAwait(false) == 0) return;

        await write.ExecuteAsync(Sql.Count, follow).ConfigureAwait(false);
        CreatorDays.CountFollowers(write, creatorId, 1, now);
        await write.AppendAsync(new UserFollowed(followerId, creatorId, now)).ConfigureAwait(false);
    }

    /// <summary>Ends a follow inside of a unit.</summary>
    /// <returns>Whether there was one.</returns>
    public static async ValueTask<bool> UnfollowIfThereAsync(IWriteUnit write, string followerId, string creatorId, DateTimeOffset now)
    {
        var follow = new { FollowerId = followerId, CreatorId = creatorId, By = -1 };
        if (await write.ExecuteAsync(Sql.Unfollow, follow).ConfigureAwait(false) == 0) return false;

        await write.ExecuteAsync(Sql.Count, follow).ConfigureAwait(false);
        CreatorDays.CountFollowers(write, creatorId, -1, now);
        await write.AppendAsync(new UserUnfollowed(followerId, creatorId, now)).ConfigureAwait(false);
        return true;
    }

    private static class Sql
    {
        public const string Creator = """
            SELECT id FROM users WHERE id = @CreatorId AND NOT EXISTS (
                SELECT 1 FROM blocks WHERE (blocker_id = @Me AND blocked_id = @CreatorId) OR (blocker_id = @CreatorId AND blocked_id = @Me))
            """;

        public const string Follow = """
            INSERT INTO follows (follower_id, creator_id, since_seq, created_at)
            VALUES (@FollowerId, @CreatorId, (SELECT place FROM log_place), @Now)
            ON CONFLICT (follower_id, creator_id) DO NOTHING
            """;

        public const string Unfollow = "DELETE FROM follows WHERE follower_id = @FollowerId AND creator_id = @CreatorId";

        public const string Count = "UPDATE users SET followers_count = followers_count + @By WHERE id = @CreatorId";
    }
}
