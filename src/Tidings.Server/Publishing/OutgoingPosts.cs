using Dapper;
using Tidings.Server.Features.Media;
using Tidings.Server.Features.Posts;
using Tidings.Server.Storage;

namespace Tidings.Server.Publishing;

/// <summary>A post as it is read for an attempt.</summary>
/// <param name="Post">What connectors get.</param>
/// <param name="Revision">Of which revision.</param>
/// <param name="Problem">Why it may not be published elsewhere; null if it may.</param>
internal sealed record ReadPost(OutgoingPost Post, long Revision, string? Problem);

/// <summary>Reads posts as connectors get them.</summary>
internal sealed class OutgoingPosts(Store store, MediaFiles files, TimeProvider clock)
{
    /// <summary>Reads a post; null if it is gone.</summary>
    /// <param name="postId">The post.</param>
    /// <param name="dueAt">When it is, or was, due: the same in all attempts.</param>
    /// <param name="cancellationToken">Ends the reading.</param>
    public async Task<ReadPost?> ReadAsync(string postId, DateTimeOffset dueAt, CancellationToken cancellationToken)
    {
        var asked = new { Id = postId, Me = "", NowMs = clock.GetUtcNow().ToUnixTimeMilliseconds(), Now = clock.GetUtcNow().ToUnixTimeMilliseconds() };
        return await store.ReadAsync<ReadPost?>(
            async connection =>
            {
                if (await connection.QuerySingleOrDefaultAsync<PostRow>(Sql.Post, asked).ConfigureAwait(false) is not { } row) return null;
                var media = await connection.QueryAsync<MediaRow>(Sql.Media, asked).ConfigureAwait(false);
                var isSuspended = await connection.ExecuteScalarAsync<long>(Sql.Suspended, new { row.AuthorId, asked.Now }).ConfigureAwait(false) > 0;
                return new ReadPost(Of(row, dueAt, [.. media.Select(MediaOf)]), row.Revision, ProblemOf(row, isSuspended));
            },
            cancellationToken).ConfigureAwait(false);
    }

    /// <summary>A post that is not in the database yet, as connectors would get it.</summary>
    public OutgoingPost Of(PostRow row, DateTimeOffset dueAt, MediaRow? media) => Of(row, dueAt, media is null ? [] : [MediaOf(media)]);

    /// <summary>What keeps a post from other platforms: what it costs to read here must not be read there for nothing.</summary>
    public static string? ProblemOf(PostRow row) => row.IsLocked != 0 ? "A locked post is published on this server alone." : null;

    /// <summary>Whether the author is suspended now.</summary>
    public static async ValueTask<bool> IsSuspendedAsync(IWriteUnit write, string authorId, DateTimeOffset now) =>
        await write.QuerySingleOrDefaultAsync<long>(Sql.Suspended, new { AuthorId = authorId, Now = now }).ConfigureAwait(false) > 0;

    private static string? ProblemOf(PostRow row, bool isSuspended) =>
        row.Status == "hidden" ? "A moderator has hidden the post." : isSuspended ? "Your account is suspended." : ProblemOf(row);

    private static OutgoingPost Of(PostRow row, DateTimeOffset dueAt, IReadOnlyList<OutgoingMedia> media) =>
        new(row.Id, row.Title, row.Content, row.Category, Url: null, dueAt, media);

    private OutgoingMedia MediaOf(MediaRow row) => new(
        row.Id, row.ContentType, row.Bytes, row.Width, row.Height, "",
        _ => ValueTask.FromResult<Stream>(new FileStream(files.PathOf(row.Id), FileMode.Open, FileAccess.Read, FileShare.Read, 64 * 1024, FileOptions.Asynchronous | FileOptions.SequentialScan)));

    private static class Sql
    {
        public const string Post = $"SELECT {PostRow.Columns} FROM posts p JOIN users u ON u.id = p.author_id WHERE p.id = @Id AND p.deleted = 0";

        public const string Media = """
            SELECT id AS Id, owner_id AS OwnerId, post_id AS PostId, created_at AS CreatedAt, content_type AS ContentType, bytes AS Bytes, width AS Width, height AS Height
            FROM media WHERE post_id = @Id ORDER BY id
            """;

        public const string Suspended = "SELECT COUNT(*) FROM suspensions WHERE user_id = @AuthorId AND until > @Now";
    }
}
