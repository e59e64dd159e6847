using System.Buffers;
using Tidings.Realtime.Brokers;
using Tidings.Server.Scaleout.Redis;
using static Tidings.Fuzz.WrongAnswerException;

namespace Tidings.Fuzz.Targets;

/// <summary>What arrives from other nodes, or from whoever else can write to the bus.</summary>
internal static class BusTargets
{
    public static IReadOnlyList<Target> List { get; } =
    [
        new("bus-message", ["TB", "\u0001", "post:7", "{}", "\u0010", "\u0011", "\u0013", "\0", "\n", "id"], Message),
        new("resp", ["$", "*", "%", ">", "+", "-", ":", "\r\n", "1", "0", "-1", "message", "999999"], Values),
    ];

    /// <summary>What was understood means the same once it was written and read again.</summary>
    private static void Message(byte[] input)
    {
        if (BusCodec.Decode(input, out var message) != BusVerdict.Message) return;
        foreach (var publication in message!.Publications)
        {
            Unless(publication.Draft.Payload.Span.IndexOfAny((byte)'\r', (byte)'\n') < 0, "a payload of two lines");
            Unless(publication.Position.Exists || publication.Sequence == 0, "a place in the log without one in its channel");
        }

        var once = Write(message);
        Unless(BusCodec.Decode(once, out var again) == BusVerdict.Message, "not readable once written");
        Unless(once.AsSpan().SequenceEqual(Write(again!)), "another message once written");
    }

    /// <summary>What arrives from Redis, or from whoever answers in its place: values until one is cut or wrong.</summary>
    private static void Values(byte[] input)
    {
        var buffer = new ReadOnlySequence<byte>(input);
        for (var left = buffer.Length; RespReader.TryRead(ref buffer, out var value) == RespVerdict.Value; left = buffer.Length)
            Unless(value is not null && buffer.Length < left, "a value of nothing");
    }

    private static byte[] Write(BusMessage message)
    {
        var into = new ArrayBufferWriter<byte>();
        BusCodec.Encode(message, into);
        return into.WrittenSpan.ToArray();
    }
}
