using Tidings.Server.Auth;
using Tidings.Server.ChannelAccess;
using Tidings.Server.Events;
using Tidings.Server.Features.Access;
using Tidings.Server.Features.Analytics;
using Tidings.Server.Host;
using Tidings.Server.Storage;

namespace Tidings.Server.Features.Comments;

/// <summary>
/// Takes a comment back: its author may, and the post's. What it said is gone, from the history of events too; while it has replies its place stays, so that they have
/// one too. Hiding by moderators is the same to readers (<see cref="Moderation.HideComment"/>).
/// </summary>
internal static class DeleteComment
{
    public static async Task<IResult> HandleAsync(
        string id, string commentId, CurrentUser user, Store store, LiveRights rights, TimeProvider clock, CancellationToken cancellationToken)
    {
        var receivedAt = clock.GetTimestamp();
        var now = clock.GetUtcNow();
        CommentedPost? changed = null;
        var mayDelete = await store.WriteAsync<bool?>(
            async write =>
            {
                if (await CommentedPost.LockAsync(write, id, user.Id, now) is not { } post) return null;
                var comment = await write.QuerySingleOrDefaultAsync<Comment>(Sql.Read, new { Id = commentId, PostId = id });
                if (comment is null) return null;
                if (comment.AuthorId != user.Id && post.AuthorId != user.Id) return false;

                changed = post;
                await DeleteAsync(write, store.IsPostgres, post, comment, now, receivedAt);
                return true;
            },
            cancellationToken);

        if (changed is not null) rights.RewriteHere(new PostRewrittenPayload(changed.Id, changed.AuthorId, null, Access: null) { CommentId = commentId });
        if (mayDelete is not { } isAllowed) return Problems.NotFound("comment");
        return isAllowed
            ? TypedResults.NoContent()
            : Problems.Problem(403, "forbidden", "Only its author and the post's may delete a comment.");
    }

    /// <summary>Deletes a comment for its author, who has left, whatever the author could see of its post.</summary>
    public static async ValueTask OfAnyPostAsync(IWriteUnit write, bool isPostgres, string commentId, DateTimeOffset now)
    {
        if (await write.QuerySingleOrDefaultAsync<string>(Sql.PostOf, new { Id = commentId }) is not { } postId) return;
        var post = await CommentedPost.LockAnyAsync(write, postId, now);
        if (await write.QuerySingleOrDefaultAsync<Comment>(Sql.Read, new { Id = commentId, PostId = postId }) is not { } comment) return;
        if (post is null) await write.ExecuteAsync(Sql.Delete, new { Id = commentId, Now = now, Version = 0L }); // of a post that nobody sees
        else await DeleteAsync(write, isPostgres, post, comment, now, receivedAt: 0);
    }

    /// <summary>Takes a comment from readers that they have seen: counts, history and pages forget it. What becomes of its row is the caller's.</summary>
    public static async ValueTask TakeOutAsync(IWriteUnit write, bool isPostgres, CommentedPost after, Comment comment, DateTimeOffset now, long receivedAt)
    {
        after.Enqueue(write);
        if (comment.ParentId.Length > 0) write.Enqueue(Sql.UncountReply, comment);
        CreatorDays.CountComments(write, after.AuthorId, -1, now);
        await PostHistory.RewriteAsync(write, isPostgres, new PostHistoryRewritten(after.Id, after.AuthorId, null, Access: null, now) { CommentId = comment.Id });
        await write.AppendAsync(new CommentDeleted(comment.Id, after.Id, after.CommentsCount, after.Version, now) { ReceivedAt = receivedAt });
    }

    private static async ValueTask DeleteAsync(IWriteUnit write, bool isPostgres, CommentedPost post, Comment comment, DateTimeOffset now, long receivedAt)
    {
        var after = comment.IsHidden ? post : post.After(-1); // readers have not seen what is hidden
        write.Enqueue(Sql.Delete, new { comment.Id, Now = now, after.Version });
        if (!comment.IsHidden) await TakeOutAsync(write, isPostgres, after, comment, now, receivedAt);
    }

    /// <summary>A comment that is there, hidden or not.</summary>
    internal sealed record Comment(string Id, string AuthorId, string ParentId, long Deleted)
    {
        public bool IsHidden => Deleted == CommentRow.Hidden;
    }

    private static class Sql
    {
        public const string Read =
            "SELECT id AS Id, author_id AS AuthorId, parent_id AS ParentId, deleted AS Deleted FROM comments WHERE id = @Id AND post_id = @PostId AND deleted <> 1";

        public const string PostOf = "SELECT post_id FROM comments WHERE id = @Id AND deleted <> 1";

        public const string Delete = "UPDATE comments SET deleted = 1, content = '', updated_at = @Now, version = @Version WHERE id = @Id";

        public const string UncountReply = "UPDATE comments SET replies_count = replies_count - 1 WHERE id = @ParentId";
    }
}
