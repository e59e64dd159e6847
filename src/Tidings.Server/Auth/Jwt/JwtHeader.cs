using System.Text.Json;

namespace Tidings.Server.Auth.Jwt;

/// <summary>The two things a header may tell us: which of our algorithms, and the name of a key. The rest is ignored or refused.</summary>
internal readonly ref struct JwtHeader
{
    /// <summary>The longest <c>kid</c>.</summary>
    public const int MaxKeyId = 128;

    private JwtHeader(JwtAlgorithm algorithm, string? keyId)
    {
        Algorithm = algorithm;
        KeyId = keyId;
    }

    public JwtAlgorithm Algorithm { get; }

    /// <summary>For a dictionary, and for nothing else.</summary>
    public string? KeyId { get; }

    /// <summary>Reads a header. <c>jku</c>, <c>jwk</c>, <c>x5u</c> and <c>x5c</c> are ignored: keys come from the configuration alone.</summary>
    public static JwtError TryRead(ReadOnlySpan<byte> json, Span<byte> scratch, Span<int> ends, out JwtHeader header)
    {
        header = default;
        JwtAlgorithm? algorithm = null;
        string? keyId = null;

        var members = new JsonMembers(json, scratch, ends);
        while (members.MoveNext())
        {
            var name = members.Name;
            ref var value = ref members.Value;
            if (name.SequenceEqual("alg"u8))
            {
                if (AlgorithmOf(ref value) is not { } known) return JwtError.Unsupported;
                algorithm = known;
            }
            else if (name.SequenceEqual("kid"u8))
            {
                keyId = KeyIdOf(ref value);
                if (keyId is null) return JwtError.Malformed;
            }
            else if (name.SequenceEqual("typ"u8))
            {
                if (!IsKnownType(ref value)) return JwtError.Unsupported;
            }
            else if (name.SequenceEqual("crit"u8) || name.SequenceEqual("b64"u8) || name.SequenceEqual("enc"u8) ||
                     name.SequenceEqual("zip"u8) || name.SequenceEqual("cty"u8))
            {
                return JwtError.Unsupported;
            }
        }

        if (algorithm is null) return JwtError.Unsupported;
        header = new JwtHeader(algorithm.Value, keyId);
        return JwtError.None;
    }

    /// <summary>Whether a text may name a key: 1 to 128 of what identifiers, base64 and thumbprints are made of.</summary>
    public static bool IsKeyId(ReadOnlySpan<char> text)
    {
        if (text.Length is 0 or > MaxKeyId || text.Contains("..", StringComparison.Ordinal)) return false;
        foreach (var character in text)
            if (!char.IsAsciiLetterOrDigit(character) && !"-._~@:|+/=".Contains(character)) return false;
        return true;
    }

    private static JwtAlgorithm? AlgorithmOf(ref Utf8JsonReader value)
    {
        if (value.TokenType != JsonTokenType.String) return null;
        if (value.ValueTextEquals("HS256"u8)) return JwtAlgorithm.HS256;
        if (value.ValueTextEquals("RS256"u8)) return JwtAlgorithm.RS256;
        return value.ValueTextEquals("ES256"u8) ? JwtAlgorithm.ES256 : null;
    }

    private static string? KeyIdOf(ref Utf8JsonReader value)
    {
        if (value.TokenType != JsonTokenType.String || value.ValueSpan.Length > MaxKeyId) return null;
        Span<char> text = stackalloc char[MaxKeyId];
        var read = text[..value.CopyString(text)];
        return IsKeyId(read) ? read.ToString() : null;
    }

    /// <summary>Tokens that are made for something else (logout, proof of possession, security events) are not for signing in.</summary>
    private static bool IsKnownType(ref Utf8JsonReader value)
    {
        if (value.TokenType != JsonTokenType.String || value.ValueSpan.Length > 32) return false;
        Span<char> text = stackalloc char[32];
        var type = text[..value.CopyString(text)];
        return type.Equals("JWT", StringComparison.OrdinalIgnoreCase) || type.Equals("at+jwt", StringComparison.OrdinalIgnoreCase)
            || type.Equals("application/at+jwt", StringComparison.OrdinalIgnoreCase);
    }
}
