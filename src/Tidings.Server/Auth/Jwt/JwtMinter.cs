using System.Buffers;
using System.Buffers.Text;
using System.Text;
using System.Text.Json;

namespace Tidings.Server.Auth.Jwt;

/// <summary>
/// Makes our own tokens: HS256, with the user's id in the first of the configured claims and the configured issuer and audience, so that
/// they pass the same rules as the host app's.
/// </summary>
internal sealed class JwtMinter(HmacKey key, JwtRules rules, TimeProvider clock)
{
    private static readonly string Header = Base64Url.EncodeToString("""{"alg":"HS256","typ":"JWT"}"""u8);

    /// <summary>Makes a token that lives as long as asked, but no longer than the rules or <paramref name="notAfter"/> allow.</summary>
    public MintedToken Mint(string userId, TimeSpan lifetime, string? sessionId = null, DateTimeOffset? notAfter = null)
    {
        var issuedAt = clock.GetUtcNow().ToUnixTimeSeconds();
        var expiresAt = issuedAt + (long)Math.Min(lifetime.TotalSeconds, rules.MaxLifetime.TotalSeconds);
        if (notAfter is { } limit) expiresAt = Math.Max(issuedAt, Math.Min(expiresAt, limit.ToUnixTimeSeconds()));

        var payload = new ArrayBufferWriter<byte>(256);
        using (var json = new Utf8JsonWriter(payload))
        {
            json.WriteStartObject();
            json.WriteString(rules.UserIdClaims[0], userId);
            json.WriteNumber("iat", issuedAt);
            json.WriteNumber("exp", expiresAt);
            if (sessionId is not null) json.WriteString("sid", sessionId);
            if (rules.Issuer is not null) json.WriteString("iss", rules.Issuer);
            if (rules.Audience is not null) json.WriteString("aud", rules.Audience);
            json.WriteEndObject();
        }

        var signed = $"{Header}.{Base64Url.EncodeToString(payload.WrittenSpan)}";
        var signature = Base64Url.EncodeToString(key.Sign(Encoding.ASCII.GetBytes(signed)));
        return new MintedToken($"{signed}.{signature}", DateTimeOffset.FromUnixTimeSeconds(expiresAt));
    }
}

/// <summary>A token of ours. Its text is a secret: this is no record, so that printing it by mistake shows nothing.</summary>
internal sealed class MintedToken(string token, DateTimeOffset expiresAt)
{
    public string Token => token;

    public DateTimeOffset ExpiresAt => expiresAt;
}
