using System.Text;
using System.Text.Json;
using Tidings.Server.Events;
using Tidings.Server.Storage;

namespace Tidings.Server.Features.Notifications;

/// <summary>
/// Notifies users, in the transaction of what they are told of. What a user has muted is not kept either. Of a user's notifications the
/// latest <see cref="Kept"/> are kept.
/// </summary>
internal static class Notifications
{
    /// <summary>How many are kept of a user.</summary>
    public const int Kept = 1_000;

    /// <summary>How many of those who did the same thing are named.</summary>
    public const int Named = 3;

    private const int PlacesBetweenTrims = 64;

    /// <summary>
    /// Notifies a user of one thing. It locks the user's box, so whoever notifies several users in a unit does so in the order of their ids,
    /// and late.
    /// </summary>
    /// <returns>The notification; null if the user did it, has muted it or blocked who did, or is not there.</returns>
    public static async ValueTask<NormalisedNotification?> AddAsync(this IWriteUnit write, NewNotification told)
    {
        if (told.ActorId == told.UserId || await OpenAsync(write, told.UserId, told.Type, told.ActorId ?? "") is not { } box) return null;

        var row = new NotificationRow
        {
            Id = told.Id ?? Guid.CreateVersion7(told.At).ToString("N"),
            UserId = told.UserId,
            Place = box.LastPlace,
            Type = told.Type,
            Title = told.Title,
            Message = told.Message,
            Data = Encoding.UTF8.GetString(told.Data),
            CreatedAt = told.At.ToUnixTimeMilliseconds(),
        };
        write.Enqueue(Sql.Insert, row);
        return await CloseAsync(write, row, box, box.Unread + 1, told.At);
    }

    /// <summary>As <see cref="AddAsync(IWriteUnit, NewNotification)"/>, with others of its kind. Repeated by somebody whom it names already it is not told again.</summary>
    public static async ValueTask<NormalisedNotification?> AddAsync(this IWriteUnit write, NewInGroup told)
    {
        var latest = told.Latest.Where(actor => actor.Id != told.UserId).Reverse().ToList();
        if (latest.Count == 0 || await OpenAsync(write, told.UserId, told.Type, latest[0].Id) is not { } box) return null;

        var before = await write.QuerySingleOrDefaultAsync<NotificationRow>(Sql.OfGroup, new { told.UserId, told.Key });
        var data = before is null ? null : JsonSerializer.Deserialize(before.Data, NotificationsJson.Default.GroupData);
        IReadOnlyList<PostCreator> known = data?.Actors ?? [];
        var isUnread = before is { IsRead: 0 };
        if (told.Count is not null && before is not null && latest.TrueForAll(actor => known.Any(one => one.Id == actor.Id))) return null;

        IReadOnlyList<PostCreator> actors = [.. latest.Concat(told.Count is null && !isUnread ? [] : known).DistinctBy(actor => actor.Id).Take(Named)];
        var count = told.Count ?? (isUnread ? data!.Count : 0) + 1;
        var (title, message) = told.Say(actors, count);
        var row = new NotificationRow
        {
            Id = before?.Id ?? Guid.CreateVersion7(told.At).ToString("N"),
            UserId = told.UserId,
            Place = box.LastPlace,
            GroupKey = told.Key,
            Type = told.Type,
            Title = title,
            Message = message,
            Data = JsonSerializer.Serialize(new GroupData(told.PostId, told.ConversationId, count, actors), NotificationsJson.Answers.GroupData),
            CreatedAt = told.At.ToUnixTimeMilliseconds(),
        };
        write.Enqueue(before is null ? Sql.Insert : Sql.Replace, row);
        return await CloseAsync(write, row, box, isUnread ? box.Unread : box.Unread + 1, told.At);
    }

    /// <summary>Locks the user's box and gives out the next place in it; null if the user is not there, has muted the type or blocked the actor.</summary>
    private static ValueTask<Box?> OpenAsync(IWriteUnit write, string userId, string type, string actorId) =>
        write.QuerySingleOrDefaultAsync<Box>(Sql.Open, new { UserId = userId, Type = type, ActorId = actorId });

    private static async ValueTask<NormalisedNotification> CloseAsync(IWriteUnit write, NotificationRow row, Box box, long unread, DateTimeOffset at)
    {
        if (box.LastPlace % PlacesBetweenTrims == 0)
        {
            var old = new { row.UserId, Through = box.LastPlace - Kept };
            unread -= await write.QuerySingleOrDefaultAsync<long>(Sql.CountOldUnread, old);
            write.Enqueue(Sql.Trim, old);
        }

        if (unread != box.Unread) write.Enqueue(Sql.CountUnread, new { row.UserId, Unread = unread });
        var notification = row.Normalise();
        await write.AppendAsync(new NotificationAdded(row.UserId, notification, unread, box.Version, at));
        return notification;
    }

    private sealed record Box(long LastPlace, long Unread, long Version);

    private static class Sql
    {
        public const string Open = """
            INSERT INTO notification_boxes (user_id, last_place, unread, version, posts_seen_at)
            SELECT u.id, 1, 0, 1, 0 FROM users u
            WHERE u.id = @UserId AND NOT EXISTS (SELECT 1 FROM muted_notifications m WHERE m.user_id = u.id AND m.type = @Type)
                  AND NOT EXISTS (SELECT 1 FROM blocks b WHERE b.blocker_id = u.id AND b.blocked_id = @ActorId)
            ON CONFLICT (user_id) DO UPDATE
            SET last_place = notification_boxes.last_place + 1, version = notification_boxes.version + 1
            RETURNING last_place AS LastPlace, unread AS Unread, version AS Version
            """;

        public const string OfGroup = $"SELECT {NotificationRow.Columns} FROM notifications WHERE user_id = @UserId AND group_key = @Key";

        public const string Insert = """
            INSERT INTO notifications (id, user_id, place, group_key, type, title, message, data, is_read, created_at)
            VALUES (@Id, @UserId, @Place, @GroupKey, @Type, @Title, @Message, @Data, 0, @CreatedAt)
            """;

        public const string Replace = """
            UPDATE notifications
            SET place = @Place, title = @Title, message = @Message, data = @Data, is_read = 0, created_at = @CreatedAt
            WHERE id = @Id
            """;

        public const string CountUnread = "UPDATE notification_boxes SET unread = @Unread WHERE user_id = @UserId";

        public const string CountOldUnread = "SELECT COUNT(*) FROM notifications WHERE user_id = @UserId AND place <= @Through AND is_read = 0";

        public const string Trim = "DELETE FROM notifications WHERE user_id = @UserId AND place <= @Through";
    }
}
