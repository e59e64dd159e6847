using System.Text.Json;

namespace Tidings.Server.Publishing;

/// <summary>What a user gives to connect an account.</summary>
internal sealed record ConnectRequest(string? Handle, Uri? BaseUrl, JsonElement Credentials)
{
    /// <summary>Printing it shows no credentials.</summary>
    public override string ToString() => nameof(ConnectRequest);
}

/// <summary>An account that the platform knows, or why it doesn't.</summary>
/// <param name="Account">What to keep; null if it was refused.</param>
/// <param name="Problem">A sentence for the user, with the field it is about.</param>
internal sealed record ConnectAnswer(NewAccount? Account, (string Field, string Message)? Problem)
{
    /// <summary>A secret that was made here and that the user sees this once; null if there is none.</summary>
    public string? ShownOnce { get; init; }

    public static ConnectAnswer Refused(string field, string message) => new(null, (field, message));

    /// <summary>Printing it shows no secret.</summary>
    public override string ToString() => nameof(ConnectAnswer);
}

/// <summary>What is kept of an account.</summary>
/// <param name="Secrets">JSON of the connector's own; encrypted at rest.</param>
/// <param name="ExpiresAt">When its tokens end, if they do.</param>
internal sealed record NewAccount(string ExternalId, string Handle, Uri BaseUrl, string Secrets, DateTimeOffset? ExpiresAt)
{
    /// <summary>Printing it shows no secrets.</summary>
    public override string ToString() => nameof(NewAccount);
}

/// <summary>How a renewal ended.</summary>
/// <param name="Secrets">The new ones; null keeps the old.</param>
/// <param name="IsRefused">The platform said that these tokens are not valid: the account must be connected again. False for anything temporary.</param>
internal sealed record RenewAnswer(string? Secrets, DateTimeOffset? ExpiresAt, bool IsRefused, string? Reason)
{
    /// <summary>Tokens that are still good, or never end.</summary>
    public static readonly RenewAnswer Unchanged = new(null, null, false, null);

    /// <summary>The platform could not be asked: the tokens may be good.</summary>
    public static RenewAnswer Later(string reason) => new(null, null, false, reason);

    public static RenewAnswer Refused(string reason) => new(null, null, true, reason);

    /// <summary>Printing it shows no secrets.</summary>
    public override string ToString() => nameof(RenewAnswer);
}
