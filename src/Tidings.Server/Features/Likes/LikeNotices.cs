using System.Text.Json;
using Tidings.Server.Events;
using Tidings.Server.Features.Notifications;
using Tidings.Server.Storage;

namespace Tidings.Server.Features.Likes;

/// <summary>
/// Tells authors that their posts were liked: one notification for each post, at most once a second, and the last like always.
/// </summary>
internal sealed class LikeNotices(Store store, TimeProvider clock, ILogger<LikeNotices> logger) : MarkFlush("the notifications of likes", TimeSpan.FromSeconds(1), store, clock, logger)
{
    private const int Batch = 50;

    /// <inheritdoc />
    protected override async ValueTask<string?> FlushBatchAsync(IWriteUnit write, string after, DateTimeOffset now)
    {
        var marks = await write.QueryAsync<Mark>(Sql.Read, new { After = after, Take = Batch });
        if (marks.Count == 0) return null;
        await write.ExecuteAsync(Sql.Remove, new { Posts = JsonSerializer.Serialize(marks.Select(mark => mark.PostId)) });

        var likers = marks.ToDictionary(mark => mark.PostId, mark => JsonSerializer.Deserialize<List<string>>(mark.Likers)!);
        var users = (await write.QueryAsync<User>(Sql.Users, new { Ids = JsonSerializer.Serialize(likers.Values.SelectMany(ids => ids).Distinct()) }))
            .ToDictionary(user => user.Id, user => new PostCreator(user.Id, user.Nickname, user.FullName ?? "", user.Avatar, user.IsCreator != 0));
        foreach (var mark in marks.OrderBy(mark => mark.AuthorId, StringComparer.Ordinal))
        {
            if (mark is not { AuthorId: { } author, Count: { } count and > 0 }) continue; // the post is gone, or the likes are
            await write.AddAsync(new NewInGroup(author, NotificationTypes.LikePost, $"like:{mark.PostId}", [.. likers[mark.PostId].Where(users.ContainsKey).Select(id => users[id])], now)
            {
                PostId = mark.PostId,
                Count = count,
                Say = Sentences.Likes,
            });
        }

        return marks.Count < Batch ? null : marks[^1].PostId;
    }

    private sealed record Mark(string PostId, string Likers, string? AuthorId, long? Count);

    private sealed record User(string Id, string Nickname, string? FullName, string? Avatar, long IsCreator);

    private static class Sql
    {
        public const string Read = """
            SELECT m.post_id AS PostId, m.likers AS Likers, p.author_id AS AuthorId,
                   p.likes_count - (SELECT COUNT(*) FROM post_likes l WHERE l.post_id = p.id AND l.user_id = p.author_id) AS Count
            FROM pending_like_notices m LEFT JOIN posts p ON p.id = m.post_id AND p.deleted = 0
            WHERE m.post_id > @After ORDER BY m.post_id LIMIT @Take /*FOR UPDATE OF m SKIP LOCKED*/
            """;

        public const string Remove = "DELETE FROM pending_like_notices WHERE post_id IN (SELECT value FROM json_each(@Posts))";

        public const string Users = """
            SELECT id AS Id, nickname AS Nickname, full_name AS FullName, avatar AS Avatar, is_creator AS IsCreator
            FROM users WHERE id IN (SELECT value FROM json_each(@Ids))
            """;
    }
}
