namespace Tidings.Server.Auth.Jwt;

/// <summary>Why a token is not accepted. A closed list, fit for a metric's label; it is never told to the client beyond "expired".</summary>
internal enum JwtError
{
    /// <summary>It is accepted.</summary>
    None,

    /// <summary>Not three canonical parts, over the size limit, or JSON that breaks a rule (duplicates, depth, types).</summary>
    Malformed,

    /// <summary>The header asks for what is not supported: another algorithm, <c>crit</c>, encryption, another type of token.</summary>
    Unsupported,

    /// <summary>No key of that algorithm and <c>kid</c> is known.</summary>
    UnknownKey,

    /// <summary>The signature is not the key's.</summary>
    Signature,

    /// <summary>No user id, or one that does not follow the grammar of ids.</summary>
    UserId,

    /// <summary>Another issuer than the configured one.</summary>
    Issuer,

    /// <summary>Not for the configured audience.</summary>
    Audience,

    /// <summary>No <c>exp</c>, times that contradict each other, or a life longer than the limit.</summary>
    Lifetime,

    /// <summary>Not valid yet.</summary>
    NotYetValid,

    /// <summary>The session that it belongs to has ended.</summary>
    SessionEnded,

    /// <summary>Right in everything else, but its time is over.</summary>
    Expired,
}

/// <summary>A token's claims, or why it is not accepted.</summary>
internal readonly record struct JwtVerdict(Jwt? Jwt, JwtError Error)
{
    public static implicit operator JwtVerdict(JwtError error) => new(null, error);
}

/// <summary>The claims of an accepted token.</summary>
internal sealed record Jwt
{
    /// <summary>The user's id; <c>*</c> only where the rules allow it.</summary>
    public required string UserId { get; init; }

    /// <summary>The claim <c>exp</c>; the forgiven clock skew comes on top of it.</summary>
    public required DateTimeOffset ExpiresAt { get; init; }

    /// <summary>The claim <c>iat</c>, if there is one.</summary>
    public DateTimeOffset? IssuedAt { get; init; }

    /// <summary>Our session that the token belongs to; only of a token signed with our own key.</summary>
    public string? SessionId { get; init; }

    /// <summary>The claim <c>channel</c> of a subscription token.</summary>
    public string? Channel { get; init; }

    public string? Nickname { get; init; }

    public string? Name { get; init; }

    public string? Picture { get; init; }
}
