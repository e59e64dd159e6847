using Tidings.Server.Storage;

namespace Tidings.Server.Features.Media;

/// <summary>Gives uploaded files to posts, in the units that write the posts. A post has one file, a file one post.</summary>
internal static class MediaOfPosts
{
    /// <summary>A file of the author that no post has yet, or that this post has. It is locked for the unit.</summary>
    public static ValueTask<MediaRow?> FindAsync(IWriteUnit write, string mediaId, string authorId, string postId) =>
        write.QuerySingleOrDefaultAsync<MediaRow>(Sql.Find, new { Id = mediaId, AuthorId = authorId, PostId = postId });

    /// <summary>Gives a file that was found to the post.</summary>
    public static void Give(IWriteUnit write, string mediaId, string postId) => write.Enqueue(Sql.Give, new { Id = mediaId, PostId = postId });

    /// <summary>Takes its files from a post, but for the one that it keeps.</summary>
    /// <returns>The ids of files that nobody may see any more: to be deleted after the commit.</returns>
    public static ValueTask<IReadOnlyList<string>> TakeAsync(IWriteUnit write, string postId, string? keptId = null) =>
        write.QueryAsync<string>(Sql.Take, new { PostId = postId, KeptId = keptId ?? "" });

    private static class Sql
    {
        public const string Find = $"{MediaRow.Sql.Read} AND owner_id = @AuthorId AND (post_id IS NULL OR post_id = @PostId) /*FOR UPDATE*/";

        public const string Give = "UPDATE media SET post_id = @PostId WHERE id = @Id";

        public const string Take = "DELETE FROM media WHERE post_id = @PostId AND id <> @KeptId RETURNING id";
    }
}
