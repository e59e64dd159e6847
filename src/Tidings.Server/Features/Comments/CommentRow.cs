using Tidings.Server.Events;

namespace Tidings.Server.Features.Comments;

/// <summary>A row of <c>comments</c> with what its author's row adds. The one way from a row to a <see cref="NormalisedComment"/>.</summary>
internal sealed record CommentRow
{
    /// <summary>The columns as the properties are named; needs <c>comments c JOIN users u ON u.id = c.author_id</c>.</summary>
    public const string Columns = """
        c.id AS Id, c.post_id AS PostId, c.parent_id AS ParentId, c.author_id AS AuthorId, c.place AS Place, c.version AS Version,
        c.created_at AS CreatedAt, c.updated_at AS UpdatedAt, c.deleted AS Deleted, c.replies_count AS RepliesCount, c.content AS Content,
        u.nickname AS Nickname, u.full_name AS FullName, u.avatar AS Avatar, u.is_creator AS IsCreator
        """;

    /// <summary>What <see cref="Deleted"/> is for a comment that moderators have hidden; it keeps its content.</summary>
    public const long Hidden = 2;

    public string Id { get; init; } = "";
    public string PostId { get; init; } = "";
    public string ParentId { get; init; } = "";
    public string AuthorId { get; init; } = "";
    public long Place { get; init; }
    public long Version { get; init; }
    public long CreatedAt { get; init; }
    public long UpdatedAt { get; init; }
    public long Deleted { get; init; }
    public long RepliesCount { get; init; }
    public string Content { get; init; } = "";
    public string Nickname { get; init; } = "";
    public string? FullName { get; init; }
    public string? Avatar { get; init; }
    public long IsCreator { get; init; }

    /// <summary>Not 0 if the viewer sees it although it is hidden; only some queries read it.</summary>
    public long IsMarked { get; init; }

    private bool IsHiddenButSeen => Deleted == Hidden && IsMarked != 0;

    private bool IsGone => Deleted != 0 && !IsHiddenButSeen;

    /// <summary>The comment as whoever may see it does.</summary>
    public NormalisedComment Normalise() => new(
        Id,
        PostId,
        IsGone ? null : new PostCreator(AuthorId, Nickname, FullName ?? "", Avatar, IsCreator != 0),
        IsGone ? "" : Content,
        ParentId.Length == 0 ? null : ParentId,
        DateTimeOffset.FromUnixTimeMilliseconds(CreatedAt),
        UpdatedAt == CreatedAt || IsGone ? null : DateTimeOffset.FromUnixTimeMilliseconds(UpdatedAt),
        IsGone,
        RepliesCount,
        Version)
    { IsHidden = IsHiddenButSeen };
}
