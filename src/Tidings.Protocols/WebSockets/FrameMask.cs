using System.Buffers.Binary;
using System.Numerics;

namespace Tidings.Protocols.WebSockets;

/// <summary>The masking of RFC 6455, section 5.3.</summary>
internal static class FrameMask
{
    /// <summary>Masks or unmasks bytes where they lie.</summary>
    /// <param name="bytes">A piece of a frame's payload.</param>
    /// <param name="mask">The key as it stands in the header, first byte on top.</param>
    /// <param name="offset">How much of the payload came before this piece.</param>
    public static void Apply(Span<byte> bytes, uint mask, long offset)
    {
        // Turned so that its first byte is the one for the first byte here, then laid out in memory order.
        var key = BitOperations.RotateLeft(mask, (int)(offset & 3) * 8);
        if (BitConverter.IsLittleEndian) key = BinaryPrimitives.ReverseEndianness(key);

        var wide = Vector.AsVectorByte(new Vector<uint>(key));
        var at = 0;
        for (; at <= bytes.Length - Vector<byte>.Count; at += Vector<byte>.Count)
        {
            var piece = bytes.Slice(at, Vector<byte>.Count);
            (new Vector<byte>(piece) ^ wide).CopyTo(piece);
        }

        for (; at < bytes.Length; at++) bytes[at] ^= (byte)(mask >> (int)(24 - (((offset + at) & 3) * 8)));
    }
}
