using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using Tidings.Server.Auth.Jwt;

namespace Tidings.Server.Tests.Auth;

/// <summary>Makes tokens, good and bad, byte by byte.</summary>
internal static class TokenForge
{
    public const string Secret = "Zq4uV9xT2mLr8KpWc7NhYb3GdFsJ6aEe1XoQ5RiU";

    public static byte[] SecretBytes { get; } = Encoding.UTF8.GetBytes(Secret);

    /// <summary>Signs a header and a payload as they are.</summary>
    public static string Sign(string header, string payload, byte[]? secret = null) =>
        Sign($"{Encode(header)}.{Encode(payload)}", data => HMACSHA256.HashData(secret ?? SecretBytes, data));

    public static string Sign(string header, string payload, RSA key) =>
        Sign($"{Encode(header)}.{Encode(payload)}", data => key.SignData(data, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1));

    public static string Sign(string header, string payload, ECDsa key) =>
        Sign($"{Encode(header)}.{Encode(payload)}", data => key.SignData(data, HashAlgorithmName.SHA256));

    /// <summary>A token of the user 42 with more claims, or others.</summary>
    public static string Token(TimeProvider clock, string claims = "\"sub\":\"42\"", string header = """{"alg":"HS256","typ":"JWT"}""", int seconds = 3_600, byte[]? secret = null)
    {
        var now = clock.GetUtcNow().ToUnixTimeSeconds();
        return Sign(header, $$"""{{{claims}},"iat":{{now + Math.Min(0, seconds - 60)}},"exp":{{now + seconds}}}""", secret);
    }

    public static string Encode(string text) => Base64Url.EncodeToString(Encoding.UTF8.GetBytes(text));

    /// <summary>A validator for tokens that are signed with <see cref="Secret"/>, and for a key set's.</summary>
    public static JwtValidator Validator(TimeProvider clock, JwtRules? rules = null, JwksKeys? remote = null) =>
        new(rules ?? new JwtRules(), new JwtKeys(new HmacKey(SecretBytes), remote), clock);

    /// <summary>The public key as a member of a key set.</summary>
    public static string Jwk(RSA key, string? kid = null, string more = "")
    {
        var parameters = key.ExportParameters(includePrivateParameters: false);
        return $$"""{"kty":"RSA",{{Kid(kid)}}"n":"{{Base64Url.EncodeToString(parameters.Modulus)}}","e":"{{Base64Url.EncodeToString(parameters.Exponent)}}"{{more}}}""";
    }

    public static string Jwk(ECDsa key, string? kid = null)
    {
        var point = key.ExportParameters(includePrivateParameters: false).Q;
        return $$"""{"kty":"EC","crv":"P-256",{{Kid(kid)}}"x":"{{Base64Url.EncodeToString(point.X)}}","y":"{{Base64Url.EncodeToString(point.Y)}}"}""";
    }

    public static string KeySet(params string[] keys) => $$"""{"keys":[{{string.Join(',', keys)}}]}""";

    private static string Kid(string? kid) => kid is null ? "" : $"\"kid\":\"{kid}\",";

    private static string Sign(string signed, Func<byte[], byte[]> sign) => $"{signed}.{Base64Url.EncodeToString(sign(Encoding.ASCII.GetBytes(signed)))}";
}
