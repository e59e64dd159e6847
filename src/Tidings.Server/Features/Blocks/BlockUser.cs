using Tidings.Server.Auth;
using Tidings.Server.Events;
using Tidings.Server.Features.Follows;
using Tidings.Server.Features.Subscriptions;
using Tidings.Server.Host;
using Tidings.Server.Storage;

namespace Tidings.Server.Features.Blocks;

/// <summary>
/// Blocks a user, or ends it. From then on neither sees the other's posts: follows and subscriptions between the two end, live
/// subscriptions too, on every node. Whoever is blocked is not told. Asked twice it is done once.
/// </summary>
internal static class BlockUser
{
    private const int Most = 10_000;

    public static async Task<IResult> BlockAsync(string id, CurrentUser user, Store store, TimeProvider clock, CancellationToken cancellationToken)
    {
        if (id == user.Id) return Problems.Problem(422, "self_block", "Nobody can block themselves.");

        var now = clock.GetUtcNow();
        var problem = await store.WriteAsync<IResult?>(
            async write =>
            {
                var pair = new { Me = user.Id, Other = id, Now = now };
                if (await write.QuerySingleOrDefaultAsync<string>(Sql.User, pair) is null) return Problems.NotFound("user");
                if (await write.QuerySingleOrDefaultAsync<long>(Sql.Count, pair) >= Most)
                    return Problems.Problem(422, "too_many_blocks", $"A user may block at most {Most} others.");

                // Before the row: follows are locked first, and two who block each other at once wait for one another here.
                await FollowCreator.UnfollowIfThereAsync(write, user.Id, id, now);
                await FollowCreator.UnfollowIfThereAsync(write, id, user.Id, now);
                await SubscriptionGrants.EndAllAsync(write, user.Id, id, SubscriptionGrants.Blocked, now);
                await SubscriptionGrants.EndAllAsync(write, id, user.Id, SubscriptionGrants.Blocked, now);
                if (await write.ExecuteAsync(Sql.Block, pair) > 0) await write.AppendAsync(new BlockChanged(user.Id, id, IsApart: true, now));
                return null;
            },
            cancellationToken);
        return problem ?? TypedResults.NoContent();
    }

    public static async Task<IResult> UnblockAsync(string id, CurrentUser user, Store store, TimeProvider clock, CancellationToken cancellationToken)
    {
        var now = clock.GetUtcNow();
        var isThere = await store.WriteAsync(
            async write =>
            {
                var pair = new { Me = user.Id, Other = id };
                if (await write.ExecuteAsync(Sql.Unblock, pair) == 0) return await write.QuerySingleOrDefaultAsync<string>(Sql.User, pair) is not null;
                var isApart = await write.QuerySingleOrDefaultAsync<long>(Sql.Blocked, pair) > 0;
                await write.AppendAsync(new BlockChanged(user.Id, id, isApart, now));
                return true;
            },
            cancellationToken);
        return isThere ? TypedResults.NoContent() : Problems.NotFound("user");
    }

    private static class Sql
    {
        public const string User = "SELECT id FROM users WHERE id = @Other";
        public const string Count = "SELECT COUNT(*) FROM blocks WHERE blocker_id = @Me";
        public const string Block = "INSERT INTO blocks (blocker_id, blocked_id, created_at) VALUES (@Me, @Other, @Now) ON CONFLICT (blocker_id, blocked_id) DO NOTHING";
        public const string Unblock = "DELETE FROM blocks WHERE blocker_id = @Me AND blocked_id = @Other";
        public const string Blocked = "SELECT COUNT(*) FROM blocks WHERE blocker_id = @Other AND blocked_id = @Me";
    }
}
