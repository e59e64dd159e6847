using System.Text.Json.Serialization;

namespace Tidings.Server.Events;

/// <summary>
/// A post as everybody sees it: the same JSON from the REST API, in an event and in a replay. Clients rely on the shape. Absent text
/// is empty, an absent url null.
/// </summary>
internal sealed record NormalisedPost(
    string Id, PostContent Content, PostMedia Media, PostLock Access, PostCreator Creator, PostMetadata Metadata)
{
    /// <summary>The right that all of it takes; null if it is not locked. Not a part of what readers get.</summary>
    [JsonIgnore]
    public string? Right { get; init; }

    /// <summary>What everybody may see of it who may know of it.</summary>
    public NormalisedPost Preview() => Right is null ? this : this with
    {
        Content = Content with { Text = null },
        Media = Media with { Url = null },
        Access = Access with { HasAccess = false },
    };
}

/// <summary>What it says; <paramref name="Text"/> is null in the preview of a locked post.</summary>
internal sealed record PostContent(string Title, string? Text);

/// <summary>What it shows; <paramref name="Url"/> is null in the preview of a locked post.</summary>
internal sealed record PostMedia(string Type, string? Url, string? Thumbnail);

/// <summary>What it takes to see all of it, and whether this reader may.</summary>
internal sealed record PostLock(bool IsLocked, decimal? Price, string Currency, string? Tier, bool HasAccess);

/// <summary>Who wrote it.</summary>
internal sealed record PostCreator(string Id, string Nickname, string FullName, string? Avatar, bool IsCreator);

/// <summary>What is known about it. <paramref name="Version"/> rises with each change of the post or its counters.</summary>
internal sealed record PostMetadata(
    DateTimeOffset CreatedAt,
    DateTimeOffset UpdatedAt,
    string Category,
    long LikesCount,
    long CommentsCount,
    string Status,
    DateTimeOffset? ScheduledAt,
    long Version);
