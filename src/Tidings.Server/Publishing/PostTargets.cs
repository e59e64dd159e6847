using System.Text.Json;
using Tidings.Server.Events;
using Tidings.Server.Features.Notifications;
using Tidings.Server.Storage;

namespace Tidings.Server.Publishing;

/// <summary>A post whose row is locked while its targets change.</summary>
internal sealed record LockedPost(string Id, string AuthorId, string Status, long Deleted, string? Publishing, long Version, long Revision, string Title)
{
    /// <summary>Whether it is on this server's feed, where others may see it.</summary>
    public bool IsOnFeed => Status == "published" && Deleted == 0;
}

/// <summary>
/// What all changes of a post's targets have in common: the post's row is locked first, and at the end its state is computed anew and whoever should
/// know is told, in the same unit. Units lock the post, then its targets, then its author.
/// </summary>
internal static class PostTargets
{
    /// <summary>Locks the row of a post, deleted or not.</summary>
    public static ValueTask<LockedPost?> LockAsync(IWriteUnit write, string postId) =>
        write.QuerySingleOrDefaultAsync<LockedPost>(Sql.Lock, new { Id = postId });

    /// <summary>A post's targets, in the order in which they were asked for.</summary>
    public static ValueTask<IReadOnlyList<TargetRow>> ReadAsync(IWriteUnit write, string postId) =>
        write.QueryAsync<TargetRow>(Sql.OfPost, new { PostId = postId });

    /// <summary>
    /// Computes what the post is now, keeps it and tells of it. Called once in a unit, after the last change of the post's targets.
    /// </summary>
    /// <param name="write">The unit.</param>
    /// <param name="post">The post as it was locked; with its new status if it was put on the feed since.</param>
    /// <param name="isSuccess">Whether a target has succeeded, which others may see.</param>
    /// <param name="now">The time of the change.</param>
    /// <returns>What the post is now.</returns>
    public static async ValueTask<string> SettleAsync(IWriteUnit write, LockedPost post, bool isSuccess, DateTimeOffset now)
    {
        var targets = await ReadAsync(write, post.Id).ConfigureAwait(false);
        var state = PostStates.Of([.. targets.Select(static target => target.State)]);
        if (state != post.Publishing) await write.ExecuteAsync(Sql.Keep, new { post.Id, State = state, Now = now }).ConfigureAwait(false);
        if (post.Deleted != 0) return state;

        if (state == PostStates.Published && post.Publishing != PostStates.Published) await TellPublishedAsync(write, post, targets, now).ConfigureAwait(false);
        await write.AppendAsync(new PublishingChanged(post.Id, post.AuthorId, state, [.. targets.Select(ViewOf)], isSuccess && post.IsOnFeed, now)).ConfigureAwait(false);
        return state;
    }

    /// <summary>Tells the author's pages how one target goes: <c>post:publishing</c>, <c>post:published</c> or <c>post:failed</c>.</summary>
    public static async ValueTask TellAsync(IWriteUnit write, LockedPost post, string type, string platform, string? error, DateTimeOffset now)
    {
        if (post.Deleted != 0) return;
        var platforms = (await ReadAsync(write, post.Id).ConfigureAwait(false)).Select(static target => target.Platform).Distinct().ToList();
        await write.AppendAsync(new TargetNews(type, post.Id, post.AuthorId, platform, platforms, error, now)).ConfigureAwait(false);
    }

    /// <summary>Tells the author's pages and the author that a target failed, or that nobody knows whether it did.</summary>
    public static async ValueTask TellFailedAsync(IWriteUnit write, LockedPost post, TargetRow target, string reason, DateTimeOffset now, bool isInDoubt = false)
    {
        if (post.Deleted != 0) return;
        await TellAsync(write, post, "post:failed", target.Platform, reason, now).ConfigureAwait(false);
        var (title, message) = isInDoubt
            ? ("Post in doubt", $"Look whether your post is on {NameOf(target.Platform)}: {reason}")
            : ("Post not published", $"Your post was not published on {NameOf(target.Platform)}: {reason}");
        await write.AddAsync(new NewNotification(post.AuthorId, NotificationTypes.PostFailed, title, message, DataOf(post.Id, target.Id, target.Platform), now)).ConfigureAwait(false);
    }

    /// <summary>Tells the author's pages and the author, once for the post, that its time went by.</summary>
    public static async ValueTask TellMissedAsync(IWriteUnit write, LockedPost post, IReadOnlyList<TargetRow> missed, DateTimeOffset now)
    {
        if (post.Deleted != 0) return;
        const string Reason = "The server did not run when it was due, and it is too late for it by your schedule. Publish it now, or schedule it again.";
        await TellAsync(write, post, "post:failed", missed[0].Platform, Reason, now).ConfigureAwait(false);
        await write.AddAsync(new NewNotification(post.AuthorId, NotificationTypes.PostFailed, "Post missed", $"Your post was not published. {Reason}", DataOf(post.Id, null, null), now))
            .ConfigureAwait(false);
    }

    /// <summary>A target as the author sees it.</summary>
    public static TargetView ViewOf(TargetRow target) =>
        new(target.Id, target.Platform, target.State, target.Url, target.State is TargetStates.Succeeded or TargetStates.Pending ? null : target.Reason);

    /// <summary>A platform's name in a sentence.</summary>
    public static string NameOf(string platform) => platform switch
    {
        TargetRow.OwnFeed => "this server",
        "" => "",
        _ => char.ToUpperInvariant(platform[0]) + platform[1..],
    };

    private static async ValueTask TellPublishedAsync(IWriteUnit write, LockedPost post, IReadOnlyList<TargetRow> targets, DateTimeOffset now)
    {
        var others = targets.Where(static target => target.Platform != TargetRow.OwnFeed && target.State == TargetStates.Succeeded)
            .Select(static target => NameOf(target.Platform)).Distinct().ToList();
        var where = others.Count == 0 ? "" : $", also on {string.Join(", ", others)}";
        await write.AddAsync(new NewNotification(
            post.AuthorId, NotificationTypes.PostPublished, "Post published", $"Your post was published{where}.", DataOf(post.Id, null, null), now)).ConfigureAwait(false);
    }

    private static byte[] DataOf(string postId, string? targetId, string? platform) => targetId is null
        ? JsonSerializer.SerializeToUtf8Bytes(new Dictionary<string, string> { ["postId"] = postId })
        : JsonSerializer.SerializeToUtf8Bytes(new Dictionary<string, string> { ["postId"] = postId, ["targetId"] = targetId, ["platform"] = platform! });

    private static class Sql
    {
        public const string Lock = """
            SELECT id AS Id, author_id AS AuthorId, status AS Status, deleted AS Deleted, publishing AS Publishing, version AS Version, revision AS Revision, title AS Title
            FROM posts WHERE id = @Id /*FOR UPDATE*/
            """;

        public const string OfPost = $"SELECT {TargetRow.Columns} FROM targets WHERE post_id = @PostId ORDER BY id";

        /// <summary>What is on the feed, or was taken from it by a moderator, stays so whatever other platforms do.</summary>
        public const string Keep = """
            UPDATE posts
            SET publishing = @State, version = version + 1, updated_at = @Now,
                status = CASE WHEN status IN ('published', 'hidden') THEN status ELSE @State END
            WHERE id = @Id
            """;
    }
}
