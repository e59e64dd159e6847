using Tidings.Server.Storage;

namespace Tidings.Server.Features.Comments;

/// <summary>A post as its comments see it. Its row is locked by whoever changes a comment, so that all of a post's comments are in one order.</summary>
internal sealed record CommentedPost(string AuthorId, long CommentsCount, long Version)
{
    /// <summary>Locks the post, if the user may see all of it.</summary>
    public static ValueTask<CommentedPost?> LockAsync(IWriteUnit write, string postId, string viewerId) =>
        write.QuerySingleOrDefaultAsync<CommentedPost>(Sql.Lock, new { PostId = postId, ViewerId = viewerId });

    /// <summary>The post after a change of its comments.</summary>
    public CommentedPost After(int by) => this with { CommentsCount = CommentsCount + by, Version = Version + 1 };

    /// <summary>Writes what <see cref="After"/> says.</summary>
    public void Enqueue(IWriteUnit write, string postId) => write.Enqueue(Sql.Count, new { PostId = postId, CommentsCount, Version });

    private static class Sql
    {
        public const string Lock = """
            SELECT p.author_id AS AuthorId, p.comments_count AS CommentsCount, p.version AS Version
            FROM posts p
            WHERE p.id = @PostId AND p.deleted = 0 AND p.status = 'published' /*FOR UPDATE*/
            """;

        public const string Count = "UPDATE posts SET comments_count = @CommentsCount, version = @Version WHERE id = @PostId";
    }
}
