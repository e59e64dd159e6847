using Tidings.Server.Storage;

namespace Tidings.Server.Features.Media;

/// <summary>Gives uploaded files to posts, in the units that write the posts.</summary>
internal static class MediaOfPosts
{
    /// <summary>Gives a post a file of its author that no post has yet, or that it has already.</summary>
    /// <returns>The file; null if there is none that may be given.</returns>
    public static async ValueTask<MediaRow?> TakeAsync(IWriteUnit write, string mediaId, string authorId, string postId)
    {
        var ids = new { MediaId = mediaId, AuthorId = authorId, PostId = postId };
        return await write.ExecuteAsync(Sql.Take, ids) == 0 ? null : await write.QuerySingleOrDefaultAsync<MediaRow>(MediaRow.Sql.Read, new { Id = mediaId });
    }

    /// <summary>Takes its files from a post, but for the one that it keeps.</summary>
    /// <returns>The ids of files that nobody may see any more: to be deleted after the commit.</returns>
    public static ValueTask<IReadOnlyList<string>> LeaveAsync(IWriteUnit write, string postId, string? keptId) =>
        write.QueryAsync<string>(Sql.Leave, new { PostId = postId, KeptId = keptId ?? "" });

    private static class Sql
    {
        public const string Take = """
            UPDATE media SET post_id = @PostId WHERE id = @MediaId AND owner_id = @AuthorId AND (post_id IS NULL OR post_id = @PostId)
            """;

        public const string Leave = "DELETE FROM media WHERE post_id = @PostId AND id <> @KeptId RETURNING id";
    }
}
