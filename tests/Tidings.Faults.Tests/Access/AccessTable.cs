namespace Tidings.Faults.Tests.Access;

/// <summary>How much of a post somebody sees.</summary>
public enum Sight
{
    Hidden,
    Preview,
    Full,
}

/// <summary>
/// The one table of who sees what (docs/access.md has the same in words): a row for each kind of reader, a column for each kind of post. All
/// paths and protocols are held against it.
/// </summary>
internal static class AccessTable
{
    public const string Anonymous = "anonymous";
    public const string Author = "author";
    public const string Blocked = "blocked";

    public static readonly string[] Objects = ["open", "tier", "priced", "draft", "deleted", "hidden"];

    public static readonly Dictionary<string, Sight[]> Rows = new()
    {
        // open, tier, priced, draft, deleted, hidden
        [Anonymous] = [Sight.Full, Sight.Preview, Sight.Preview, Sight.Hidden, Sight.Hidden, Sight.Hidden],
        ["stranger"] = [Sight.Full, Sight.Preview, Sight.Preview, Sight.Hidden, Sight.Hidden, Sight.Hidden],
        ["follower"] = [Sight.Full, Sight.Preview, Sight.Preview, Sight.Hidden, Sight.Hidden, Sight.Hidden],
        ["subscriber"] = [Sight.Full, Sight.Full, Sight.Preview, Sight.Hidden, Sight.Hidden, Sight.Hidden],
        ["too low"] = [Sight.Full, Sight.Preview, Sight.Preview, Sight.Hidden, Sight.Hidden, Sight.Hidden],
        ["refunded"] = [Sight.Full, Sight.Preview, Sight.Preview, Sight.Hidden, Sight.Hidden, Sight.Hidden],
        ["moderator"] = [Sight.Full, Sight.Preview, Sight.Preview, Sight.Hidden, Sight.Hidden, Sight.Hidden],
        ["buyer"] = [Sight.Full, Sight.Preview, Sight.Full, Sight.Hidden, Sight.Hidden, Sight.Hidden],
        [Blocked] = [Sight.Hidden, Sight.Hidden, Sight.Hidden, Sight.Hidden, Sight.Hidden, Sight.Hidden],
        [Author] = [Sight.Full, Sight.Full, Sight.Full, Sight.Full, Sight.Hidden, Sight.Full],
    };

    /// <summary>
    /// How each route of the API answers for a post, or why it has no cells: <c>sight</c>: 404 where the table says hidden; <c>author</c>: the
    /// author's alone; <c>list</c>: the posts of the table, each as it says; otherwise a reason, in words.
    /// </summary>
    public static readonly Dictionary<string, string> Routes = new()
    {
        ["GET /api/posts"] = "list",
        ["POST /api/posts"] = "It makes a post of the caller's own.",
        ["GET /api/posts/{id}"] = "sight",
        ["PATCH /api/posts/{id}"] = "author",
        ["DELETE /api/posts/{id}"] = "author",
        ["POST /api/posts/{id}/publish"] = "author",
        ["POST /api/posts/{id}/schedule"] = "author",
        ["DELETE /api/posts/{id}/schedule"] = "author",
        ["GET /api/posts/{id}/targets"] = "author",
        ["POST /api/posts/{id}/targets/{targetId}/retry"] = "author",
        ["POST /api/posts/{id}/targets/{targetId}/resolve"] = "author",
        ["POST /api/posts/{id}/like"] = "sight",
        ["DELETE /api/posts/{id}/like"] = "sight",
        ["GET /api/posts/{id}/comments"] = "comments",
        ["POST /api/posts/{id}/comments"] = "comments",
        ["PATCH /api/posts/{id}/comments/{commentId}"] = "A comment is its writer's: CommentTests.",
        ["DELETE /api/posts/{id}/comments/{commentId}"] = "A comment is its writer's, or the post's author's: CommentTests.",
        ["POST /api/posts/{id}/purchase"] = "It shows nothing of the post: PaymentTests.",
    };

    /// <summary>Routes that show no post: by the beginning of their path, with the reason.</summary>
    public static readonly (string Path, string Reason)[] WithoutPosts =
    [
        ("/api/publishing/", "It shows the caller's own targets: ScheduledPostTests."),
        ("/api/cron/", "It counts, for whoever holds the cron secret: ScheduledPostTests."),
        ("/api/auth/", "It is about the caller's own account."),
        ("/api/creators", "It shows people; blocks are in BlockTests."),
        ("/api/users/", "It is about the caller's own blocks."),
        ("/api/subscriptions", "It shows the caller's own subscriptions."),
        ("/api/accounts", "It is about the caller's own accounts on other platforms: ConnectedAccountsTests."),
        ("/api/analytics", "It shows the caller's own figures: AnalyticsTests."),
        ("/api/tips", "It shows the caller's own tip."),
        ("/api/payments", "It shows the caller's own payments, or is the provider's."),
        ("/api/conversations", "It shows what is said between its members: ConversationTests."),
        ("/api/messages", "It is a message of the caller's own: ConversationTests."),
        ("/api/user", "It shows the caller's own notifications and data: NotificationTests."),
        ("/api/reports", "It shows nothing, and knows only what the caller sees: ModerationTests."),
        ("/api/moderation", "It is the moderators' and the backend's: ModerationTests."),
        ("/api/media", "It is protected by its post: MediaTests."),
        ("/api/realtime", "It is the backend's, which holds the app's secret."),
        ("/apps/", "It is the backend's, which signs with the app's secret."),
        ("/api/pusher/", "It signs names of channels for the signed-in user: Pusher tests."),
        ("/health", "It says whether the server is well."),
        ("/metrics", "It counts."),
        ("/api/socket", "It is one line of text."),
    ];

    public static Sight Of(string reader, string post) => Rows[reader][Array.IndexOf(Objects, post)];
}
