using System.Buffers;
using System.Buffers.Text;

namespace Tidings.Server.Auth.Jwt;

/// <summary>Base64url with exactly one text per value: no padding, no white space, no stray bits in the last character.</summary>
internal static class CanonicalBase64Url
{
    private static readonly SearchValues<byte> Alphabet =
        SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"u8);

    /// <summary>Decodes into <paramref name="bytes"/>, which is as long as the text. False for an empty or non-canonical text.</summary>
    public static bool TryDecode(ReadOnlySpan<byte> text, Span<byte> bytes, out int written)
    {
        written = 0;
        if (text.IsEmpty || text.Length % 4 == 1 || text.ContainsAnyExcept(Alphabet)) return false;

        var strayBits = (text.Length % 4) switch { 2 => 0x0F, 3 => 0x03, _ => 0 };
        if ((Value(text[^1]) & strayBits) != 0) return false;

        return Base64Url.DecodeFromUtf8(text, bytes, out _, out written) == OperationStatus.Done;
    }

    /// <summary>Decodes a text of unknown origin; null if it is not canonical.</summary>
    public static byte[]? Decode(string text)
    {
        var utf8 = System.Text.Encoding.UTF8.GetBytes(text);
        var bytes = new byte[utf8.Length];
        return TryDecode(utf8, bytes, out var written) ? bytes[..written] : null;
    }

    private static int Value(byte character) => character switch
    {
        >= (byte)'A' and <= (byte)'Z' => character - 'A',
        >= (byte)'a' and <= (byte)'z' => character - 'a' + 26,
        >= (byte)'0' and <= (byte)'9' => character - '0' + 52,
        (byte)'-' => 62,
        _ => 63,
    };
}
