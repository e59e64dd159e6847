namespace Tidings.Server.Events;

/// <summary>A paid period of a subscription, as its two sides see it, over HTTP and in events.</summary>
internal sealed record SubscriptionView(
    string Id, string UserId, string CreatorId, long Level, string? Tier, string Status, DateTimeOffset ExpiresAt, DateTimeOffset CreatedAt);

/// <summary>A level that a user holds with a creator.</summary>
internal sealed record HeldLevel(long Level, DateTimeOffset Until);
