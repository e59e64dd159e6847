using System.Text.Json.Serialization;

namespace Tidings.Server.Events;

/// <summary><c>feed_update</c> that says which posts to read again, since the reader's rights have changed.</summary>
internal sealed record FeedAccessPayload(string Reason, string? CreatorId, IReadOnlyList<string> PostIds) : EventPayload;

/// <summary><c>new_subscription</c> as a creator's channel has it: without who.</summary>
internal sealed record SubscriberCountPayload(string CreatorId, long SubscribersCount) : EventPayload;

/// <summary><c>new_subscription</c> as the creator alone has it.</summary>
internal sealed record NewSubscriptionPayload(SubscriptionView Subscription, long SubscribersCount) : EventPayload;

/// <summary>Nodes to each other: the levels that a user holds with a creator from here on.</summary>
internal sealed record LevelsHeldPayload(string UserId, string CreatorId, IReadOnlyList<HeldLevel> Held) : EventPayload
{
    public const string Type = "levels_held";
}

/// <summary>Nodes to each other: whether a user has bought a post.</summary>
internal sealed record PostHeldPayload(string UserId, string PostId, bool Holds) : EventPayload
{
    public const string Type = "post_held";
}

/// <summary>Nodes to each other: whether there is a block between two users, in whichever direction.</summary>
internal sealed record ApartPayload(string UserId, string OtherId, bool IsApart) : EventPayload
{
    public const string Type = "apart";
}

/// <summary>Nodes to each other: what history holds of a post was rewritten, since it is locked from here on, or otherwise, or gone.</summary>
/// <param name="PostId">The post.</param>
/// <param name="AuthorId">Whose it is.</param>
/// <param name="Level">The level that opens it; null if none does.</param>
/// <param name="Access">Its lock; null if the post is gone.</param>
internal sealed record PostRewrittenPayload(string PostId, string AuthorId, long? Level, PostLock? Access) : EventPayload
{
    public const string Type = "post_rewritten";

    /// <summary>Only this comment of the post is meant, which is gone; null for the post and all of its comments.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? CommentId { get; init; }
}
