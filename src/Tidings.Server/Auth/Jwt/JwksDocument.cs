using System.Security.Cryptography;
using System.Text.Json;

namespace Tidings.Server.Auth.Jwt;

/// <summary>A JSON Web Key Set (RFC 7517): the RSA and P-256 keys for signatures; what else is in it is left out, secrets above all.</summary>
internal static class JwksDocument
{
    /// <summary>More keys than this are not read.</summary>
    public const int MaxKeys = 64;

    private static readonly JsonDocumentOptions Strict = new() { MaxDepth = 8, AllowDuplicateProperties = false };

    /// <summary>Reads a set; keys without a <c>kid</c> have the empty one.</summary>
    /// <exception cref="JsonException">It is not a key set.</exception>
    public static Dictionary<string, JwtKey> Read(ReadOnlyMemory<byte> json)
    {
        try
        {
            using var document = JsonDocument.Parse(json, Strict);
            return Read(document.RootElement);
        }
        catch (InvalidOperationException exception)
        {
            throw new JsonException("A text that is not Unicode.", exception);
        }
    }

    private static Dictionary<string, JwtKey> Read(JsonElement root)
    {
        if (root.ValueKind != JsonValueKind.Object || !root.TryGetProperty("keys", out var list) || list.ValueKind != JsonValueKind.Array)
            throw new JsonException("Not a key set.");

        var keys = new Dictionary<string, JwtKey>(StringComparer.Ordinal);
        foreach (var element in list.EnumerateArray().Take(MaxKeys))
            if (TryRead(element, out var id) is { } key) keys.TryAdd(id, key);
        return keys;
    }

    private static JwtKey? TryRead(JsonElement element, out string id)
    {
        id = "";
        if (element.ValueKind != JsonValueKind.Object) return null;
        if (element.TryGetProperty("kid", out var kid))
        {
            id = kid.ValueKind == JsonValueKind.String ? kid.GetString()! : "";
            if (!JwtHeader.IsKeyId(id)) return null;
        }

        if (Text(element, "use") is { } use && use != "sig") return null;
        if (element.TryGetProperty("key_ops", out var operations) && !MayVerify(operations)) return null;

        var algorithm = Text(element, "alg");
        try
        {
            return Text(element, "kty") switch
            {
                "RSA" when algorithm is null or "RS256" && Bytes(element, "n") is { } n && Bytes(element, "e") is { } e => new RsaKey(n, e),
                "EC" when algorithm is null or "ES256" && Text(element, "crv") == "P-256" && Bytes(element, "x") is { } x && Bytes(element, "y") is { } y
                    => new EcdsaKey(x, y),
                _ => null,
            };
        }
        catch (CryptographicException)
        {
            return null;   // too weak, or not on the curve: the others of the set may be good
        }
    }

    private static bool MayVerify(JsonElement operations) =>
        operations.ValueKind == JsonValueKind.Array &&
        operations.EnumerateArray().Any(operation => operation.ValueKind == JsonValueKind.String && operation.ValueEquals("verify"u8));

    private static string? Text(JsonElement element, string name) =>
        element.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;

    private static byte[]? Bytes(JsonElement element, string name) =>
        Text(element, name) is { Length: <= 2_048 } text ? CanonicalBase64Url.Decode(text) : null;
}
