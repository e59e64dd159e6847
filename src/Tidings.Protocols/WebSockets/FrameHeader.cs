using System.Buffers.Binary;
using System.Runtime.CompilerServices;

namespace Tidings.Protocols.WebSockets;

/// <summary>The bytes of one client frame's header as they come: 2, up to 8 of length, 4 of mask.</summary>
internal struct FrameHeader
{
    private const byte ShortLength = 126;
    private const byte LongLength = 127;

    private Storage _bytes;

    /// <summary>How many bytes are there.</summary>
    public int Count { get; private set; }

    /// <summary>One of the bytes.</summary>
    public readonly byte this[int index] => _bytes[index];

    /// <summary>The declared length; negative if its top bit is set.</summary>
    public readonly long PayloadLength => (_bytes[1] & 0x7F) switch
    {
        ShortLength => BinaryPrimitives.ReadUInt16BigEndian(_bytes[2..]),
        LongLength => BinaryPrimitives.ReadInt64BigEndian(_bytes[2..]),
        var length => length,
    };

    /// <summary>The masking key, first byte on top; 0 if the frame is not masked.</summary>
    public readonly uint Mask => IsMasked ? BinaryPrimitives.ReadUInt32BigEndian(_bytes[(Count - 4)..]) : 0;

    private readonly bool IsMasked => (_bytes[1] & 0x80) != 0;

    private readonly int Needed => Count < 2 ? 2 : 2 + (IsMasked ? 4 : 0) + (_bytes[1] & 0x7F) switch
    {
        ShortLength => 2,
        LongLength => 8,
        _ => 0,
    };

    /// <summary>Takes what the header still lacks.</summary>
    /// <returns>Whether it is complete.</returns>
    public bool TryTake(ref Memory<byte> input)
    {
        while (Count < Needed)
        {
            var taken = Math.Min(Needed - Count, input.Length);
            if (taken == 0) return false;
            input.Span[..taken].CopyTo(_bytes[Count..]);
            input = input[taken..];
            Count += taken;
        }

        return true;
    }

    /// <summary>Makes room for the next.</summary>
    public void Clear() => Count = 0;

    [InlineArray(14)]
    private struct Storage
    {
        private byte _first;
    }
}
