using System.Buffers.Binary;
using System.Text;
using Tidings.Protocols.WebSockets;

namespace Tidings.Protocols.Tests.Support;

/// <summary>A client's frames, good and bad ones.</summary>
internal static class ClientFrames
{
    private static readonly byte[] Mask = [0x37, 0xFA, 0x21, 0x3D];

    public static byte[] Text(string text) => Of(FrameOpcode.Text, Encoding.UTF8.GetBytes(text));

    public static byte[] Binary(params byte[] payload) => Of(FrameOpcode.Binary, payload);

    public static byte[] Ping(string payload = "") => Of(FrameOpcode.Ping, Encoding.UTF8.GetBytes(payload));

    public static byte[] Pong(string payload = "") => Of(FrameOpcode.Pong, Encoding.UTF8.GetBytes(payload));

    public static byte[] Close(int code, string reason = "") =>
        Of(FrameOpcode.Close, [(byte)(code >> 8), (byte)code, .. Encoding.UTF8.GetBytes(reason)]);

    public static byte[] Close() => Of(FrameOpcode.Close, []);

    public static byte[] First(FrameOpcode opcode, params byte[] payload) => Of(opcode, payload, isFinal: false);

    public static byte[] Middle(params byte[] payload) => Of(FrameOpcode.Continuation, payload, isFinal: false);

    public static byte[] Last(params byte[] payload) => Of(FrameOpcode.Continuation, payload);

    /// <summary>A frame with everything open.</summary>
    /// <param name="opcode">The opcode.</param>
    /// <param name="payload">What is in it.</param>
    /// <param name="isFinal">The FIN bit.</param>
    /// <param name="reserved">The three RSV bits, as in the first byte.</param>
    /// <param name="isMasked">Whether to mask it.</param>
    /// <param name="declared">The declared length, if another than the payload's.</param>
    /// <param name="form">How many bytes the length takes (1, 2 or 8); 0 for the shortest.</param>
    public static byte[] Of(
        FrameOpcode opcode, byte[] payload, bool isFinal = true, int reserved = 0, bool isMasked = true, ulong? declared = null, int form = 0)
    {
        var length = declared ?? (ulong)payload.Length;
        if (form == 0) form = length < 126 ? 1 : length <= ushort.MaxValue ? 2 : 8;

        var frame = new List<byte> { (byte)((isFinal ? 0x80 : 0) | reserved | (byte)opcode) };
        var mark = isMasked ? 0x80 : 0;
        Span<byte> number = stackalloc byte[8];
        BinaryPrimitives.WriteUInt64BigEndian(number, length);
        frame.Add((byte)(mark | form switch { 1 => (int)length, 2 => 126, _ => 127 }));
        if (form > 1) frame.AddRange(number[^form..]);
        if (isMasked) frame.AddRange(Mask);
        for (var index = 0; index < payload.Length; index++) frame.Add((byte)(payload[index] ^ (isMasked ? Mask[index % 4] : 0)));
        return [.. frame];
    }

    /// <summary>What a reader makes of bytes, in words: <c>text:hello</c>, <c>close:1000</c>, <c>violation:1002</c>.</summary>
    public static IReadOnlyList<string> Read(IEnumerable<byte[]> pieces, int maxMessageBytes = 1024)
    {
        using var reader = new FrameReader(maxMessageBytes);
        var seen = new List<string>();
        foreach (var piece in pieces)
        {
            Memory<byte> input = piece.ToArray(); // it is unmasked in place
            while (reader.TryRead(ref input, out var message)) seen.Add(Describe(message));
            if (!input.IsEmpty) seen.Add("left over");
        }

        return seen;
    }

    public static IReadOnlyList<string> Read(params byte[] bytes) => Read([bytes]);

    private static string Describe(InboundMessage message) => message.Kind switch
    {
        InboundKind.Text => $"text:{Encoding.UTF8.GetString(message.Payload.Span)}",
        InboundKind.Binary => $"binary:{Convert.ToHexString(message.Payload.Span)}",
        InboundKind.Ping => $"ping:{Encoding.UTF8.GetString(message.Payload.Span)}",
        InboundKind.Pong => $"pong:{Encoding.UTF8.GetString(message.Payload.Span)}",
        InboundKind.Close => $"close:{message.Code}",
        InboundKind.Violation => $"violation:{message.Code}",
        _ => message.Kind.ToString(),
    };
}
