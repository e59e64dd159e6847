using Tidings.Server.Events;

namespace Tidings.Server.Features.Posts;

/// <summary>A row of <c>posts</c> with what the author's row adds. The one way from a row to a <see cref="NormalisedPost"/>.</summary>
internal sealed record PostRow
{
    /// <summary>The columns as the properties are named; needs <c>posts p JOIN users u ON u.id = p.author_id</c>.</summary>
    public const string Columns = """
        p.id AS Id, p.author_id AS AuthorId, p.created_at AS CreatedAt, p.updated_at AS UpdatedAt, p.version AS Version,
        p.likes_count AS LikesCount, p.comments_count AS CommentsCount, p.is_locked AS IsLocked, p.currency AS Currency, p.status AS Status,
        p.media_type AS MediaType, p.media_url AS MediaUrl, p.thumbnail AS Thumbnail, p.category AS Category, p.title AS Title, p.content AS Content,
        u.nickname AS Nickname, u.full_name AS FullName, u.avatar AS Avatar, u.is_creator AS IsCreator
        """;

    public required string Id { get; init; }
    public required string AuthorId { get; init; }
    public long CreatedAt { get; init; }
    public long UpdatedAt { get; init; }
    public long Version { get; init; }
    public long LikesCount { get; init; }
    public long CommentsCount { get; init; }
    public long IsLocked { get; init; }
    public string Currency { get; init; } = "SOL";
    public string Status { get; init; } = "published";
    public string MediaType { get; init; } = "text";
    public string? MediaUrl { get; init; }
    public string? Thumbnail { get; init; }
    public string Category { get; init; } = "";
    public string Title { get; init; } = "";
    public string Content { get; init; } = "";
    public string Nickname { get; init; } = "";
    public string? FullName { get; init; }
    public string? Avatar { get; init; }
    public long IsCreator { get; init; }

    /// <summary>The post as everybody sees it.</summary>
    /// <exception cref="InvalidOperationException">It is locked: what a reader without the right may see is not settled yet, so nothing is shown.</exception>
    public NormalisedPost Normalise() =>
        IsLocked != 0
            ? throw new InvalidOperationException("A locked post has no normalised form yet.")
            : new NormalisedPost(
                Id,
                new PostContent(Title, Content),
                new PostMedia(MediaType, MediaUrl, Thumbnail),
                new PostLock(IsLocked: false, Price: null, Currency, Tier: null, HasAccess: true),
                new PostCreator(AuthorId, Nickname, FullName ?? "", Avatar, IsCreator != 0),
                new PostMetadata(
                    DateTimeOffset.FromUnixTimeMilliseconds(CreatedAt),
                    DateTimeOffset.FromUnixTimeMilliseconds(UpdatedAt),
                    Category,
                    LikesCount,
                    CommentsCount,
                    Status,
                    ScheduledAt: null,
                    Version));
}
