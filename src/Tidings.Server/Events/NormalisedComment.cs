using System.Text.Json.Serialization;

namespace Tidings.Server.Events;

/// <summary>
/// A comment as everybody sees it who may see its post in full: the same JSON from the REST API, in an event and in a replay. Clients
/// rely on the shape. A deleted comment says nothing, not even who wrote it; it is shown for its replies' sake.
/// </summary>
/// <param name="Id">Its id.</param>
/// <param name="PostId">The post.</param>
/// <param name="Author">Who wrote it; null when it is deleted.</param>
/// <param name="Content">What it says.</param>
/// <param name="ParentId">The comment that it replies to, or null.</param>
/// <param name="CreatedAt">When it was written.</param>
/// <param name="EditedAt">When it was last edited, or null.</param>
/// <param name="IsDeleted">Whether it was taken back.</param>
/// <param name="RepliesCount">How many replies it has.</param>
/// <param name="Version">The post's version when it last changed: a client drops what is older than what it has.</param>
internal sealed record NormalisedComment(
    string Id,
    string PostId,
    PostCreator? Author,
    string Content,
    string? ParentId,
    DateTimeOffset CreatedAt,
    DateTimeOffset? EditedAt,
    bool IsDeleted,
    long RepliesCount,
    long Version)
{
    /// <summary>Whether moderators have hidden it: so its author and they see it, while for everybody else it is deleted.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)]
    public bool IsHidden { get; init; }
}
