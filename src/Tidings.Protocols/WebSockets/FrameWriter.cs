using System.Buffers.Binary;

namespace Tidings.Protocols.WebSockets;

/// <summary>A server's frames: whole, unmasked, and so the same bytes for every client.</summary>
internal static class FrameWriter
{
    /// <summary>The longest header that a server writes.</summary>
    public const int MaxHeaderLength = 10;

    private const byte Final = 0x80;

    /// <summary>A ping without payload.</summary>
    public static ReadOnlyMemory<byte> Ping { get; } = new byte[] { Final | (byte)FrameOpcode.Ping, 0 };

    /// <summary>The length of the header for a payload of this length.</summary>
    public static int HeaderLength(long payload) => payload switch
    {
        < 126 => 2,
        <= ushort.MaxValue => 4,
        _ => 10,
    };

    /// <summary>Writes the header of a whole message.</summary>
    /// <returns>Its length.</returns>
    public static int WriteHeader(Span<byte> into, FrameOpcode opcode, long payload)
    {
        into[0] = (byte)(Final | (byte)opcode);
        switch (payload)
        {
            case < 126:
                into[1] = (byte)payload;
                return 2;
            case <= ushort.MaxValue:
                into[1] = 126;
                BinaryPrimitives.WriteUInt16BigEndian(into[2..], (ushort)payload);
                return 4;
            default:
                into[1] = 127;
                BinaryPrimitives.WriteInt64BigEndian(into[2..], payload);
                return 10;
        }
    }

    /// <summary>The payload of a frame that was written here.</summary>
    public static ReadOnlyMemory<byte> PayloadOf(ReadOnlyMemory<byte> frame) => frame[(frame.Span[1] switch { < 126 => 2, 126 => 4, _ => 10 })..];

    /// <summary>Reads the header of a frame that was written here.</summary>
    /// <returns>Its length.</returns>
    public static int HeaderOf(ReadOnlySpan<byte> frame, out FrameOpcode opcode, out int payload)
    {
        opcode = (FrameOpcode)(frame[0] & 0x0F);
        (var header, payload) = frame[1] switch
        {
            127 => (10, checked((int)BinaryPrimitives.ReadInt64BigEndian(frame[2..]))),
            126 => (4, BinaryPrimitives.ReadUInt16BigEndian(frame[2..])),
            var length => (2, length),
        };
        return header;
    }

    /// <summary>A whole frame.</summary>
    public static byte[] Frame(FrameOpcode opcode, ReadOnlySpan<byte> payload)
    {
        var frame = new byte[HeaderLength(payload.Length) + payload.Length];
        payload.CopyTo(frame.AsSpan(WriteHeader(frame, opcode, payload.Length)));
        return frame;
    }

    /// <summary>A text message in one frame.</summary>
    public static byte[] Text(ReadOnlySpan<byte> utf8) => Frame(FrameOpcode.Text, utf8);

    /// <summary>A close frame; a code that may not travel becomes 1011, and a long reason is cut.</summary>
    public static byte[] Close(int code, string reason)
    {
        Span<byte> payload = stackalloc byte[2 + CloseCodes.MaxReasonBytes];
        BinaryPrimitives.WriteUInt16BigEndian(payload, (ushort)(CloseCodes.MayTravel(code) ? code : CloseCodes.UnexpectedError));
        return Frame(FrameOpcode.Close, payload[..(2 + CloseCodes.WriteReason(reason, payload[2..]))]);
    }

    /// <summary>A close frame without a code, the answer to one without.</summary>
    public static byte[] EmptyClose() => Frame(FrameOpcode.Close, []);
}
