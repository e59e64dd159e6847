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

    /// <summary>The comment as everybody sees it who may.</summary>
    public NormalisedComment Normalise() => new(
        Id,
        PostId,
        Deleted != 0 ? null : new PostCreator(AuthorId, Nickname, FullName ?? "", Avatar, IsCreator != 0),
        Deleted != 0 ? "" : Content,
        ParentId.Length == 0 ? null : ParentId,
        DateTimeOffset.FromUnixTimeMilliseconds(CreatedAt),
        UpdatedAt == CreatedAt || Deleted != 0 ? null : DateTimeOffset.FromUnixTimeMilliseconds(UpdatedAt),
        Deleted != 0,
        RepliesCount,
        Version);
}
