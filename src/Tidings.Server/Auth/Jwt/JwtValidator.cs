using System.Buffers;
using System.Text;
using System.Text.Json;

namespace Tidings.Server.Auth.Jwt;

/// <summary>
/// Accepts compact signed tokens (RFC 7515, 7519) by the rules of RFC 8725, and nothing else: one spelling per token, algorithms bound to keys,
/// the signature before the claims. Safe for all threads; with a local key it neither waits nor, but for the claims it returns, allocates.
/// </summary>
internal sealed class JwtValidator(JwtRules rules, JwtKeys keys, TimeProvider clock)
{
    /// <summary>The longest token, in characters.</summary>
    public const int MaxLength = 8 * 1024;

    private const int OnStack = 1024;
    private const int MaxMembers = 64;

    private readonly JwtClaims _claims = new(rules);
    private readonly long _skewMs = (long)rules.ClockSkew.TotalMilliseconds;
    private readonly long _maxLifetimeSeconds = (long)rules.MaxLifetime.TotalSeconds;

    /// <summary>Checks a token. Waits only if its key is not known and the configured key set may have changed.</summary>
    public ValueTask<JwtVerdict> ValidateAsync(string token, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(token);
        var verdict = Validate(token, out var missing);
        return verdict.Error == JwtError.UnknownKey && keys.HasRemote
            ? ValidateWithFreshKeysAsync(token, missing, cancellationToken)
            : ValueTask.FromResult(verdict);
    }

    /// <summary>Checks a token with the keys that are known now.</summary>
    public JwtVerdict Validate(string token) => Validate(token, out _);

    private async ValueTask<JwtVerdict> ValidateWithFreshKeysAsync(
        string token, (JwtAlgorithm Algorithm, string? KeyId) missing, CancellationToken cancellationToken) =>
        await keys.RefreshForAsync(missing.Algorithm, missing.KeyId, cancellationToken) ? Validate(token, out _) : JwtError.UnknownKey;

    private JwtVerdict Validate(string token, out (JwtAlgorithm, string?) missing)
    {
        missing = default;
        if (token.Length is 0 or > MaxLength) return JwtError.Malformed;

        // The text, then the decoded parts and the names seen in each: three times the length is always enough.
        var size = token.Length * 3;
        byte[]? rented = null;
        var buffer = size <= OnStack ? stackalloc byte[OnStack] : rented = ArrayPool<byte>.Shared.Rent(size);
        try
        {
            Encoding.ASCII.GetBytes(token, buffer);   // what is not ASCII becomes '?', which no part may contain
            return Validate(buffer[..token.Length], buffer[token.Length..], out missing);
        }
        catch (Exception exception) when (exception is JsonException or InvalidOperationException)
        {
            return JwtError.Malformed;
        }
        finally
        {
            if (rented is not null) ArrayPool<byte>.Shared.Return(rented, clearArray: true);
        }
    }

    private JwtVerdict Validate(ReadOnlySpan<byte> token, Span<byte> room, out (JwtAlgorithm, string?) missing)
    {
        missing = default;
        var first = token.IndexOf((byte)'.');
        var last = token.LastIndexOf((byte)'.');
        if (first <= 0 || last == first || token[(first + 1)..last].Contains((byte)'.')) return JwtError.Malformed;

        Span<int> ends = stackalloc int[MaxMembers];
        if (!CanonicalBase64Url.TryDecode(token[..first], room, out var length)) return JwtError.Malformed;
        var error = JwtHeader.TryRead(room[..length], room[length..], ends, out var header);
        if (error != JwtError.None) return error;

        if (keys.Find(header.Algorithm, header.KeyId) is not { } key)
        {
            missing = (header.Algorithm, header.KeyId);
            return JwtError.UnknownKey;
        }

        if (!CanonicalBase64Url.TryDecode(token[(last + 1)..], room, out length)) return JwtError.Malformed;
        if (!key.Verify(token[..last], room[..length])) return JwtError.Signature;

        if (!CanonicalBase64Url.TryDecode(token[(first + 1)..last], room, out length)) return JwtError.Malformed;
        error = _claims.TryRead(room[..length], room[length..], ends, out var payload);
        return error == JwtError.None ? Judge(in payload, isLocal: ReferenceEquals(key, keys.Local)) : error;
    }

    /// <summary>Compares the claims with the rules and the clock; expiry comes last, so that "expired" means "good once".</summary>
    private JwtVerdict Judge(in JwtClaims.Payload payload, bool isLocal)
    {
        if (payload.UserId is null) return JwtError.UserId;
        if (rules.Issuer is not null && !payload.IssuerMatches) return JwtError.Issuer;
        if (rules.Audience is not null && !payload.AudienceMatches) return JwtError.Audience;

        var nowMs = clock.GetUtcNow().ToUnixTimeMilliseconds();
        if (payload.ExpiresAt is not { } expires) return JwtError.Lifetime;
        if (payload.IssuedAt is { } issued)
        {
            if (issued > expires || expires - issued > _maxLifetimeSeconds) return JwtError.Lifetime;
            if (issued * 1000 > nowMs + _skewMs) return JwtError.NotYetValid;
        }
        else if ((expires * 1000) - nowMs > _maxLifetimeSeconds * 1000)
        {
            return JwtError.Lifetime;
        }

        if (payload.NotBefore is { } notBefore && notBefore * 1000 > nowMs + _skewMs) return JwtError.NotYetValid;
        if (nowMs >= (expires * 1000) + _skewMs) return JwtError.Expired;

        return new JwtVerdict(
            new Jwt
            {
                UserId = payload.UserId,
                ExpiresAt = DateTimeOffset.FromUnixTimeSeconds(expires),
                IssuedAt = payload.IssuedAt is { } at ? DateTimeOffset.FromUnixTimeSeconds(at) : null,
                SessionId = isLocal && SessionIds.IsOne(payload.SessionId) ? payload.SessionId : null,
                Channel = payload.Channel,
                Nickname = payload.Nickname,
                Name = payload.Name,
                Picture = payload.Picture,
            },
            JwtError.None);
    }
}
