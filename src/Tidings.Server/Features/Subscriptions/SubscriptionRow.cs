using Tidings.Server.Events;

namespace Tidings.Server.Features.Subscriptions;

/// <summary>A row of <c>subscriptions</c>, and what its tier is called now.</summary>
internal sealed record SubscriptionRow
{
    public const string Select = """
        SELECT s.id AS Id, s.user_id AS UserId, s.creator_id AS CreatorId, s.level AS Level, s.status AS Status, s.expires_at AS ExpiresAt,
               s.created_at AS CreatedAt, (SELECT t.name FROM tiers t WHERE t.creator_id = s.creator_id AND t.level = s.level) AS Tier
        FROM subscriptions s
        """;

    public string Id { get; init; } = "";
    public string UserId { get; init; } = "";
    public string CreatorId { get; init; } = "";
    public long Level { get; init; }
    public string Status { get; init; } = "active";
    public long ExpiresAt { get; init; }
    public long CreatedAt { get; init; }
    public string? Tier { get; init; }

    /// <summary>What it is at a moment: one that is over is expired, whether or not it has been marked.</summary>
    public SubscriptionView ViewAt(DateTimeOffset now) =>
        Status is "active" or "canceled" && ExpiresAt <= now.ToUnixTimeMilliseconds() ? View() with { Status = "expired" } : View();

    public SubscriptionView View() => new(
        Id, UserId, CreatorId, Level, Tier, Status, DateTimeOffset.FromUnixTimeMilliseconds(ExpiresAt), DateTimeOffset.FromUnixTimeMilliseconds(CreatedAt));
}
