using Tidings.Server.Features.Access;
using Tidings.Server.Storage;

namespace Tidings.Server.Features.Comments;

/// <summary>A post as its comments see it. Its row is locked by whoever changes a comment, so that all of a post's comments are in one order.</summary>
internal sealed record CommentedPost : PostFactsRow
{
    public string Id { get; init; } = "";
    public long CommentsCount { get; init; }
    public long Version { get; init; }

    /// <summary>The right that reading its comments takes; null if everybody may who may see it.</summary>
    public string? Right => IsLocked == 0 ? null : new PostRight(Id, TierLevel, AuthorId).ToString();

    /// <summary>Locks the post, if the user may see all of it: whoever sees a preview only neither reads its comments nor writes any.</summary>
    public static async ValueTask<CommentedPost?> LockAsync(IWriteUnit write, string postId, string userId, DateTimeOffset now)
    {
        var post = await ReadAsync(write, Asked(postId, userId, now));
        return post?.View() == PostView.Full ? post : null;
    }

    /// <summary>Locks the post, if it is published.</summary>
    public static ValueTask<CommentedPost?> LockAnyAsync(IWriteUnit write, string postId, DateTimeOffset now) => ReadAsync(write, Asked(postId, "", now));

    /// <summary>The post after a change of its comments.</summary>
    public CommentedPost After(int by) => this with { CommentsCount = CommentsCount + by, Version = Version + 1 };

    /// <summary>Writes what <see cref="After"/> says.</summary>
    public void Enqueue(IWriteUnit write) => write.Enqueue(Sql.Count, new { Id, CommentsCount, Version });

    private static ValueTask<CommentedPost?> ReadAsync(IWriteUnit write, object asked) => write.QuerySingleOrDefaultAsync<CommentedPost>(Sql.Lock, asked);

    private static object Asked(string postId, string userId, DateTimeOffset now) => new { PostId = postId, Me = userId, NowMs = now.ToUnixTimeMilliseconds() };

    private static class Sql
    {
        public const string Lock = $"""
            SELECT p.id AS Id, p.author_id AS AuthorId, p.comments_count AS CommentsCount, p.version AS Version, {PostFacts.Columns}
            FROM posts p
            WHERE p.id = @PostId AND p.deleted = 0 AND p.status = 'published' /*FOR UPDATE OF p*/
            """;

        public const string Count = "UPDATE posts SET comments_count = @CommentsCount, version = @Version WHERE id = @Id";
    }
}
