using Microsoft.AspNetCore.Http.HttpResults;
using Tidings.Realtime.Channels;
using Tidings.Server.Auth;
using Tidings.Server.Events;
using Tidings.Server.Host;
using Tidings.Server.Storage;

namespace Tidings.Server.Features.Notifications;

/// <summary>
/// Marks notifications as read, or throws them away; every tab and device hears of it. Asked twice it does no harm. The derived mention of
/// new posts is marked by a moment up to which posts have been seen.
/// </summary>
internal static class ReadNotifications
{
    private const string All = "all";

    public static async Task<IResult> ReadOneAsync(string id, CurrentUser user, Store store, TimeProvider clock, CancellationToken cancellationToken)
    {
        if (!ChannelName.IsId(id)) return Problems.NotFound("notification");

        var now = clock.GetUtcNow();
        if (id == NewPosts.Id)
            return Answer(await store.WriteAsync(write => SeePostsAsync(write, user.Id, now), cancellationToken));

        var unread = await store.WriteAsync(
            async write =>
            {
                var box = await write.QuerySingleOrDefaultAsync<Box>(Sql.LockBox, new { UserId = user.Id });
                if (box is null) return (long?)null;
                if (await write.ExecuteAsync(Sql.ReadOne, new { UserId = user.Id, Id = id }) > 0)
                    return await MarkedAsync(write, user.Id, box, 1, id, now);
                return await write.QuerySingleOrDefaultAsync<string>(Sql.Find, new { UserId = user.Id, Id = id }) is null ? null : box.Unread;
            },
            cancellationToken);
        return unread is { } count ? Answer(count) : Problems.NotFound("notification");
    }

    public static async Task<IResult> ReadAllAsync(CurrentUser user, Store store, TimeProvider clock, CancellationToken cancellationToken)
    {
        var now = clock.GetUtcNow();
        await store.WriteAsync(
            async write =>
            {
                var box = await write.QuerySingleOrDefaultAsync<Box>(Sql.Empty, new { UserId = user.Id, Now = now });
                if (box is null) return;
                await write.ExecuteAsync(Sql.ReadAll, new { UserId = user.Id });
                await write.AppendAsync(new NotificationRead(user.Id, All, 0, box.Version, now));
            },
            cancellationToken);
        return Answer(0);
    }

    public static async Task<IResult> ClearAsync(CurrentUser user, Store store, TimeProvider clock, CancellationToken cancellationToken)
    {
        var now = clock.GetUtcNow();
        await store.WriteAsync(
            async write =>
            {
                var box = await write.QuerySingleOrDefaultAsync<Box>(Sql.Empty, new { UserId = user.Id, Now = now });
                if (box is null) return;
                await write.ExecuteAsync(Sql.Clear, new { UserId = user.Id });
                await write.AppendAsync(new NotificationsCleared(user.Id, box.Version, now));
            },
            cancellationToken);
        return TypedResults.NoContent();
    }

    /// <summary>Marks the notification of a group as read, if there is one that is not.</summary>
    public static async ValueTask ReadGroupAsync(this IWriteUnit write, string userId, string key, DateTimeOffset now)
    {
        var box = await write.QuerySingleOrDefaultAsync<Box>(Sql.LockBox, new { UserId = userId });
        if (box is null || await write.QuerySingleOrDefaultAsync<string>(Sql.ReadGroup, new { UserId = userId, Key = key }) is not { } id) return;
        await MarkedAsync(write, userId, box, 1, id, now);
    }

    private static async ValueTask<long> MarkedAsync(IWriteUnit write, string userId, Box box, long marked, string id, DateTimeOffset now)
    {
        var after = new { UserId = userId, Unread = box.Unread - marked, Version = box.Version + 1 };
        write.Enqueue(Sql.SetBox, after);
        await write.AppendAsync(new NotificationRead(userId, id, after.Unread, after.Version, now));
        return after.Unread;
    }

    private static async ValueTask<long> SeePostsAsync(IWriteUnit write, string userId, DateTimeOffset now)
    {
        if (await write.QuerySingleOrDefaultAsync<Box>(Sql.SeePosts, new { UserId = userId, Now = now }) is not { } box) return 0;
        await write.AppendAsync(new NotificationRead(userId, NewPosts.Id, box.Unread, box.Version, now));
        return box.Unread;
    }

    private static JsonHttpResult<UnreadAnswer> Answer(long unreadCount) => TypedResults.Json(new UnreadAnswer(unreadCount), NotificationsJson.Answers.UnreadAnswer);

    private sealed record Box(long Unread, long Version);

    private static class Sql
    {
        private const string MakeBox = """
            INSERT INTO notification_boxes (user_id, last_place, unread, version, posts_seen_at)
            SELECT u.id, 0, 0, 1, @Now FROM users u WHERE u.id = @UserId
            ON CONFLICT (user_id) DO UPDATE SET version = notification_boxes.version + 1, posts_seen_at = excluded.posts_seen_at
            """;

        private const string Standing = "unread AS Unread, version AS Version";

        public const string LockBox = $"SELECT {Standing} FROM notification_boxes WHERE user_id = @UserId /*FOR UPDATE*/";

        public const string SeePosts = $"{MakeBox} RETURNING {Standing}";

        public const string Empty = $"{MakeBox}, unread = 0 RETURNING {Standing}";

        public const string SetBox = "UPDATE notification_boxes SET unread = @Unread, version = @Version WHERE user_id = @UserId";

        public const string ReadOne = "UPDATE notifications SET is_read = 1 WHERE user_id = @UserId AND id = @Id AND is_read = 0";

        public const string ReadGroup =
            "UPDATE notifications SET is_read = 1 WHERE user_id = @UserId AND group_key = @Key AND is_read = 0 RETURNING id";

        public const string Find = "SELECT id FROM notifications WHERE user_id = @UserId AND id = @Id";

        public const string ReadAll = "UPDATE notifications SET is_read = 1 WHERE user_id = @UserId AND is_read = 0";

        public const string Clear = "DELETE FROM notifications WHERE user_id = @UserId";
    }
}
