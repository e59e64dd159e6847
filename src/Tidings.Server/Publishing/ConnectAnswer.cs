using System.Text.Json;

namespace Tidings.Server.Publishing;

/// <summary>What a user gives to connect an account.</summary>
internal sealed record ConnectRequest(string? Handle, Uri? BaseUrl, JsonElement Credentials);

/// <summary>An account that the platform knows, or why it doesn't.</summary>
/// <param name="Account">What to keep; null if it was refused.</param>
/// <param name="Problem">A sentence for the user, with the field it is about.</param>
internal sealed record ConnectAnswer(NewAccount? Account, (string Field, string Message)? Problem);

/// <summary>What is kept of an account.</summary>
/// <param name="Secrets">JSON of the connector's own; encrypted at rest.</param>
/// <param name="ExpiresAt">When its tokens end, if they do.</param>
internal sealed record NewAccount(string ExternalId, string Handle, Uri BaseUrl, string Secrets, DateTimeOffset? ExpiresAt);

/// <summary>How a renewal ended.</summary>
/// <param name="Secrets">The new ones; null keeps the old.</param>
/// <param name="IsRefused">The platform said that these tokens are not valid: the account must be connected again. False for anything temporary.</param>
internal sealed record RenewAnswer(string? Secrets, DateTimeOffset? ExpiresAt, bool IsRefused, string? Reason);
