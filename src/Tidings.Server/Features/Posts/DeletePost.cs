using Tidings.Server.Auth;
using Tidings.Server.ChannelAccess;
using Tidings.Server.Events;
using Tidings.Server.Features.Access;
using Tidings.Server.Features.Media;
using Tidings.Server.Host;
using Tidings.Server.Storage;

namespace Tidings.Server.Features.Posts;

/// <summary>Takes a post back. What it said goes with it; its row stays, so that its id and its version are never used again.</summary>
internal static class DeletePost
{
    public static async Task<IResult> HandleAsync(string id, CurrentUser author, Store store, MediaFiles files, LiveRights rights, TimeProvider clock, CancellationToken cancellationToken)
    {
        var receivedAt = clock.GetTimestamp();
        var now = clock.GetUtcNow();
        var (post, left) = await store.WriteAsync<(Post?, IReadOnlyList<string>)>(
            async write =>
            {
                var found = await LockAsync(write, id);
                if (found is null) return (null, []);
                if (found.AuthorId != author.Id) return (await PostAccess.OfAsync(write, author.Id, id, now)).IsThere ? (found, []) : (null, []);

                return (found, await DeleteAsync(write, store.IsPostgres, found, now, receivedAt));
            },
            cancellationToken);

        foreach (var file in left) files.Delete(file);
        if (post?.AuthorId == author.Id) rights.RewriteHere(new PostRewrittenPayload(id, author.Id, null, Access: null));
        if (post is null) return Problems.NotFound("post");
        return post.AuthorId == author.Id
            ? TypedResults.NoContent()
            : Problems.Problem(403, "forbidden", "Only its author may delete a post.");
    }

    /// <summary>Locks a post that is there for a unit that deletes it.</summary>
    public static ValueTask<Post?> LockAsync(IWriteUnit write, string id) => write.QuerySingleOrDefaultAsync<Post>(Sql.Read, new { Id = id });

    /// <summary>Deletes a post that is locked, in a unit.</summary>
    /// <returns>The ids of its files, to be deleted after the commit.</returns>
    public static async ValueTask<IReadOnlyList<string>> DeleteAsync(IWriteUnit write, bool isPostgres, Post post, DateTimeOffset now, long receivedAt = 0)
    {
        await write.ExecuteAsync(Sql.Delete, new { post.Id, Now = now });
        await write.ExecuteAsync(Sql.CancelTargets, new { post.Id, Now = now });
        var removed = await MediaOfPosts.TakeAsync(write, post.Id);
        if (post.Status != "published") return removed; // nobody has heard of it, or it has gone from their pages
        await write.ExecuteAsync(Sql.UncountPostOfAuthor, new { post.AuthorId });
        await write.ExecuteAsync(Sql.DropMark, new { post.Id });
        await PostHistory.RewriteAsync(write, isPostgres, new PostHistoryRewritten(post.Id, post.AuthorId, null, Access: null, now));
        await write.AppendAsync(new PostDeleted(post.Id, post.AuthorId, post.Version + 1, now) { ReceivedAt = receivedAt });
        return removed;
    }

    /// <summary>What deleting needs to know of a post.</summary>
    public sealed record Post(string Id, string AuthorId, long Version, string Status);

    private static class Sql
    {
        public const string Read = "SELECT id AS Id, author_id AS AuthorId, version AS Version, status AS Status FROM posts WHERE id = @Id AND deleted = 0 /*FOR UPDATE*/";

        public const string Delete = """
            UPDATE posts
            SET deleted = 1, version = version + 1, updated_at = @Now, title = '', content = '', media_url = NULL, thumbnail = NULL
            WHERE id = @Id
            """;

        /// <summary>What is on its way to other platforms goes on; what waits does not.</summary>
        public const string CancelTargets = """
            UPDATE targets SET state = 'canceled', attempt = attempt + 1, updated_at = @Now WHERE post_id = @Id AND state IN ('pending', 'claimed', 'retry_wait')
            """;

        public const string UncountPostOfAuthor = "UPDATE users SET posts_count = posts_count - 1 WHERE id = @AuthorId";

        public const string DropMark = "DELETE FROM pending_counters WHERE post_id = @Id";
    }
}
