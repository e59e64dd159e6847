using System.Buffers;
using System.Text.Encodings.Web;
using System.Text.Json;
using Tidings.Protocols.Native;
using Tidings.Realtime.Publications;

namespace Tidings.Protocols.SignalR;

/// <summary>The records of SignalR's JSON protocol: JSON objects, each ended by a byte that occurs in no JSON text.</summary>
internal static class HubFrames
{
    /// <summary>The end of a record.</summary>
    public const byte RecordEnd = 0x1E;

    /// <summary>The answer to a handshake that is accepted.</summary>
    public static ReadOnlyMemory<byte> HandshakeAccepted { get; } = "{}\u001e"u8.ToArray();

    /// <summary>The sign of life.</summary>
    public static ReadOnlyMemory<byte> Ping { get; } = "{\"type\":6}\u001e"u8.ToArray();

    /// <summary>Frames an event as <c>receive(event)</c>.</summary>
    public static IEventFrame Receive { get; } = new ReceiveFrame();

    /// <summary>Frames an event under its own name.</summary>
    public static IEventFrame Named { get; } = new NamedFrame();

    private static ReadOnlySpan<byte> InvocationStart => "{\"type\":1,\"target\":"u8;

    private static ReadOnlySpan<byte> ArgumentsStart => ",\"arguments\":["u8;

    private static ReadOnlySpan<byte> InvocationEnd => "]}\u001e"u8;

    /// <summary>A call of the client's method with one argument.</summary>
    public static byte[] Invocation(string target, ReadOnlySpan<byte> argument)
    {
        var start = StartOf(target);
        return [.. start, .. argument, .. InvocationEnd];
    }

    /// <summary>The answer to a handshake that is refused.</summary>
    public static byte[] HandshakeRefused(string why) => Object(json => json.WriteString("error"u8, why));

    /// <summary>The last record of a connection.</summary>
    public static byte[] Close(string? why, bool mayReconnect) => Object(json =>
    {
        json.WriteNumber("type"u8, 7);
        if (why is not null) json.WriteString("error"u8, why);
        if (mayReconnect) json.WriteBoolean("allowReconnect"u8, true);
    });

    /// <summary>One record, built on this thread's scratch.</summary>
    public static byte[] Object(Action<Utf8JsonWriter> write)
    {
        var scratch = JsonScratch.Take();
        scratch.Writer.WriteStartObject();
        write(scratch.Writer);
        scratch.Writer.WriteEndObject();
        scratch.Writer.Flush();
        return [.. scratch.Bytes.WrittenSpan, RecordEnd];
    }

    private static byte[] StartOf(string target)
    {
        var name = JsonEncodedText.Encode(target, JavaScriptEncoder.UnsafeRelaxedJsonEscaping).EncodedUtf8Bytes;
        return [.. InvocationStart, (byte)'"', .. name, (byte)'"', .. ArgumentsStart];
    }

    private sealed class ReceiveFrame : IEventFrame
    {
        private static readonly byte[] Start = StartOf("receive");

        public byte[] Frame(Publication publication, ReadOnlySpan<byte> json) => [.. Start, .. json, .. InvocationEnd];

        public EventPush.FeedParts FrameParts(Publication publication, ReadOnlySpan<byte> head, ReadOnlySpan<byte> tail) =>
            new((byte[])[.. Start, .. head], (byte[])[.. tail, .. InvocationEnd]);
    }

    private sealed class NamedFrame : IEventFrame
    {
        public byte[] Frame(Publication publication, ReadOnlySpan<byte> json) => Invocation(publication.Draft.Type, json);

        public EventPush.FeedParts FrameParts(Publication publication, ReadOnlySpan<byte> head, ReadOnlySpan<byte> tail)
        {
            var start = StartOf(publication.Draft.Type);
            return new((byte[])[.. start, .. head], (byte[])[.. tail, .. InvocationEnd]);
        }
    }
}
