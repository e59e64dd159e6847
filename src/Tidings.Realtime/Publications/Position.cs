using System.Buffers;
using System.Buffers.Binary;
using System.Buffers.Text;

namespace Tidings.Realtime.Publications;

/// <summary>
/// A place in the history of a channel, or for a feed in the whole durable log. Opaque to clients, who hand back the last one they
/// saw: its text is <see cref="ToString"/>, and they never do arithmetic on it.
/// </summary>
/// <param name="Epoch">Which history it belongs to. Another epoch means that offsets were given out anew.</param>
/// <param name="Offset">How far in it; 0 is before the first.</param>
internal readonly record struct Position(ulong Epoch, long Offset)
{
    /// <summary>The most bytes of a position in binary: the epoch and the offset as a variable-length number.</summary>
    public const int MaxEncodedLength = sizeof(ulong) + 9;

    /// <summary>The longest text of a position.</summary>
    public const int MaxTextLength = (MaxEncodedLength * 4 / 3) + 2;

    /// <summary>No place at all.</summary>
    public static Position None => default;

    /// <summary>Whether there is a place.</summary>
    public bool Exists => Epoch != 0;

    /// <summary>Writes the binary form.</summary>
    /// <returns>The number of bytes written, at most <see cref="MaxEncodedLength"/>.</returns>
    public int Encode(Span<byte> into)
    {
        BinaryPrimitives.WriteUInt64BigEndian(into, Epoch);
        var length = sizeof(ulong);
        var rest = (ulong)Offset;
        while (rest >= 0x80)
        {
            into[length++] = (byte)(rest | 0x80);
            rest >>= 7;
        }

        into[length++] = (byte)rest;
        return length;
    }

    /// <summary>Reads the binary form.</summary>
    /// <returns>False if it is not one; then nothing was read.</returns>
    public static bool TryDecode(ReadOnlySpan<byte> bytes, out Position position, out int length)
    {
        position = default;
        length = 0;
        if (bytes.Length <= sizeof(ulong)) return false;

        var epoch = BinaryPrimitives.ReadUInt64BigEndian(bytes);
        var offset = 0UL;
        for (int index = sizeof(ulong), shift = 0; index < bytes.Length && shift < 63; index++, shift += 7)
        {
            offset |= (ulong)(bytes[index] & 0x7F) << shift;
            if ((bytes[index] & 0x80) != 0) continue;
            if (epoch == 0 || (bytes[index] == 0 && shift > 0)) return false; // one spelling only
            position = new Position(epoch, (long)offset);
            length = index + 1;
            return true;
        }

        return false;
    }

    /// <summary>Reads the text that <see cref="ToString"/> writes.</summary>
    public static bool TryParse(ReadOnlySpan<char> text, out Position position)
    {
        position = default;
        if (text.Length is 0 or > MaxTextLength) return false;

        Span<byte> bytes = stackalloc byte[MaxTextLength];
        if (Base64Url.DecodeFromChars(text, bytes, out _, out var count) != OperationStatus.Done) return false;
        if (!TryDecode(bytes[..count], out position, out var length)) return false;

        // The decoder forgives padding, white space and stray bits; a position has one text only.
        Span<char> canonical = stackalloc char[MaxTextLength];
        return length == count && text.SequenceEqual(canonical[..Base64Url.EncodeToChars(bytes[..count], canonical)]);
    }

    /// <summary>The token that clients see: base64url, printable ASCII, at most <see cref="MaxTextLength"/> characters.</summary>
    public override string ToString()
    {
        if (!Exists) return "";
        Span<byte> bytes = stackalloc byte[MaxEncodedLength];
        return Base64Url.EncodeToString(bytes[..Encode(bytes)]);
    }
}
