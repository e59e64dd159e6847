using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace Tidings.Server.Webhooks;

/// <summary>
/// Signatures of the Standard Webhooks specification, version 1: HMAC-SHA256 over <c>id.timestamp.body</c>, in headers of their own, so that a
/// webhook can be neither changed nor sent again later than five minutes.
/// </summary>
internal static class StandardWebhook
{
    public const string IdHeader = "webhook-id";
    public const string TimestampHeader = "webhook-timestamp";
    public const string SignatureHeader = "webhook-signature";

    private const string SecretPrefix = "whsec_";
    private const string Version = "v1,";
    private const int LeastKeyBytes = 24;
    private const int MostKeyBytes = 64;
    private const int MaxIdChars = 255;
    private const int MaxSignatures = 16;

    private static readonly TimeSpan Tolerance = TimeSpan.FromMinutes(5);

    /// <summary>The key of a secret: base64 of 24 to 64 bytes, with or without <c>whsec_</c>; null if it is none.</summary>
    public static byte[]? KeyOf(string secret)
    {
        var text = secret.StartsWith(SecretPrefix, StringComparison.Ordinal) ? secret[SecretPrefix.Length..] : secret;
        if (text.Any(char.IsWhiteSpace)) return null; // which the decoder would pass over
        var key = new byte[text.Length];
        return Convert.TryFromBase64String(text, key, out var length) && length is >= LeastKeyBytes and <= MostKeyBytes ? key[..length] : null;
    }

    /// <summary>The value of <see cref="SignatureHeader"/>.</summary>
    public static string Sign(ReadOnlySpan<byte> key, string id, DateTimeOffset sentAt, ReadOnlySpan<byte> body) =>
        Version + Convert.ToBase64String(DigestOf(key, id, TextOf(sentAt), body));

    /// <summary>The value of <see cref="TimestampHeader"/>: seconds since 1970.</summary>
    public static string TextOf(DateTimeOffset sentAt) => sentAt.ToUnixTimeSeconds().ToString(CultureInfo.InvariantCulture);

    /// <summary>Whether a request was signed with the key, now. While a provider changes its key it signs with both.</summary>
    public static bool IsSigned(ReadOnlySpan<byte> key, IHeaderDictionary headers, ReadOnlySpan<byte> body, DateTimeOffset now)
    {
        if (headers[IdHeader] is not [{ Length: > 0 and <= MaxIdChars } id]) return false;
        if (headers[TimestampHeader] is not [{ } timestamp] || headers[SignatureHeader] is not [{ } signatures]) return false;
        if (!long.TryParse(timestamp, NumberStyles.None, CultureInfo.InvariantCulture, out var seconds)) return false;
        if (Math.Abs(now.ToUnixTimeSeconds() - seconds) > (long)Tolerance.TotalSeconds) return false;

        var expected = DigestOf(key, id, timestamp, body);
        Span<byte> given = stackalloc byte[SHA256.HashSizeInBytes];
        var isSigned = false;
        foreach (var signature in signatures.Split(' ', MaxSignatures + 1).Take(MaxSignatures))
        {
            if (!signature.StartsWith(Version, StringComparison.Ordinal)) continue; // of another version
            if (Convert.TryFromBase64String(signature[Version.Length..], given, out var length) && length == given.Length)
                isSigned |= CryptographicOperations.FixedTimeEquals(given, expected);
        }

        return isSigned;
    }

    private static byte[] DigestOf(ReadOnlySpan<byte> key, string id, string timestamp, ReadOnlySpan<byte> body)
    {
        using var hmac = IncrementalHash.CreateHMAC(HashAlgorithmName.SHA256, key);
        hmac.AppendData(Encoding.UTF8.GetBytes($"{id}.{timestamp}."));
        hmac.AppendData(body);
        return hmac.GetHashAndReset();
    }
}
