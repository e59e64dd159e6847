namespace Tidings.Server.Features.Access;

/// <summary>What <see cref="PostAccess"/> decides by.</summary>
internal readonly record struct PostFacts
{
    /// <summary>
    /// The columns of <see cref="PostFactsRow"/> that a query of <c>posts p</c> adds to see the posts as a viewer may: takes <c>@Me</c>, empty
    /// for a visitor, and <c>@NowMs</c>.
    /// </summary>
    public const string Columns = """
        p.deleted AS Deleted, p.status AS Status, p.is_locked AS IsLocked, p.tier_level AS TierLevel, CAST(CASE WHEN p.author_id = @Me THEN 1 ELSE 0 END AS bigint) AS IsMine,
        (SELECT COUNT(*) FROM blocks b WHERE (b.blocker_id = @Me AND b.blocked_id = p.author_id) OR (b.blocker_id = p.author_id AND b.blocked_id = @Me)) AS Blocks,
        CASE WHEN p.is_locked = 0 OR p.tier_level IS NULL THEN 0 ELSE (
            SELECT coalesce(max(s.level), 0) FROM subscriptions s
            WHERE s.user_id = @Me AND s.creator_id = p.author_id AND s.expires_at > @NowMs AND s.status IN ('active', 'canceled')) END AS SubscribedLevel,
        CASE WHEN p.is_locked = 0 THEN 0 ELSE (SELECT COUNT(*) FROM purchases x WHERE x.user_id = @Me AND x.post_id = p.id) END AS Purchases
        """;

    public bool IsDeleted { get; init; }
    public bool IsPublished { get; init; }
    public bool IsAuthor { get; init; }

    /// <summary>Whether one of the two has blocked the other.</summary>
    public bool IsBlocked { get; init; }

    public bool IsLocked { get; init; }

    /// <summary>The level of subscription that opens it; null if none does.</summary>
    public long? TierLevel { get; init; }

    /// <summary>The viewer's level with the author; 0 without one.</summary>
    public long SubscribedLevel { get; init; }

    public bool HasBought { get; init; }
}

/// <summary>The facts as a query brings them, beside what else it reads of a post.</summary>
internal record PostFactsRow
{
    /// <summary>The facts of one post, deleted or not; takes <c>@Post</c>, <c>@Me</c> and <c>@NowMs</c>.</summary>
    public const string OfPost = $"SELECT p.author_id AS AuthorId, {PostFacts.Columns} FROM posts p WHERE p.id = @Post";

    public string AuthorId { get; init; } = "";
    public long Deleted { get; init; }
    public string Status { get; init; } = "";
    public long IsLocked { get; init; }
    public long? TierLevel { get; init; }
    public long IsMine { get; init; }
    public long Blocks { get; init; }
    public long SubscribedLevel { get; init; }
    public long Purchases { get; init; }

    /// <summary>What the viewer for whom the row was read may see.</summary>
    public PostView View() => PostAccess.Of(Facts());

    private PostFacts Facts() => new()
    {
        IsDeleted = Deleted != 0,
        IsPublished = Status == "published",
        IsAuthor = IsMine != 0,
        IsBlocked = Blocks != 0,
        IsLocked = IsLocked != 0,
        TierLevel = TierLevel,
        SubscribedLevel = SubscribedLevel,
        HasBought = Purchases != 0,
    };
}
