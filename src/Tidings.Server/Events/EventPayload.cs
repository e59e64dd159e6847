using System.Text.Json.Serialization;

namespace Tidings.Server.Events;

/// <summary>What an event carries besides its type, channel, position, id and time, which the engine writes.</summary>
internal abstract record EventPayload;

/// <summary><c>post_created</c>.</summary>
internal sealed record PostCreatedPayload(NormalisedPost Post, string UserId) : EventPayload;

/// <summary><c>post:created</c>: the author's own news of a post that nobody else sees yet.</summary>
internal sealed record DraftPayload(string PostId, string? Content, string Status) : EventPayload;

/// <summary><c>post:publishing</c>, <c>post:published</c> and <c>post:failed</c>: one target of a post, whose platform is named.</summary>
internal sealed record TargetNewsPayload(
    string PostId, string Platform, IReadOnlyList<string> Platforms, [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string? Error) : EventPayload;

/// <summary><c>post_status</c>, and the same under the name <c>post:{id}:status</c>.</summary>
internal sealed record PostStatusPayload(string PostId, string Status, IReadOnlyList<TargetView> Targets) : EventPayload;

/// <summary>Where a post is published, and what became of it there.</summary>
/// <param name="Id">Its id.</param>
/// <param name="Platform">The platform's name; <c>tidings</c> for this server's feed.</param>
/// <param name="Status">One of the states of docs/publishing.md.</param>
/// <param name="Url">Where people see it.</param>
/// <param name="Error">A sentence for the author; nobody else gets it.</param>
internal sealed record TargetView(
    string Id,
    string Platform,
    string Status,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string? Url,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string? Error);

/// <summary><c>post_updated</c>.</summary>
internal sealed record PostUpdatedPayload(NormalisedPost Post, long Version) : EventPayload;

/// <summary><c>post_deleted</c>.</summary>
internal sealed record PostDeletedPayload(string PostId, long Version) : EventPayload;

/// <summary><c>post_liked</c> and <c>post_unliked</c>.</summary>
internal sealed record LikesPayload(string PostId, long LikesCount, long Version, string UserId, long Changes) : EventPayload;

/// <summary><c>comment_added</c> and <c>comment_updated</c>; who sees a preview of the post only gets the count, and no comment.</summary>
internal sealed record CommentPayload(NormalisedComment? Comment, string PostId, long CommentsCount, long Version) : EventPayload;

/// <summary><c>comment_deleted</c>.</summary>
internal sealed record CommentDeletedPayload(string CommentId, string PostId, long CommentsCount, long Version) : EventPayload;

/// <summary><c>notification</c>.</summary>
internal sealed record NotificationPayload(NormalisedNotification Notification, long UnreadCount, long Version) : EventPayload;

/// <summary><c>notification_read</c>.</summary>
internal sealed record NotificationReadPayload(string NotificationId, long UnreadCount, long Version) : EventPayload;

/// <summary><c>notifications_cleared</c>.</summary>
internal sealed record NotificationsClearedPayload(long UnreadCount, long Version) : EventPayload;

/// <summary><c>unread_notifications</c>, which one connection gets right after it has subscribed; it is in no history.</summary>
internal sealed record UnreadNotificationsPayload(IReadOnlyList<NormalisedNotification> Notifications, long UnreadCount, long Version) : EventPayload;

/// <summary><c>message_created</c>.</summary>
internal sealed record MessagePayload(NormalisedMessage Message, string ConversationId) : EventPayload;

/// <summary><c>message_read</c>: the user has read up to this message, whose number is <paramref name="Number"/>.</summary>
internal sealed record MessageReadPayload(string ConversationId, string MessageId, long Number, string UserId) : EventPayload;

/// <summary><c>feed_update</c> that names a creator.</summary>
internal sealed record FeedSourcePayload(string Reason, string CreatorId) : EventPayload;

/// <summary><c>feed_update</c> that counts.</summary>
internal sealed record FeedCountPayload(string Reason, long Count) : EventPayload;

/// <summary><c>account:connected</c> and, with the reason, <c>account:disconnected</c>.</summary>
internal sealed record AccountPayload(
    string Platform, string AccountId, [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string? Reason) : EventPayload;

/// <summary><c>analytics:updated</c>.</summary>
internal sealed record AnalyticsPayload(CreatorFigures Metrics) : EventPayload;

/// <summary>What a creator has in all.</summary>
internal sealed record CreatorFigures(long Posts, long Likes, long Comments, long Followers);

/// <summary><c>tip_received</c>.</summary>
internal sealed record TipPayload(TipView Tip) : EventPayload;

/// <summary>A tip as its creator sees it.</summary>
internal sealed record TipView(string Id, decimal Amount, string Currency, PostCreator From, string? PostId);
