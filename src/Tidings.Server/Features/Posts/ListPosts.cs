using System.Text.Json;
using Dapper;
using Tidings.Realtime.Channels;
using Tidings.Realtime.History;
using Tidings.Server.Auth;
using Tidings.Server.Events;
using Tidings.Server.Host;
using Tidings.Server.Storage;

namespace Tidings.Server.Features.Posts;

/// <summary>
/// A page of posts as the viewer may see them, newest first: the viewer's feed, everyone's, one creator's, or the viewer's drafts. With it goes the position from which the viewer's
/// subscription continues it.
/// </summary>
internal static class ListPosts
{
    private const int DefaultLimit = 20;
    private const int MaxLimit = 100;

    public static async Task<IResult> HandleAsync(
        Viewer viewer, Store store, IDurableEventLog log, string? cursor, string? limit, string? category, string? creatorId, string? scope,
        string? status, TimeProvider clock, CancellationToken cancellationToken)
    {
        if (!PageLimit.TryParse(limit, DefaultLimit, MaxLimit, out var take)) return PageLimit.Refusal(MaxLimit);
        if (scope is not (null or "" or "all")) return Problems.Invalid("scope", "This must be all, or absent.");
        if (!string.IsNullOrEmpty(creatorId) && !ChannelName.IsId(creatorId)) return Problems.Invalid("creatorId", "This is not the id of a user.");
        if (status is not (null or "" or "published" or "draft" or "scheduled")) return Problems.Invalid("status", "This must be published, draft or scheduled, or absent.");
        if (status is "draft" or "scheduled" && viewer.UserId is null) return Problems.Invalid("status", "Only who is signed in has posts that are not published.");
        var from = PageCursor.Start;
        if (!string.IsNullOrEmpty(cursor) && !PageCursor.TryParse(cursor, out from))
            return Problems.Problem(400, "invalid_cursor", "This cursor was not given out by this server: ask for the first page.");

        var (sql, positions) = (creatorId, viewer.UserId) switch
        {
            (_, { } me) when status is "draft" or "scheduled" => (status == "draft" ? Sql.Drafts : Sql.Waiting, await log.OfChannelAsync(EventChannels.User(me), me, cancellationToken)),
            ({ Length: > 0 }, _) => (Sql.OfCreator, await log.OfChannelAsync(EventChannels.Creator(creatorId), viewer.UserId, cancellationToken)),
            (_, { } me) when scope != "all" => (store.IsPostgres ? Sql.FeedOnPostgres : Sql.Feed, await log.OfFeedAsync(EventChannels.Feed(me), cancellationToken)),
            _ => (Sql.Everyone, await log.OfChannelAsync(EventChannels.PublicPosts, viewer.UserId, cancellationToken)),
        };

        var page = new
        {
            Me = viewer.UserId ?? "",
            CreatorId = creatorId ?? "",
            Category = category ?? "",
            from.CreatedAt,
            from.Id,
            Take = take + 1,
            NowMs = clock.GetUtcNow().ToUnixTimeMilliseconds(),
        };
        var (rows, liked) = await store.ReadAsync(
            async connection =>
            {
                var posts = (await connection.QueryAsync<PostRow>(string.IsNullOrEmpty(category) ? sql.Any : sql.OneCategory, page)).AsList();
                return (posts, viewer.UserId is null ? null : await ReadLikedAsync(connection, viewer.UserId, posts));
            },
            cancellationToken);

        var hasMore = rows.Count > take;
        if (hasMore) rows.RemoveAt(take);
        var next = hasMore ? new PageCursor(rows[^1].CreatedAt, rows[^1].Id).ToString() : null;
        return TypedResults.Json(new PostPage([.. rows.Select(row => row.ForViewer()).OfType<NormalisedPost>()], next, positions, liked), PostsJson.Answers.PostPage);
    }

    private static async Task<IReadOnlyCollection<string>> ReadLikedAsync(System.Data.Common.DbConnection connection, string me, List<PostRow> posts) =>
        (await connection.QueryAsync<string>(Sql.Liked, new { Me = me, Posts = JsonSerializer.Serialize(posts.Select(post => post.Id)) })).AsList();

    /// <summary>A query without and with a category, which has an index of its own.</summary>
    private sealed record Query(string Any, string OneCategory);

    private static class Sql
    {
        private const string Shown = "p.deleted = 0 AND p.status = 'published' AND (p.created_at, p.id) < (@CreatedAt, @Id)";
        private const string InCategory = "p.category = @Category AND p.category <> ''";
        private const string AlsoInCategory = "AND p.category || '' = @Category"; // by the author's index, not by the category's
        private const string Newest = "ORDER BY p.created_at DESC, p.id DESC LIMIT @Take";
        private const string From = $"SELECT {PostRow.Columns} FROM posts p JOIN users u ON u.id = p.author_id WHERE {Shown}";

        // The newest post of each creator, by the index: what is older than the last of as many as fill a page is not on it, so that nearly all creators
        // are done with that one look. Of the others the newest few, and of these the newest. However much else there is, it is not looked at.
        private const string FeedStart = $"""
            WITH authors (id) AS (SELECT @Me UNION SELECT creator_id FROM follows WHERE follower_id = @Me),
            newest (author_id, at) AS (SELECT a.id, (SELECT p.created_at FROM posts p WHERE p.author_id = a.id AND {Shown}
            """;

        private const string FeedMiddle = """
                ORDER BY p.created_at DESC, p.id DESC LIMIT 1) FROM authors a),
            oldest (at) AS (SELECT coalesce((SELECT at FROM newest WHERE at IS NOT NULL ORDER BY at DESC LIMIT 1 OFFSET @Take - 1), 0)),
            page (id) AS (
            """;

        private const string OfOne = $"FROM posts p WHERE p.author_id = n.author_id AND {Shown} AND p.created_at >= (SELECT at FROM oldest)";

        private const string FeedPosts = $"SELECT p.id FROM newest n JOIN posts p ON p.id IN (SELECT p.id {OfOne}";

        // PostgreSQL goes through the creators by a join; SQLite has none that refers to what is left of it.
        private const string FeedPostsOnPostgres = $"SELECT p.id FROM newest n CROSS JOIN LATERAL (SELECT p.id, p.created_at {OfOne}";

        private const string FeedEnd = $"""
                WHERE n.at >= (SELECT at FROM oldest) {Newest})
            SELECT {PostRow.Columns} FROM page JOIN posts p ON p.id = page.id JOIN users u ON u.id = p.author_id
            ORDER BY p.created_at DESC, p.id DESC
            """;

        public const string Liked = "SELECT post_id FROM post_likes WHERE user_id = @Me AND post_id IN (SELECT value FROM json_each(@Posts))";

        // Whoever has blocked or is blocked is not in one's feed: the follow ended with it. PostRow looks once more.
        private const string NotBlocked = """
            NOT EXISTS (SELECT 1 FROM blocks b WHERE (b.blocker_id = @Me AND b.blocked_id = p.author_id) OR (b.blocker_id = p.author_id AND b.blocked_id = @Me))
            """;

        public static readonly Query Everyone = new($"{From} AND {NotBlocked} {Newest}", $"{From} AND {InCategory} AND {NotBlocked} {Newest}");

        public static readonly Query OfCreator = new(
            $"{From} AND p.author_id = @CreatorId AND {NotBlocked} {Newest}",
            $"{From} AND p.author_id = @CreatorId {AlsoInCategory} AND {NotBlocked} {Newest}");

        private const string NoTime = "AND p.publishing IS NULL";
        private const string HasTime = "AND p.publishing IS NOT NULL";

        private const string OwnDrafts = $"""
            SELECT {PostRow.Columns} FROM posts p JOIN users u ON u.id = p.author_id
            WHERE p.author_id = @Me AND p.deleted = 0 AND p.status <> 'published' AND (p.created_at, p.id) < (@CreatedAt, @Id)
            """;

        public static readonly Query Drafts = new($"{OwnDrafts} {NoTime} {Newest}", $"{OwnDrafts} {NoTime} {AlsoInCategory} {Newest}");

        /// <summary>What has, or had, a time and is not published: scheduled, on its way, missed, failed or canceled.</summary>
        public static readonly Query Waiting = new($"{OwnDrafts} {HasTime} {Newest}", $"{OwnDrafts} {HasTime} {AlsoInCategory} {Newest}");

        public static readonly Query Feed = new(FeedOf("", isPostgres: false), FeedOf(AlsoInCategory, isPostgres: false));

        public static readonly Query FeedOnPostgres = new(FeedOf("", isPostgres: true), FeedOf(AlsoInCategory, isPostgres: true));

        private static string FeedOf(string filter, bool isPostgres) =>
            $"{FeedStart} {filter} {FeedMiddle} {(isPostgres ? FeedPostsOnPostgres : FeedPosts)} {filter} {Newest}) {(isPostgres ? "p" : "")} {FeedEnd}";
    }
}
