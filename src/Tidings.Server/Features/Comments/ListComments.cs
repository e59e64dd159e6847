using Dapper;
using Tidings.Realtime.Channels;
using Tidings.Realtime.History;
using Tidings.Server.Auth;
using Tidings.Server.Events;
using Tidings.Server.Features.Access;
using Tidings.Server.Features.Posts;
using Tidings.Server.Host;
using Tidings.Server.Storage;

namespace Tidings.Server.Features.Comments;

/// <summary>
/// A page of a post's comments, the newest first, or of one comment's replies, the oldest first. With it goes the position from which a
/// subscription to the post continues it.
/// </summary>
internal static class ListComments
{
    private const int DefaultLimit = 20;
    private const int MaxLimit = 100;

    public static async Task<IResult> HandleAsync(
        string id, Viewer viewer, Store store, PostAccess access, IDurableEventLog log, string? parentId, string? cursor, string? limit, CancellationToken cancellationToken)
    {
        if (!PageLimit.TryParse(limit, DefaultLimit, MaxLimit, out var take)) return PageLimit.Refusal(MaxLimit);
        var isThread = !string.IsNullOrEmpty(parentId);
        var from = isThread ? PlaceCursor.Oldest : PlaceCursor.Newest;
        if (!string.IsNullOrEmpty(cursor) && !PlaceCursor.TryParse(cursor, out from))
            return Problems.Problem(400, "invalid_cursor", "This cursor was not given out by this server: ask for the first page.");
        if (!ChannelName.IsId(id)) return Problems.NotFound("post");
        if (isThread && !ChannelName.IsId(parentId!)) return Problems.Invalid("parentId", "This is not the id of a comment.");

        if ((await access.OfAsync(viewer.UserId, id, cancellationToken)).View != PostView.Full) return Problems.NotFound("post");
        var positions = await log.OfChannelAsync(EventChannels.Post(id), viewer.UserId, cancellationToken);
        var page = new { PostId = id, ParentId = parentId ?? "", from.Place, Take = take + 1, Me = viewer.UserId ?? "" };
        var (count, rows) = await store.ReadAsync<(long?, List<CommentRow>)>(
            async connection => await connection.QuerySingleOrDefaultAsync<long?>(Sql.Post, page) is { } comments
                ? (comments, (await connection.QueryAsync<CommentRow>(isThread ? Sql.Replies : Sql.TopLevel, page)).AsList())
                : (null, []),
            cancellationToken);
        if (count is not { } total) return Problems.NotFound("post");

        var hasMore = rows.Count > take;
        if (hasMore) rows.RemoveAt(take);
        var next = hasMore ? new PlaceCursor(rows[^1].Place).ToString() : null;
        return TypedResults.Json(new CommentPage(rows.ConvertAll(row => row.Normalise()), next, total, positions), CommentsJson.Answers.CommentPage);
    }

    private static class Sql
    {
        /// <summary>What moderators have hidden they still see, and its author.</summary>
        private const string Marked = "(c.deleted = 2 AND (c.author_id = @Me OR EXISTS (SELECT 1 FROM users x WHERE x.id = @Me AND x.is_moderator = 1)))";

        private const string From = $"""
            SELECT {CommentRow.Columns}, CAST(CASE WHEN {Marked} THEN 1 ELSE 0 END AS bigint) AS IsMarked FROM comments c JOIN users u ON u.id = c.author_id
            WHERE c.post_id = @PostId AND c.parent_id = @ParentId AND (c.deleted = 0 OR c.replies_count > 0 OR {Marked})
            """;

        public const string Post = "SELECT comments_count FROM posts WHERE id = @PostId AND deleted = 0 AND status = 'published'";

        public const string TopLevel = $"{From} AND c.place < @Place ORDER BY c.place DESC LIMIT @Take";

        public const string Replies = $"{From} AND c.place > @Place ORDER BY c.place LIMIT @Take";
    }
}
