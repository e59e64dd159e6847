using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;

namespace Tidings.Testing.Clients;

/// <summary>Tokens as a host app would sign them (RFC 7519, HS256).</summary>
public static class UserToken
{
    /// <summary>A token of a user, valid for as long as said; negative: it expired so long ago.</summary>
    public static string For(string userId, string secret, TimeSpan? lifetime = null)
    {
        var now = DateTimeOffset.UtcNow;
        var expiresAt = now + (lifetime ?? TimeSpan.FromHours(1));
        return Sign(
            """{"alg":"HS256","typ":"JWT"}""",
            JsonSerializer.Serialize(new { sub = userId, iat = now.AddHours(-1).ToUnixTimeSeconds(), exp = expiresAt.ToUnixTimeSeconds() }),
            secret);
    }

    /// <summary>Signs any header and claims.</summary>
    public static string Sign(string header, string claims, string secret)
    {
        var head = $"{Encode(Encoding.UTF8.GetBytes(header))}.{Encode(Encoding.UTF8.GetBytes(claims))}";
        return $"{head}.{Encode(HMACSHA256.HashData(Encoding.UTF8.GetBytes(secret), Encoding.UTF8.GetBytes(head)))}";
    }

    private static string Encode(byte[] bytes) => Base64Url.EncodeToString(bytes);
}
