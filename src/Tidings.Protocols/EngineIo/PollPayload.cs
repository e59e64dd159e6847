using System.Buffers;
using System.Buffers.Text;
using System.Text.Unicode;
using Tidings.Protocols.WebSockets;

namespace Tidings.Protocols.EngineIo;

/// <summary>The bodies of polling: packets between <c>0x1E</c>.</summary>
internal static class PollPayload
{
    /// <summary>The most packets of one body.</summary>
    public const int MaxPackets = 1_000;

    /// <summary>The packets of a body, in order; null if there is one that is empty, or more than may be, or bytes that are not UTF-8.</summary>
    public static IReadOnlyList<ReadOnlyMemory<byte>>? Split(ReadOnlyMemory<byte> body)
    {
        if (body.IsEmpty || !Utf8.IsValid(body.Span)) return null;

        var packets = new List<ReadOnlyMemory<byte>>(1);
        while (true)
        {
            var end = body.Span.IndexOf(EnginePackets.Separator);
            if (end == 0 || body.IsEmpty || packets.Count == MaxPackets) return null;
            if (end < 0)
            {
                packets.Add(body);
                return packets;
            }

            packets.Add(body[..end]);
            body = body[(end + 1)..];
        }
    }

    /// <summary>The bytes of a binary message; null if they are not Base64.</summary>
    public static byte[]? DecodeBinary(ReadOnlySpan<byte> base64)
    {
        var bytes = new byte[Base64.GetMaxDecodedFromUtf8Length(base64.Length)];
        var status = Base64.DecodeFromUtf8(base64, bytes, out var read, out var written);
        return status == OperationStatus.Done && read == base64.Length ? bytes[..written] : null;
    }

    /// <summary>A binary message as text: for polls, and for a client that takes no binary frames.</summary>
    public static byte[] EncodeBinary(ReadOnlySpan<byte> bytes)
    {
        var text = new byte[1 + Base64.GetMaxEncodedToUtf8Length(bytes.Length)];
        text[0] = EnginePackets.BinaryPrefix;
        Base64.EncodeToUtf8(bytes, text.AsSpan(1), out _, out var written);
        return text[..(1 + written)];
    }

    /// <summary>Adds packets to a body.</summary>
    /// <param name="frames">Whole WebSocket frames, one after the other, as they would go over a socket.</param>
    /// <param name="body">The body.</param>
    public static void Append(ReadOnlySpan<byte> frames, ArrayBufferWriter<byte> body)
    {
        while (!frames.IsEmpty)
        {
            var header = FrameWriter.HeaderOf(frames, out var opcode, out var length);
            var payload = frames.Slice(header, length);
            frames = frames[(header + length)..];
            if (opcode is not (FrameOpcode.Text or FrameOpcode.Binary)) continue; // what a socket needs, a poll doesn't

            if (body.WrittenCount > 0) body.Write([EnginePackets.Separator]);
            body.Write(opcode == FrameOpcode.Text ? payload : EncodeBinary(payload));
        }
    }
}
