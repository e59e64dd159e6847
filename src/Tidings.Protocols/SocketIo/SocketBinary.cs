using System.Text.Json;

namespace Tidings.Protocols.SocketIo;

/// <summary>What stands in a packet's JSON where a binary message belongs: <c>{"_placeholder":true,"num":0}</c>.</summary>
internal static class SocketBinary
{
    /// <summary>Whether every placeholder of a payload names a message that is there. Not every message must be named.</summary>
    /// <param name="json">Valid JSON.</param>
    /// <param name="count">How many messages there are.</param>
    public static bool Fits(ReadOnlySpan<byte> json, int count)
    {
        var reader = new Utf8JsonReader(json, new JsonReaderOptions { MaxDepth = SocketPacketParser.MaxDepth });
        while (reader.Read())
        {
            if (!IsName(reader, "_placeholder"u8)) continue;
            if (!reader.Read() || reader.TokenType != JsonTokenType.True) continue;
            if (!reader.Read() || !IsName(reader, "num"u8)) return false;
            if (!reader.Read() || reader.TokenType != JsonTokenType.Number || !reader.TryGetInt32(out var number) || number < 0 || number >= count) return false;
        }

        return true;
    }

    // As JSON.stringify writes it. A name with escapes may be half a character, at which the reader's own comparison throws.
    private static bool IsName(in Utf8JsonReader reader, ReadOnlySpan<byte> name) =>
        reader.TokenType == JsonTokenType.PropertyName && !reader.ValueIsEscaped && reader.ValueSpan.SequenceEqual(name);
}
