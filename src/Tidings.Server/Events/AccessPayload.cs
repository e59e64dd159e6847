namespace Tidings.Server.Events;

/// <summary><c>feed_update</c> that says which posts to read again, since the reader's rights have changed.</summary>
internal sealed record FeedAccessPayload(string Reason, string? CreatorId, IReadOnlyList<string> PostIds) : EventPayload;

/// <summary><c>new_subscription</c> as a creator's channel has it: without who.</summary>
internal sealed record SubscriberCountPayload(string CreatorId, long SubscribersCount) : EventPayload;

/// <summary><c>new_subscription</c> as the creator alone has it.</summary>
internal sealed record NewSubscriptionPayload(SubscriptionView Subscription, long SubscribersCount) : EventPayload;

/// <summary>Nodes to each other: the levels that a user holds with a creator from here on.</summary>
internal sealed record LevelsHeldPayload(string UserId, string CreatorId, IReadOnlyList<HeldLevel> Held) : EventPayload;

/// <summary>Nodes to each other: whether a user has bought a post.</summary>
internal sealed record PostHeldPayload(string UserId, string PostId, bool Holds) : EventPayload;
