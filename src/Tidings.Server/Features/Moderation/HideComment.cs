using Tidings.Server.ChannelAccess;
using Tidings.Server.Events;
using Tidings.Server.Features.Analytics;
using Tidings.Server.Features.Comments;
using Tidings.Server.Host;
using Tidings.Server.Storage;

namespace Tidings.Server.Features.Moderation;

/// <summary>
/// Hides a comment from everybody but its author and moderators, who see it marked, or shows it again. To readers' clients hiding is a deletion:
/// the comment goes from their pages, and from what may be replayed. Asked twice it is done once.
/// </summary>
internal static class HideComment
{
    public static Task<IResult> HideAsync(string id, HttpContext http, Store store, LiveRights rights, TimeProvider clock, CancellationToken cancellationToken) =>
        ChangeAsync(id, isHidden: true, http, store, rights, clock, cancellationToken);

    public static Task<IResult> RestoreAsync(string id, HttpContext http, Store store, LiveRights rights, TimeProvider clock, CancellationToken cancellationToken) =>
        ChangeAsync(id, isHidden: false, http, store, rights, clock, cancellationToken);

    private static async Task<IResult> ChangeAsync(string id, bool isHidden, HttpContext http, Store store, LiveRights rights, TimeProvider clock, CancellationToken cancellationToken)
    {
        var (request, problem) = await ModerationRules.ReadAsync(http.Request, ModerationRequestJson.Strict.HidePost, static body => body.Note, cancellationToken);
        if (problem is not null) return problem;

        var (now, actor) = (clock.GetUtcNow(), Moderators.ActorOf(http));
        CommentedPost? changed = null;
        var isThere = await store.WriteAsync(
            async write =>
            {
                if (await write.QuerySingleOrDefaultAsync<string>(Sql.PostOf, new { Id = id }) is not { } postId) return false;
                if (await CommentedPost.LockAnyAsync(write, postId, now) is not { } post) return false;
                if (await write.QuerySingleOrDefaultAsync<CommentRow>(Sql.Read, new { Id = id }) is not { } row) return false;
                if (row.Deleted == CommentRow.Hidden == isHidden) return true;

                changed = post;
                var after = post.After(isHidden ? -1 : 1);
                write.Enqueue(Sql.Change, new { Id = id, Deleted = isHidden ? CommentRow.Hidden : 0, after.Version });
                Audit.Write(write, actor, isHidden ? "comment.hide" : "comment.restore", $"comment:{id}", request?.Note, now);
                if (isHidden) await DeleteComment.TakeOutAsync(write, store.IsPostgres, after, new(id, row.AuthorId, row.ParentId, row.Deleted), now, receivedAt: 0);
                else await PutBackAsync(write, after, row with { Deleted = 0, Version = after.Version }, now);
                return true;
            },
            cancellationToken);
        if (changed is not null && isHidden) rights.RewriteHere(new PostRewrittenPayload(changed.Id, changed.AuthorId, null, Access: null) { CommentId = id });
        return isThere ? TypedResults.NoContent() : Problems.NotFound("comment");
    }

    private static async ValueTask PutBackAsync(IWriteUnit write, CommentedPost after, CommentRow row, DateTimeOffset now)
    {
        after.Enqueue(write);
        if (row.ParentId.Length > 0) write.Enqueue(Sql.CountReply, row);
        CreatorDays.CountComments(write, after.AuthorId, 1, now);
        await write.AppendAsync(new CommentAdded(row.Normalise(), after.CommentsCount, after.Version, after.Right, now));
    }

    private static class Sql
    {
        public const string PostOf = "SELECT post_id FROM comments WHERE id = @Id";
        public const string Read = $"SELECT {CommentRow.Columns} FROM comments c JOIN users u ON u.id = c.author_id WHERE c.id = @Id AND c.deleted <> 1";
        public const string Change = "UPDATE comments SET deleted = @Deleted, version = @Version WHERE id = @Id";
        public const string CountReply = "UPDATE comments SET replies_count = replies_count + 1 WHERE id = @ParentId";
    }
}
