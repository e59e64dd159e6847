using System.Text;
using System.Text.Json;
using Tidings.Realtime.Channels;

namespace Tidings.Server.Auth.Jwt;

/// <summary>Reads the payload of a token whose signature has been checked.</summary>
internal sealed class JwtClaims(JwtRules rules)
{
    private const int MaxTextBytes = 2_048;
    private const long LastSecond = 253_402_300_799;   // 9999-12-31T23:59:59Z

    private readonly byte[][] _userIdClaims = [.. rules.UserIdClaims.Select(Encoding.UTF8.GetBytes)];

    /// <summary>What a payload says, before it is compared with the clock.</summary>
    internal struct Payload
    {
        public string? UserId;
        public long? ExpiresAt;
        public long? NotBefore;
        public long? IssuedAt;
        public bool IssuerMatches;
        public bool AudienceMatches;
        public string? SessionId;
        public string? Channel;
        public string? Nickname;
        public string? Name;
        public string? Picture;
    }

    /// <summary>Reads a payload. <see cref="JsonException"/> and <see cref="InvalidOperationException"/> mean that it is malformed.</summary>
    public JwtError TryRead(ReadOnlySpan<byte> json, Span<byte> scratch, Span<int> ends, out Payload payload)
    {
        payload = default;
        var userIdRank = int.MaxValue;

        var members = new JsonMembers(json, scratch, ends);
        while (members.MoveNext())
        {
            var name = members.Name;
            ref var value = ref members.Value;

            var rank = RankOf(name);
            if (rank >= 0 && rank < userIdRank)
            {
                userIdRank = rank;
                payload.UserId = UserIdOf(ref value);
            }

            if (name.SequenceEqual("exp"u8)) { if (!TrySecond(ref value, out payload.ExpiresAt)) return JwtError.Lifetime; }
            else if (name.SequenceEqual("nbf"u8)) { if (!TrySecond(ref value, out payload.NotBefore)) return JwtError.Lifetime; }
            else if (name.SequenceEqual("iat"u8)) { if (!TrySecond(ref value, out payload.IssuedAt)) return JwtError.Lifetime; }
            else if (name.SequenceEqual("iss"u8)) payload.IssuerMatches = IsText(ref value, rules.Issuer);
            else if (name.SequenceEqual("aud"u8)) payload.AudienceMatches = Contains(ref value, rules.Audience);
            else if (name.SequenceEqual("sid"u8)) payload.SessionId = TextOf(ref value);
            else if (name.SequenceEqual("channel"u8)) payload.Channel = TextOf(ref value);
            else if (name.SequenceEqual("nickname"u8)) payload.Nickname = TextOf(ref value);
            else if (name.SequenceEqual("name"u8)) payload.Name = TextOf(ref value);
            else if (name.SequenceEqual("picture"u8)) payload.Picture = TextOf(ref value);
        }

        return JwtError.None;
    }

    private int RankOf(ReadOnlySpan<byte> name)
    {
        for (var i = 0; i < _userIdClaims.Length; i++)
            if (name.SequenceEqual(_userIdClaims[i])) return i;
        return -1;
    }

    /// <summary>A text, or an integer's own digits; null for anything else and for what is not an id.</summary>
    private string? UserIdOf(ref Utf8JsonReader value)
    {
        if (value.ValueSpan.Length > ChannelName.MaxIdLength * 6) return null;
        var id = value.TokenType switch
        {
            JsonTokenType.String => value.GetString(),
            JsonTokenType.Number when value.ValueSpan.IndexOfAny("eE."u8) < 0 => Encoding.ASCII.GetString(value.ValueSpan),
            _ => null,
        };
        return id is not null && (ChannelName.IsId(id) || (rules.AllowsEveryone && id == "*")) ? id : null;
    }

    private static bool TrySecond(ref Utf8JsonReader value, out long? second)
    {
        second = null;
        if (value.TokenType != JsonTokenType.Number || !value.TryGetInt64(out var number) || number is < 0 or > LastSecond) return false;
        second = number;
        return true;
    }

    private static bool IsText(ref Utf8JsonReader value, string? expected) =>
        expected is not null && value.TokenType == JsonTokenType.String && value.ValueTextEquals(expected);

    private static bool Contains(ref Utf8JsonReader value, string? expected)
    {
        if (value.TokenType != JsonTokenType.StartArray) return IsText(ref value, expected);

        // On a copy: the walk over the members skips the array itself.
        var elements = value;
        var found = false;
        while (elements.Read() && elements.TokenType != JsonTokenType.EndArray)
        {
            if (elements.TokenType != JsonTokenType.String) return false;
            found |= IsText(ref elements, expected);
        }

        return found;
    }

    private static string? TextOf(ref Utf8JsonReader value) =>
        value.TokenType == JsonTokenType.String && value.ValueSpan.Length <= MaxTextBytes ? value.GetString() : null;
}
