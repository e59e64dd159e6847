using System.Buffers;
using System.Text;
using System.Text.Json;
using Tidings.Protocols.EngineIo;
using Tidings.Protocols.Native;
using Tidings.Protocols.SocketIo;
using Tidings.Protocols.WebSockets;
using static Tidings.Fuzz.WrongAnswerException;

namespace Tidings.Fuzz.Targets;

/// <summary>What comes from Engine.IO and Socket.IO clients.</summary>
internal static class SocketIoTargets
{
    private static readonly string[] Words = ["4", "2", "40", "42[", "451-", "{\"_placeholder\":true,\"num\":0}", "[", "]", "{", "}", "\"", ",", "/", "\\ud800", "\u001e", "b", "AQID", "\"token\":", "\"pid\":"];
    private static readonly ClientEvents Events = new(new CommandParser(NameTargets.Catalog));

    public static IReadOnlyList<Target> List { get; } =
    [
        new("poll-payload", Words, Payload),
        new("socket-packet", [.. Words, "subscribe", "subscribe:post", "publish", "room:a", "\"since\":"], Packet),
        new("recovery-offset", ["-", "_", "=", "A", "AQ"], Offset),
        new("connect-request", Words, Connect),
    ];

    /// <summary>A body that is taken apart and put together again is the same body.</summary>
    private static void Payload(byte[] input)
    {
        if (PollPayload.Split(input) is not { } packets) return;
        Unless(packets.Count is > 0 and <= PollPayload.MaxPackets, "too many packets");
        var body = new ArrayBufferWriter<byte>();
        foreach (var packet in packets)
        {
            Unless(!packet.IsEmpty, "an empty packet");
            PollPayload.Append(FrameWriter.Text(packet.Span), body);
            if (EnginePackets.TypeOf(packet.Span) == EnginePacketType.Binary && PollPayload.DecodeBinary(packet.Span[1..]) is { } bytes)
                Unless(PollPayload.DecodeBinary(PollPayload.EncodeBinary(bytes).AsSpan(1)).AsSpan().SequenceEqual(bytes), "binary that changes");
        }

        Unless(body.WrittenSpan.SequenceEqual(input), "a body that changes");
    }

    private static void Packet(byte[] input)
    {
        if (!System.Text.Unicode.Utf8.IsValid(input) || SocketPacketParser.Parse(input) is not { } packet) return;

        Unless(packet.Attachments <= SocketPacketParser.MaxAttachments, "too many attachments");
        foreach (var argument in packet.Arguments) JsonDocument.Parse(argument, new JsonDocumentOptions { MaxDepth = 128 }).Dispose();
        if (packet.Attachments > 0) _ = SocketBinary.Fits(packet.Payload.Span, packet.Attachments);
        if (packet.Name is null) return;

        var parsed = Events.Parse(packet);
        Unless(parsed.Malformed is null && (parsed.Command is null) != (parsed.Error is null), "not one answer");
        Unless((parsed.Command?.Id ?? parsed.Error!.Id) == (packet.Id ?? SocketIoFormat.NoAck), "another number");
    }

    private static void Offset(byte[] input)
    {
        if (RecoveryOffset.TryRead(Encoding.Latin1.GetString(input), "42", NameTargets.Catalog) is not { } places) return;
        Unless(places.Select(static place => place.Channel).Distinct().Count() == places.Count, "a channel twice");
    }

    private static void Connect(byte[] input)
    {
        if (System.Text.Unicode.Utf8.IsValid(input) && SocketPacketParser.Parse((byte[])[(byte)'0', .. input]) is { Namespace: "/" } packet) _ = ConnectRequest.Read(packet.Payload.Span);
    }
}
