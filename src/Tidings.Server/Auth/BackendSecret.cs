using System.Security.Cryptography;
using System.Text;

namespace Tidings.Server.Auth;

/// <summary>The app's secret, which backends show as their bearer. Compared as digests of one length, in constant time.</summary>
internal sealed class BackendSecret(string secret)
{
    private const int MaxLength = 1_024;

    private readonly byte[] _digest = SHA256.HashData(Encoding.UTF8.GetBytes(secret));

    /// <summary>Whether a bearer is the secret.</summary>
    public bool Matches(ReadOnlySpan<char> bearer)
    {
        if (bearer.Length is 0 or > MaxLength) return false;
        Span<byte> bytes = stackalloc byte[MaxLength * 3];
        Span<byte> digest = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(bytes[..Encoding.UTF8.GetBytes(bearer, bytes)], digest);
        return CryptographicOperations.FixedTimeEquals(digest, _digest);
    }

    /// <summary>Whether a request shows the secret.</summary>
    public bool IsBearerOf(HttpRequest request) => Bearer.Of(request) is { } bearer && Matches(bearer);
}

/// <summary>The header <c>Authorization: Bearer …</c>.</summary>
internal static class Bearer
{
    private const string Prefix = "Bearer ";

    /// <summary>What follows the word; null if the request has no such header, or more than one.</summary>
    public static string? Of(HttpRequest request)
    {
        var header = request.Headers.Authorization;
        return header.Count == 1 && header[0] is { } text && text.StartsWith(Prefix, StringComparison.OrdinalIgnoreCase) ? text[Prefix.Length..].Trim() : null;
    }
}
