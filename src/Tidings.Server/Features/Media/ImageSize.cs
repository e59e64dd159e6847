using System.Buffers.Binary;

namespace Tidings.Server.Features.Media;

/// <summary>
/// How wide and high a picture is, from the beginning of its file, as it is shown: a photograph that was taken sideways is turned. It
/// allocates nothing and trusts no length that it reads; what it can't find is no error, only unknown.
/// </summary>
internal static class ImageSize
{
    /// <summary>How much of a file's beginning is looked at.</summary>
    public const int HeadBytes = 512 * 1024;

    private const int Largest = 65_535;

    /// <summary>Width and height in pixels; null if they can't be told.</summary>
    public static (int Width, int Height)? Of(MediaFormat format, ReadOnlySpan<byte> head)
    {
        var size = format == MediaFormat.Png ? OfPng(head)
            : format == MediaFormat.Gif ? OfGif(head)
            : format == MediaFormat.Jpeg ? OfJpeg(head)
            : format == MediaFormat.WebP ? OfWebP(head)
            : format == MediaFormat.Avif ? OfAvif(head)
            : null;
        return size is { } found && found.Width is > 0 and <= Largest && found.Height is > 0 and <= Largest ? found : null;
    }

    /// <summary>PNG, 11.2.2: IHDR is the first chunk.</summary>
    private static (int Width, int Height)? OfPng(ReadOnlySpan<byte> head) =>
        head.Length >= 24 && head.Slice(12, 4).SequenceEqual("IHDR"u8) ? (Big(head[16..]), Big(head[20..])) : null;

    /// <summary>GIF89a, 18: the logical screen.</summary>
    private static (int Width, int Height)? OfGif(ReadOnlySpan<byte> head) =>
        head.Length >= 10 ? (BinaryPrimitives.ReadUInt16LittleEndian(head[6..]), BinaryPrimitives.ReadUInt16LittleEndian(head[8..])) : null;

    /// <summary>JPEG, B.2.2: the frame header, and Exif's orientation if it came before.</summary>
    private static (int Width, int Height)? OfJpeg(ReadOnlySpan<byte> head)
    {
        var isTurned = false;
        for (var at = 2; at + 4 <= head.Length && head[at] == 0xFF;)
        {
            var marker = head[at + 1];
            if (marker == 0xFF)
            {
                at++; // a byte of filling
                continue;
            }

            var length = BinaryPrimitives.ReadUInt16BigEndian(head[(at + 2)..]);
            if (length < 2) return null;
            var segment = head[(at + 4)..Math.Min(head.Length, at + 2 + length)];
            if (marker is >= 0xC0 and <= 0xCF and not (0xC4 or 0xC8 or 0xCC))
            {
                if (segment.Length < 5) return null;
                var (height, width) = (BinaryPrimitives.ReadUInt16BigEndian(segment[1..]), BinaryPrimitives.ReadUInt16BigEndian(segment[3..]));
                return isTurned ? (height, width) : (width, height);
            }

            if (marker == 0xE1 && segment.StartsWith("Exif\0\0"u8)) isTurned = IsTurned(segment[6..]);
            at += 2 + length;
        }

        return null;
    }

    /// <summary>TIFF 6.0, 2: whether the orientation (tag 0x0112 of the first directory) is one of the four that lie on their side.</summary>
    private static bool IsTurned(ReadOnlySpan<byte> tiff)
    {
        if (tiff.Length < 8) return false;
        var isLittle = tiff.StartsWith("II"u8);
        var directory = isLittle ? BinaryPrimitives.ReadUInt32LittleEndian(tiff[4..]) : BinaryPrimitives.ReadUInt32BigEndian(tiff[4..]);
        if (directory > tiff.Length - 2) return false;

        var rest = tiff[(int)directory..];
        var entries = Short(rest, isLittle);
        for (rest = rest[2..]; entries > 0 && rest.Length >= 12; entries--, rest = rest[12..])
            if (Short(rest, isLittle) == 0x0112) return Short(rest[8..], isLittle) is >= 5 and <= 8;
        return false;
    }

    /// <summary>RFC 9649, 2.5 to 2.7: the first chunk of a WebP file.</summary>
    private static (int Width, int Height)? OfWebP(ReadOnlySpan<byte> head)
    {
        if (head.Length < 30) return null;
        var chunk = head.Slice(12, 4);
        if (chunk.SequenceEqual("VP8X"u8)) return (1 + Little24(head[24..]), 1 + Little24(head[27..]));
        if (chunk.SequenceEqual("VP8L"u8))
        {
            var bits = BinaryPrimitives.ReadUInt32LittleEndian(head[21..]);
            return ((int)(bits & 0x3FFF) + 1, (int)((bits >> 14) & 0x3FFF) + 1);
        }

        return chunk.SequenceEqual("VP8 "u8)
            ? (BinaryPrimitives.ReadUInt16LittleEndian(head[26..]) & 0x3FFF, BinaryPrimitives.ReadUInt16LittleEndian(head[28..]) & 0x3FFF)
            : null;
    }

    /// <summary>ISO/IEC 23008-12, 6.5.3: the property <c>ispe</c>, which an AVIF file has among its first boxes.</summary>
    private static (int Width, int Height)? OfAvif(ReadOnlySpan<byte> head)
    {
        var at = head.IndexOf("ispe"u8);
        return at >= 0 && at + 16 <= head.Length ? (Big(head[(at + 8)..]), Big(head[(at + 12)..])) : null;
    }

    private static int Big(ReadOnlySpan<byte> bytes) => BinaryPrimitives.ReadInt32BigEndian(bytes);

    private static int Little24(ReadOnlySpan<byte> bytes) => bytes[0] | (bytes[1] << 8) | (bytes[2] << 16);

    private static ushort Short(ReadOnlySpan<byte> bytes, bool isLittle) =>
        isLittle ? BinaryPrimitives.ReadUInt16LittleEndian(bytes) : BinaryPrimitives.ReadUInt16BigEndian(bytes);
}
