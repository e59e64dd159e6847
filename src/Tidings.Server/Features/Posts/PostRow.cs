using Tidings.Server.Events;
using Tidings.Server.Features.Access;
using Tidings.Server.Features.Tiers;

namespace Tidings.Server.Features.Posts;

/// <summary>
/// A row of <c>posts</c> with what the author's row adds, and what its viewer is to it. The one way from a row to a
/// <see cref="NormalisedPost"/>.
/// </summary>
internal sealed record PostRow : PostFactsRow
{
    /// <summary>
    /// The columns as the properties are named; needs <c>posts p JOIN users u ON u.id = p.author_id</c>, and takes <c>@Me</c>, empty for a
    /// visitor, and <c>@NowMs</c>.
    /// </summary>
    public const string Columns = $"""
        p.id AS Id, p.author_id AS AuthorId, p.created_at AS CreatedAt, p.updated_at AS UpdatedAt, p.version AS Version,
        p.likes_count AS LikesCount, p.comments_count AS CommentsCount, p.price AS Price, p.currency AS Currency, p.tier AS Tier,
        p.media_type AS MediaType, p.media_url AS MediaUrl, p.thumbnail AS Thumbnail, p.category AS Category, p.title AS Title, p.content AS Content,
        p.scheduled_at AS ScheduledAt, p.revision AS Revision,
        u.nickname AS Nickname, u.full_name AS FullName, u.avatar AS Avatar, u.is_creator AS IsCreator, {PostFacts.Columns}
        """;

    public required string Id { get; init; }
    public long CreatedAt { get; init; }
    public long UpdatedAt { get; init; }
    public long Version { get; init; }
    public long LikesCount { get; init; }
    public long CommentsCount { get; init; }
    public string? Price { get; init; }
    public string Currency { get; init; } = "SOL";
    public string? Tier { get; init; }
    public string MediaType { get; init; } = "text";
    public string? MediaUrl { get; init; }
    public string? Thumbnail { get; init; }
    public string Category { get; init; } = "";
    public string Title { get; init; } = "";
    public string Content { get; init; } = "";

    /// <summary>When it is, or was, to be published; null if it was not scheduled.</summary>
    public long? ScheduledAt { get; init; }

    /// <summary>Rises when it is edited before it is published.</summary>
    public long Revision { get; init; }

    public string Nickname { get; init; } = "";
    public string? FullName { get; init; }
    public string? Avatar { get; init; }
    public long IsCreator { get; init; }

    /// <summary>The post as the viewer for whom the row was read sees it; null if there is no such post for that viewer.</summary>
    public NormalisedPost? ForViewer() => View() switch
    {
        PostView.Full => Whole(),
        PostView.Preview => Whole().Preview(),
        _ => null,
    };

    /// <summary>All of the post: for its author, and for events, which have both forms.</summary>
    public NormalisedPost Whole() => new(
        Id,
        new PostContent(Title, Content),
        new PostMedia(MediaType, MediaUrl, Thumbnail),
        new PostLock(IsLocked != 0, Price is null ? null : Money.Read(Price), Currency, Tier, HasAccess: true),
        new PostCreator(AuthorId, Nickname, FullName ?? "", Avatar, IsCreator != 0),
        new PostMetadata(
            DateTimeOffset.FromUnixTimeMilliseconds(CreatedAt),
            DateTimeOffset.FromUnixTimeMilliseconds(UpdatedAt),
            Category,
            LikesCount,
            CommentsCount,
            Status,
            ScheduledAt is { } at ? DateTimeOffset.FromUnixTimeMilliseconds(at) : null,
            Version))
    {
        Right = IsLocked == 0 ? null : new PostRight(Id, TierLevel, AuthorId).ToString(),
    };
}
