namespace Tidings.Server.Events;

/// <summary>
/// Something that happened in the product. A feature appends it to its unit of work; <see cref="EventChannels"/> knows who hears of it.
/// </summary>
/// <param name="At">When it happened.</param>
internal abstract record DomainEvent(DateTimeOffset At)
{
    /// <summary>When the request that caused it was received, a timestamp of <see cref="TimeProvider"/>; 0 if unknown. For metrics.</summary>
    public long ReceivedAt { get; init; }
}

/// <summary>A post was published. <paramref name="IsAnnounced"/> is false when so many are that public:posts only counts them.</summary>
internal sealed record PostCreated(NormalisedPost Post, bool IsAnnounced, DateTimeOffset At) : DomainEvent(At);

/// <summary>A post was written that its author alone sees.</summary>
internal sealed record DraftSaved(NormalisedPost Post, DateTimeOffset At) : DomainEvent(At);

/// <summary>A target of a post began, succeeded or failed. <paramref name="Type"/> is the event's name.</summary>
internal sealed record TargetNews(string Type, string PostId, string AuthorId, string Platform, IReadOnlyList<string> Platforms, string? Error, DateTimeOffset At)
    : DomainEvent(At);

/// <summary>What became of a post's targets. <paramref name="IsPublic"/> says whether others than its author may know of the post.</summary>
internal sealed record PublishingChanged(string PostId, string AuthorId, string Status, IReadOnlyList<TargetView> Targets, bool IsPublic, DateTimeOffset At)
    : DomainEvent(At);

/// <summary>A published post was edited.</summary>
internal sealed record PostUpdated(NormalisedPost Post, DateTimeOffset At) : DomainEvent(At);

/// <summary>A published post is gone.</summary>
internal sealed record PostDeleted(string PostId, string AuthorId, long Version, DateTimeOffset At) : DomainEvent(At);

/// <summary>A post was liked; <paramref name="Changes"/> likes and unlikes are in it, this the latest.</summary>
internal sealed record PostLiked(string PostId, long LikesCount, long Version, string UserId, long Changes, DateTimeOffset At) : DomainEvent(At);

/// <summary>A like was taken back; <paramref name="Changes"/> likes and unlikes are in it, this the latest.</summary>
internal sealed record PostUnliked(string PostId, long LikesCount, long Version, string UserId, long Changes, DateTimeOffset At) : DomainEvent(At);

/// <summary>A comment was written. <paramref name="Needs"/> is the right that reading it takes; null if its post is not locked.</summary>
internal sealed record CommentAdded(NormalisedComment Comment, long CommentsCount, long Version, string? Needs, DateTimeOffset At) : DomainEvent(At);

/// <summary>A comment was edited. <paramref name="Needs"/> is the right that reading it takes; null if its post is not locked.</summary>
internal sealed record CommentUpdated(NormalisedComment Comment, long CommentsCount, long Version, string? Needs, DateTimeOffset At) : DomainEvent(At);

/// <summary>A comment was taken back.</summary>
internal sealed record CommentDeleted(string CommentId, string PostId, long CommentsCount, long Version, DateTimeOffset At) : DomainEvent(At);

/// <summary>A user was notified, or told again of more of a kind. <paramref name="Version"/> rises with each change of the user's notifications.</summary>
internal sealed record NotificationAdded(string UserId, NormalisedNotification Notification, long UnreadCount, long Version, DateTimeOffset At) : DomainEvent(At);

/// <summary>A user has read a notification, or <c>all</c>.</summary>
internal sealed record NotificationRead(string UserId, string NotificationId, long UnreadCount, long Version, DateTimeOffset At) : DomainEvent(At);

/// <summary>A user has thrown all notifications away.</summary>
internal sealed record NotificationsCleared(string UserId, long Version, DateTimeOffset At) : DomainEvent(At);

/// <summary>A message was written in a conversation of these members.</summary>
internal sealed record MessageCreated(NormalisedMessage Message, IReadOnlyList<string> Members, DateTimeOffset At) : DomainEvent(At);

/// <summary>A member has read a conversation up to a message.</summary>
internal sealed record MessageRead(string ConversationId, string MessageId, long Number, string UserId, IReadOnlyList<string> Members, DateTimeOffset At)
    : DomainEvent(At);

/// <summary>Public posts went by that had no event of their own in public:posts.</summary>
internal sealed record PublicPostsCounted(long Count, DateTimeOffset At) : DomainEvent(At);

/// <summary>A user follows a creator from here on.</summary>
internal sealed record UserFollowed(string FollowerId, string CreatorId, DateTimeOffset At) : DomainEvent(At);

/// <summary>A user follows a creator no longer.</summary>
internal sealed record UserUnfollowed(string FollowerId, string CreatorId, DateTimeOffset At) : DomainEvent(At);

/// <summary>A paid period of a subscription began.</summary>
/// <param name="Subscription">What was paid for.</param>
/// <param name="SubscribersCount">How many subscribe to the creator now.</param>
/// <param name="Opened">The creator's newest locked posts that the subscriber may see from here on.</param>
/// <param name="At">When.</param>
internal sealed record SubscriptionStarted(SubscriptionView Subscription, long SubscribersCount, IReadOnlyList<string> Opened, DateTimeOffset At) : DomainEvent(At)
{
    /// <summary>The levels that the user has with the creator from here on.</summary>
    public required IReadOnlyList<HeldLevel> Held { get; init; }
}

/// <summary>A paid period of a subscription is over: it expired, was refunded, or ended by a block.</summary>
/// <param name="UserId">Who had paid.</param>
/// <param name="CreatorId">Whom.</param>
/// <param name="Reason">What the reader's client is told.</param>
/// <param name="Held">What is left: the levels that the user still has with the creator, and until when.</param>
/// <param name="Closed">The creator's newest locked posts that the subscriber may see no longer.</param>
/// <param name="At">When.</param>
internal sealed record SubscriptionEnded(
    string UserId, string CreatorId, string Reason, IReadOnlyList<HeldLevel> Held, IReadOnlyList<string> Closed, DateTimeOffset At) : DomainEvent(At);

/// <summary>A user has bought a post, or has it no longer.</summary>
internal sealed record PurchaseChanged(string UserId, string PostId, bool Holds, DateTimeOffset At) : DomainEvent(At);

/// <summary>A user has connected an account on another platform, or connected it again.</summary>
internal sealed record AccountConnected(string UserId, string Platform, string AccountId, DateTimeOffset At) : DomainEvent(At);

/// <summary>An account on another platform is used no longer. <paramref name="Reason"/> is a sentence for its user.</summary>
internal sealed record AccountDisconnected(string UserId, string Platform, string AccountId, string Reason, DateTimeOffset At) : DomainEvent(At);

/// <summary>What a creator has got in all; conflated.</summary>
internal sealed record AnalyticsChanged(string CreatorId, CreatorFigures Figures, DateTimeOffset At) : DomainEvent(At);

/// <summary>A tip was confirmed.</summary>
internal sealed record TipReceived(string CreatorId, TipView Tip, DateTimeOffset At) : DomainEvent(At);

/// <summary>There is a block between two users from here on, in whichever direction, or none any more.</summary>
internal sealed record BlockChanged(string UserId, string OtherId, bool IsApart, DateTimeOffset At) : DomainEvent(At);

/// <summary>What history holds of a post was rewritten. Comes with what it was rewritten for; <paramref name="Access"/> is null if the post is gone.</summary>
internal sealed record PostHistoryRewritten(string PostId, string AuthorId, long? Level, PostLock? Access, DateTimeOffset At) : DomainEvent(At)
{
    /// <summary>Only this comment of the post is meant, which is gone; null for the post and all of its comments.</summary>
    public string? CommentId { get; init; }
}
