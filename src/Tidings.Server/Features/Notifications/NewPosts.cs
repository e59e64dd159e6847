using System.Data.Common;
using System.Text.Json;
using Dapper;
using Tidings.Server.Events;

namespace Tidings.Server.Features.Notifications;

/// <summary>
/// That creators posted whom a user follows. It is not written for each follower but derived when a list is asked for, from what is newer
/// than the follow and than what the user has seen; online followers hear of each post in their feed. One notification stands for all.
/// </summary>
internal static class NewPosts
{
    /// <summary>The id of the derived notification, by which it is marked as read.</summary>
    public const string Id = "new-posts";

    /// <summary>What is derived for a user, whose creators' posts up to a moment (in Unix milliseconds) have been seen; null if there is nothing new.</summary>
    public static async Task<NormalisedNotification?> ReadAsync(DbConnection connection, string userId, long seenAt)
    {
        var creators = (await connection.QueryAsync<Creator>(Sql.Creators, new { UserId = userId, SeenAt = seenAt, Type = NotificationTypes.NewPost }).ConfigureAwait(false)).AsList();
        if (creators.Count == 0) return null;

        var named = creators.ConvertAll(creator => new NewPostsOfCreator(
            new PostCreator(creator.Id, creator.Nickname, creator.FullName ?? "", creator.Avatar, creator.IsCreator != 0), creator.PostId));
        var data = JsonSerializer.SerializeToElement(new NewPostsData(named), NotificationsJson.Answers.NewPostsData);
        var message = $"{Sentences.Names([.. named.Select(one => one.Creator)], named.Count)} posted";
        return new(Id, NotificationTypes.NewPost, "New posts", message, data, IsRead: false, DateTimeOffset.FromUnixTimeMilliseconds(creators[0].PostedAt));
    }

    private sealed record Creator
    {
        public string Id { get; init; } = "";
        public string Nickname { get; init; } = "";
        public string? FullName { get; init; }
        public string? Avatar { get; init; }
        public long IsCreator { get; init; }
        public string PostId { get; init; } = "";
        public long PostedAt { get; init; }
    }

    private static class Sql
    {
        // The newest post of each of the creators whom the user followed last, by the index of posts; of these the newest few.
        public const string Creators = """
            SELECT u.id AS Id, u.nickname AS Nickname, u.full_name AS FullName, u.avatar AS Avatar, u.is_creator AS IsCreator,
                   p.id AS PostId, p.created_at AS PostedAt
            FROM (SELECT f.creator_id, f.created_at,
                         (SELECT p.id FROM posts p WHERE p.author_id = f.creator_id AND p.deleted = 0 AND p.status = 'published'
                          ORDER BY p.created_at DESC, p.id DESC LIMIT 1) AS post_id
                  FROM (SELECT creator_id, created_at FROM follows WHERE follower_id = @UserId ORDER BY created_at DESC LIMIT 1000) AS f) AS f
                 JOIN posts p ON p.id = f.post_id
                 JOIN users u ON u.id = f.creator_id
            WHERE p.created_at > @SeenAt AND p.created_at > f.created_at
                  AND NOT EXISTS (SELECT 1 FROM muted_notifications m WHERE m.user_id = @UserId AND m.type = @Type)
                  AND NOT EXISTS (SELECT 1 FROM blocks b WHERE (b.blocker_id = @UserId AND b.blocked_id = u.id) OR (b.blocker_id = u.id AND b.blocked_id = @UserId))
            ORDER BY p.created_at DESC, p.id DESC LIMIT 20
            """;
    }
}
