namespace Tidings.Faults.Tests.Access;

/// <summary>How much of a post somebody sees.</summary>
public enum Sight
{
    Hidden,
    Preview,
    Full,
}

/// <summary>How a route answers, by who asks and what the table says of the post that is asked for.</summary>
internal enum Cells
{
    /// <summary>404 where the table says hidden, and otherwise an answer.</summary>
    Seen,

    /// <summary>404 unless the table says full.</summary>
    Whole,

    /// <summary>As <see cref="Whole"/>; and who sees it all, 403, since it is another's.</summary>
    WholeOfOthers,

    /// <summary>The author's alone: 404 where the table says hidden, otherwise 403.</summary>
    AuthorOnly,

    /// <summary>The posts of the table, each as it says.</summary>
    List,

    /// <summary>403 for everybody but moderators and backends, whatever is asked for.</summary>
    Moderators,

    /// <summary>403 for every user, whatever is asked for.</summary>
    Backends,

    /// <summary>401 without the signature of the app's secret.</summary>
    Signed,

    /// <summary>What the caller has, or a thing without posts: everybody reads it, and receives no text that is not theirs.</summary>
    Own,

    /// <summary>A live protocol: the cells are in the test of what everybody receives.</summary>
    Live,
}

/// <summary>What a route's cells are.</summary>
/// <param name="Cells">How it answers.</param>
internal sealed record RouteCells(Cells Cells)
{
    /// <summary>The body to send; <c>{id}</c> is the post's id, <c>{soon}</c> a time to come.</summary>
    public string? Body { get; init; }

    /// <summary>Whether visitors may ask, too; otherwise 401.</summary>
    public bool IsForVisitors { get; init; }

    /// <summary>Whether it knows published posts only: drafts and hidden posts are not there for their author either.</summary>
    public bool IsOfPublished { get; init; }

    /// <summary>Whether asking changes nothing, so that everybody can be made to ask.</summary>
    public bool IsAsked { get; init; } = true;
}

/// <summary>
/// The one table of who sees what (docs/access.md has the same in words): a row for each kind of reader, a column for each kind of post, and how
/// each route shows them. All paths and protocols are held against it.
/// </summary>
internal static class AccessTable
{
    public const string Anonymous = "anonymous";
    public const string Author = "author";
    public const string Blocked = "blocked";
    public const string Moderator = "moderator";

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
        [Moderator] = [Sight.Full, Sight.Preview, Sight.Preview, Sight.Hidden, Sight.Hidden, Sight.Hidden],
        ["buyer"] = [Sight.Full, Sight.Preview, Sight.Full, Sight.Hidden, Sight.Hidden, Sight.Hidden],
        [Blocked] = [Sight.Hidden, Sight.Hidden, Sight.Hidden, Sight.Hidden, Sight.Hidden, Sight.Hidden],
        [Author] = [Sight.Full, Sight.Full, Sight.Full, Sight.Full, Sight.Hidden, Sight.Full],
    };

    private static readonly RouteCells Own = new(Cells.Own) { IsAsked = false };
    private static readonly RouteCells OwnRead = new(Cells.Own);
    private static readonly RouteCells OpenRead = new(Cells.Own) { IsForVisitors = true };
    private static readonly RouteCells OpenWrite = new(Cells.Own) { IsForVisitors = true, IsAsked = false };
    private static readonly RouteCells Moderating = new(Cells.Moderators) { Body = "{}" };
    private static readonly RouteCells ModeratingRead = new(Cells.Moderators);
    private static readonly RouteCells Backend = new(Cells.Backends) { Body = "{}" };
    private static readonly RouteCells BackendRead = new(Cells.Backends);
    private static readonly RouteCells Signed = new(Cells.Signed);
    private static readonly RouteCells Live = new(Cells.Live);

    /// <summary>
    /// Every route of the server, by its methods (<c>*</c>: all) and its pattern. RouteTests compares them with what the server has mapped, so that
    /// a new route without cells fails the build.
    /// </summary>
    public static readonly Dictionary<string, RouteCells> Routes = new()
    {
        ["GET /api/posts"] = new(Cells.List) { IsForVisitors = true },
        ["POST /api/posts"] = Own,
        ["GET /api/posts/{id}"] = new(Cells.Seen) { IsForVisitors = true },
        ["PATCH /api/posts/{id}"] = new(Cells.AuthorOnly) { Body = """{"content":"mine"}""" },
        ["DELETE /api/posts/{id}"] = new(Cells.AuthorOnly),
        ["POST /api/posts/{id}/publish"] = new(Cells.AuthorOnly),
        ["POST /api/posts/{id}/like"] = new(Cells.Seen) { IsOfPublished = true },
        ["DELETE /api/posts/{id}/like"] = new(Cells.Seen) { IsOfPublished = true },
        ["GET /api/posts/{id}/comments"] = new(Cells.Whole) { IsForVisitors = true, IsOfPublished = true },
        ["POST /api/posts/{id}/comments"] = new(Cells.Whole) { Body = """{"content":"hello"}""", IsOfPublished = true },
        ["PATCH /api/posts/{id}/comments/{commentId}"] = new(Cells.WholeOfOthers) { Body = """{"content":"mine"}""" },
        ["DELETE /api/posts/{id}/comments/{commentId}"] = new(Cells.WholeOfOthers),
        ["POST /api/posts/{id}/purchase"] = new(Cells.Seen) { Body = """{"price":3,"currency":"SOL"}""" },
        ["GET /api/media/{id}"] = new(Cells.Whole) { IsForVisitors = true },
        ["HEAD /api/media/{id}"] = new(Cells.Whole) { IsForVisitors = true },
        ["POST /api/media"] = Own,
        ["POST /api/reports"] = new(Cells.Seen) { Body = """{"postId":"{id}","reason":"spam"}""" },

        ["GET /api/moderation/reports"] = ModeratingRead,
        ["GET /api/moderation/audit"] = ModeratingRead,
        ["POST /api/moderation/reports/{id}/resolve"] = Moderating,
        ["POST /api/moderation/posts/{id}/hide"] = Moderating,
        ["POST /api/moderation/posts/{id}/restore"] = Moderating,
        ["POST /api/moderation/comments/{id}/hide"] = Moderating,
        ["POST /api/moderation/comments/{id}/restore"] = Moderating,
        ["POST /api/moderation/users/{id}/suspend"] = Moderating,
        ["POST /api/moderation/users/{id}/lift"] = Moderating,
        ["PUT /api/moderation/moderators/{id}"] = Backend,
        ["DELETE /api/moderation/moderators/{id}"] = Backend,

        ["POST /api/auth/register"] = OpenWrite,
        ["POST /api/auth/login"] = OpenWrite,
        ["POST /api/auth/logout"] = Own,
        ["POST /api/auth/token"] = Own,
        ["GET /api/auth/me"] = OwnRead,
        ["GET /api/creators"] = OpenRead,
        ["GET /api/creators/{id}"] = OpenRead,
        ["PUT /api/creators/me/tiers"] = Own,
        ["PATCH /api/creators/me"] = Own,
        ["POST /api/creators/{id}/follow"] = Own,
        ["DELETE /api/creators/{id}/follow"] = Own,
        ["POST /api/users/{id}/block"] = Own,
        ["DELETE /api/users/{id}/block"] = Own,
        ["GET /api/subscriptions"] = OwnRead,
        ["DELETE /api/subscriptions/{id}"] = Own,
        ["POST /api/subscriptions/process-payment"] = Own,
        ["POST /api/tips"] = Own,
        ["GET /api/payments/{id}"] = OwnRead,
        ["POST /api/payments/webhook"] = OpenWrite,
        ["GET /api/user/notifications"] = OwnRead,
        ["POST /api/user/notifications/{id}/read"] = Own,
        ["POST /api/user/notifications/read-all"] = Own,
        ["DELETE /api/user/notifications"] = Own,
        ["GET /api/user/notifications/preferences"] = OwnRead,
        ["PUT /api/user/notifications/preferences"] = Own,
        ["GET /api/user/export"] = OwnRead,
        ["DELETE /api/user"] = Own,
        ["GET /api/conversations"] = OwnRead,
        ["POST /api/conversations"] = Own,
        ["GET /api/conversations/{id}/messages"] = OwnRead,
        ["POST /api/conversations/{id}/messages"] = Own,
        ["POST /api/conversations/{id}/read"] = Own,
        ["POST /api/messages"] = Own,

        ["POST /api/posts/{id}/schedule"] = new(Cells.AuthorOnly) { Body = """{"scheduledAt":"{soon}"}""" },
        ["DELETE /api/posts/{id}/schedule"] = new(Cells.AuthorOnly),
        ["GET /api/posts/{id}/targets"] = new(Cells.AuthorOnly),
        ["POST /api/posts/{id}/targets/{targetId}/retry"] = new(Cells.AuthorOnly),
        ["POST /api/posts/{id}/targets/{targetId}/resolve"] = new(Cells.AuthorOnly) { Body = """{"as":"published"}""" },
        ["GET /api/analytics/overview"] = OwnRead,
        ["GET /api/analytics/posts/{id}"] = OwnRead, // of one's own post; of another's 404
        ["GET /api/publishing/targets"] = OwnRead,
        ["POST /api/publishing/retry"] = Own,
        ["GET /api/cron/publish-posts"] = new(Cells.Signed),
        ["GET /api/accounts"] = OwnRead,
        ["POST /api/accounts"] = Own,
        ["GET /api/accounts/callback"] = OpenWrite, // where another platform sends a browser back to
        ["DELETE /api/accounts/{id}"] = Own,

        ["POST /api/realtime/publish"] = Backend,
        ["POST /api/realtime/publish/batch"] = Backend,
        ["POST /api/realtime/users/{id}/publish"] = Backend,
        ["POST /api/realtime/users/{id}/notifications"] = Backend,
        ["POST /api/realtime/users/{id}/disconnect"] = Backend,
        ["POST /api/realtime/subscriptions/revoke"] = Backend,
        ["GET /api/realtime/channels"] = BackendRead,
        ["GET /api/realtime/channels/{name}"] = BackendRead,
        ["GET /api/realtime/channels/{name}/history"] = BackendRead,
        ["GET /api/realtime/channels/{name}/presence"] = BackendRead,
        ["GET /api/realtime/connections"] = BackendRead,
        ["POST /api/pusher/auth"] = Own, // it signs the names of channels that the user may read: PusherTests, and the live cells
        ["POST /api/pusher/user-auth"] = Own,
        ["POST /apps/{appId}/events"] = Signed,
        ["POST /apps/{appId}/batch_events"] = Signed,
        ["POST /apps/{appId}/channels/{channel}/events"] = Signed,
        ["GET /apps/{appId}/channels"] = Signed,
        ["GET /apps/{appId}/channels/{channel}"] = Signed,
        ["GET /apps/{appId}/channels/{channel}/users"] = Signed,
        ["GET /apps/{appId}/connections"] = Signed,
        ["POST /apps/{appId}/users/{userId}/terminate_connections"] = Signed,

        ["* /ws"] = Live,
        ["* /sse"] = Live,
        ["* /poll"] = Live,
        ["* /app/{key}"] = Live,
        ["* /socket.io"] = Live,
        ["* /hubs/tidings"] = Live,
        ["* /hubs/tidings/negotiate"] = Live,
        ["GET /health/live"] = OpenRead,
        ["GET /health/ready"] = OpenRead,
        ["GET /metrics"] = BackendRead,
        ["GET /api/socket"] = OpenRead,
        ["GET /openapi/{documentName}.json"] = OpenRead,
    };

    public static Sight Of(string reader, string post) => Rows[reader][Array.IndexOf(Objects, post)];
}
