using Tidings.Server.ChannelAccess;
using Tidings.Server.Events;
using Tidings.Server.Features.Access;
using Tidings.Server.Features.Posts;
using Tidings.Server.Host;
using Tidings.Server.Storage;

namespace Tidings.Server.Features.Moderation;

/// <summary>
/// Hides a post from everybody but its author, or shows it again. To readers' clients hiding is a deletion: the post goes from their pages, and from
/// what may be replayed. Asked twice it is done once.
/// </summary>
internal static class HidePost
{
    /// <summary>The status of a hidden post, which its author sees.</summary>
    public const string Hidden = "hidden";

    /// <summary>Why.</summary>
    public sealed record Request(string? Note);

    public static Task<IResult> HideAsync(string id, HttpContext http, Store store, LiveRights rights, TimeProvider clock, CancellationToken cancellationToken) =>
        ChangeAsync(id, "published", Hidden, "post.hide", http, store, rights, clock, cancellationToken);

    public static Task<IResult> RestoreAsync(string id, HttpContext http, Store store, LiveRights rights, TimeProvider clock, CancellationToken cancellationToken) =>
        ChangeAsync(id, Hidden, "published", "post.restore", http, store, rights, clock, cancellationToken);

    private static async Task<IResult> ChangeAsync(
        string id, string from, string to, string action, HttpContext http, Store store, LiveRights rights, TimeProvider clock, CancellationToken cancellationToken)
    {
        var (request, problem) = await ModerationRules.ReadAsync(http.Request, ModerationRequestJson.Strict.HidePost, static body => body.Note, cancellationToken);
        if (problem is not null) return problem;

        var (now, actor) = (clock.GetUtcNow(), Moderators.ActorOf(http));
        string? authorId = null;
        var isThere = await store.WriteAsync(
            async write =>
            {
                var old = await write.QuerySingleOrDefaultAsync<PostRow>(Sql.Read, new { Id = id, Me = "", NowMs = now.ToUnixTimeMilliseconds() });
                if (old is null || (old.Status != from && old.Status != to)) return false;
                if (old.Status == to) return true;

                authorId = old.AuthorId;
                var post = old with { Status = to, Version = old.Version + 1, UpdatedAt = now.ToUnixTimeMilliseconds() };
                await write.ExecuteAsync(Sql.Change, post);
                await write.ExecuteAsync(Sql.CountOfAuthor, new { post.AuthorId, By = to == Hidden ? -1 : 1 });
                Audit.Write(write, actor, action, $"post:{id}", request?.Note, now);
                if (to == Hidden)
                {
                    await PostHistory.RewriteAsync(write, store.IsPostgres, new PostHistoryRewritten(id, post.AuthorId, null, Access: null, now));
                    await write.AppendAsync(new PostDeleted(id, post.AuthorId, post.Version, now));
                    return true;
                }

                await write.AppendAsync(new PostCreated(post.Whole(), IsAnnounced: false, now));
                return true;
            },
            cancellationToken);
        if (authorId is not null && to == Hidden) rights.RewriteHere(new PostRewrittenPayload(id, authorId, null, Access: null));
        return isThere ? TypedResults.NoContent() : Problems.NotFound("post");
    }

    private static class Sql
    {
        public const string Read = $"SELECT {PostRow.Columns} FROM posts p JOIN users u ON u.id = p.author_id WHERE p.id = @Id AND p.deleted = 0 /*FOR UPDATE OF p*/";
        public const string Change = "UPDATE posts SET status = @Status, version = @Version, updated_at = @UpdatedAt WHERE id = @Id";
        public const string CountOfAuthor = "UPDATE users SET posts_count = posts_count + @By WHERE id = @AuthorId";
    }
}
