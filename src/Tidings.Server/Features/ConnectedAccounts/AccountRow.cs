using System.Text.Json.Serialization;

namespace Tidings.Server.Features.ConnectedAccounts;

/// <summary>A connected account as it is kept.</summary>
internal sealed class AccountRow
{
    public const string Connected = "connected";
    public const string NeedsReconnect = "needs_reconnect";

    /// <summary>The user is asked by the platform at the moment: no account yet, and shown to nobody.</summary>
    public const string Authorizing = "authorizing";

    public const string Columns = "id, user_id, platform, external_id, handle, base_url, status, reason, secrets, created_at, renew_at, renewal_until, version";

    public required string Id { get; init; }

    public required string UserId { get; init; }

    public required string Platform { get; init; }

    public required string ExternalId { get; init; }

    public required string Handle { get; init; }

    public required string BaseUrl { get; init; }

    public required string Status { get; init; }

    public string Reason { get; init; } = "";

    /// <summary>Sealed by <see cref="AccountSecrets"/>.</summary>
    public required string Secrets { get; init; }

    public long CreatedAt { get; init; }

    public long? RenewAt { get; init; }

    public long RenewalUntil { get; init; }

    public long Version { get; init; }

    /// <summary>What its owner sees.</summary>
    public AccountView View() => new(
        Id, Platform, Handle, Status, BaseUrl, Reason.Length > 0 ? Reason : null, DateTimeOffset.FromUnixTimeMilliseconds(CreatedAt));
}

/// <summary>A connected account as its owner sees it.</summary>
/// <param name="Reason">Why it needs to be connected again.</param>
internal sealed record AccountView(
    string Id, string Platform, string Handle, string Status, string BaseUrl,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string? Reason, DateTimeOffset CreatedAt);
