using System.Buffers.Text;
using System.Text;
using System.Text.Json;
using Tidings.Realtime.Channels;
using Tidings.Server.Auth.Jwt;
using static Tidings.Fuzz.WrongAnswerException;

namespace Tidings.Fuzz.Targets;

/// <summary>Tokens and keys.</summary>
internal static class TokenTargets
{
    private static readonly string[] Words =
    [
        "{", "}", "[", "\"", ":", ",", "\"alg\"", "\"HS256\"", "\"none\"", "\"RS256\"", "\"kid\"", "\"typ\"", "\"crit\"", "\"sub\"", "\"exp\"", "\"aud\"", "\"nbf\"",
        "99999999999", "1.5", "-1", "1e9", "null", "\\u0061", "\\ud800", ".", "eyJ", "..",
    ];

    private static readonly JwtRules Rules = new() { Issuer = "i", Audience = "a" };
    private static readonly HmacKey Key = new("0123456789abcdef0123456789abcdef"u8.ToArray());
    private static readonly JwtValidator Validator = new(Rules, new JwtKeys(Key, remote: null), TimeProvider.System);
    private static readonly JwtClaims Claims = new(Rules);

    public static IReadOnlyList<Target> List { get; } =
    [
        new("jwt-header", Words, Header),
        new("jwt-claims", Words, Payload),
        new("jwt", Words, Unsigned),
        new("jwt-signed", Words, Signed),
        new("jwks", [.. Words, "\"keys\"", "\"kty\"", "\"RSA\"", "\"EC\"", "\"n\"", "\"e\"", "\"x\"", "\"y\"", "\"crv\"", "\"P-256\"", "\"use\"", "\"key_ops\"", "AQAB"], KeySet),
    ];

    private static void Header(byte[] input) => Declared(() =>
    {
        if (JwtHeader.TryRead(input, new byte[input.Length], new int[64], out var header) == JwtError.None && header.KeyId is { } id)
            Unless(JwtHeader.IsKeyId(id), $"the key '{id}'");
    });

    private static void Payload(byte[] input) => Declared(() =>
    {
        if (Claims.TryRead(input, new byte[input.Length], new int[64], out var payload) == JwtError.None && payload.UserId is { } id)
            Unless(ChannelName.IsId(id), $"the user '{id}'");
    });

    private static void Unsigned(byte[] input) => Unless(Validator.Validate(Encoding.Latin1.GetString(input)).Jwt is null, "a token without our signature is accepted");

    /// <summary>The claims of somebody who has the key, too.</summary>
    private static void Signed(byte[] input)
    {
        var signed = $"{Base64Url.EncodeToString("{\"alg\":\"HS256\"}"u8)}.{Base64Url.EncodeToString(input)}";
        var token = $"{signed}.{Base64Url.EncodeToString(Key.Sign(Encoding.ASCII.GetBytes(signed)))}";
        if (Validator.Validate(token).Jwt is { } jwt) Unless(ChannelName.IsId(jwt.UserId), $"the user '{jwt.UserId}'");
    }

    private static void KeySet(byte[] input)
    {
        try
        {
            _ = JwksDocument.Read(input);
        }
        catch (JsonException)
        {
            // Declared.
        }
    }

    private static void Declared(Action parse)
    {
        try
        {
            parse();
        }
        catch (Exception exception) when (exception is JsonException or InvalidOperationException)
        {
            // Declared: the second for text with half a character.
        }
    }
}
