namespace Tidings.Server.Auth.Jwt;

/// <summary>What a token must say.</summary>
internal sealed record JwtRules
{
    /// <summary>The claims that may hold the user's id; the first that is present counts.</summary>
    public IReadOnlyList<string> UserIdClaims { get; init; } = ["sub", "id", "userId"];

    /// <summary>What <c>iss</c> must be; null: anything.</summary>
    public string? Issuer { get; init; }

    /// <summary>What <c>aud</c> must be or contain; null: anything.</summary>
    public string? Audience { get; init; }

    /// <summary>How far clocks may differ.</summary>
    public TimeSpan ClockSkew { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>The longest life: from <c>iat</c>, or from now without one, to <c>exp</c>.</summary>
    public TimeSpan MaxLifetime { get; init; } = TimeSpan.FromDays(30);

    /// <summary>Whether the user id may be <c>*</c>: for subscription tokens.</summary>
    public bool AllowsEveryone { get; init; }
}
