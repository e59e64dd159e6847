using System.Buffers;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using Tidings.Protocols.Native;
using Tidings.Realtime.Channels;
using Tidings.Realtime.Publications;

namespace Tidings.Protocols.SignalR;

/// <summary>SignalR's JSON protocol: JSON objects, each ended by a byte that occurs in no JSON text. Handshakes are in it always.</summary>
internal sealed class JsonHubEncoding : IHubEncoding
{
    /// <summary>The end of a record.</summary>
    private const byte RecordEnd = 0x1E;

    private JsonHubEncoding()
    {
    }

    /// <summary>The one instance.</summary>
    public static JsonHubEncoding Instance { get; } = new();

    /// <summary>The answer to a handshake that is accepted.</summary>
    public static ReadOnlyMemory<byte> HandshakeAccepted { get; } = "{}\u001e"u8.ToArray();

    /// <inheritdoc />
    public int Slot => FormatSlots.SignalR;

    /// <inheritdoc />
    public bool IsBinary => false;

    /// <inheritdoc />
    public ReadOnlyMemory<byte> Ping { get; } = "{\"type\":6}\u001e"u8.ToArray();

    /// <inheritdoc />
    public IEventFrame Receive { get; } = new EventFrame(static _ => "receive");

    /// <inheritdoc />
    public IEventFrame Named { get; } = new EventFrame(static publication => publication.Draft.Type);

    private static ReadOnlySpan<byte> InvocationEnd => "]}\u001e"u8;

    /// <summary>The answer to a handshake that is refused.</summary>
    public static byte[] HandshakeRefused(string why) => Object(json => json.WriteString("error"u8, why));

    /// <inheritdoc />
    public byte[] Invocation(string target, ReadOnlySpan<byte> json) => [.. StartOf(target), .. json, .. InvocationEnd];

    /// <inheritdoc />
    public byte[] Completion(string invocationId, ReadOnlySpan<byte> json)
    {
        var start = Object(record =>
        {
            record.WriteNumber("type"u8, 3);
            record.WriteString("invocationId"u8, invocationId);
        });
        return [.. start.AsSpan(..^2), .. ",\"result\":"u8, .. json, (byte)'}', RecordEnd];
    }

    /// <inheritdoc />
    public byte[] Failure(string invocationId, string error) => Object(json =>
    {
        json.WriteNumber("type"u8, 3);
        json.WriteString("invocationId"u8, invocationId);
        json.WriteString("error"u8, error);
    });

    /// <inheritdoc />
    public byte[] Close(string why, bool mayReconnect) => Object(json =>
    {
        json.WriteNumber("type"u8, 7);
        json.WriteString("error"u8, why);
        if (mayReconnect) json.WriteBoolean("allowReconnect"u8, true);
    });

    /// <inheritdoc />
    public int FeedLength(EventPush.FeedParts parts, ChannelName feed) => parts.Head.Length + feed.Value.Length + parts.Tail.Length;

    /// <inheritdoc />
    public void WriteFeed(Span<byte> into, EventPush.FeedParts parts, ChannelName feed)
    {
        parts.Head.Span.CopyTo(into);
        Encoding.ASCII.GetBytes(feed.Value, into[parts.Head.Length..]);
        parts.Tail.Span.CopyTo(into[(parts.Head.Length + feed.Value.Length)..]);
    }

    /// <inheritdoc />
    public HubTaking TryTake(ref ReadOnlySequence<byte> buffer, int mostBytes, out ReadOnlySequence<byte> record)
    {
        record = default;
        if (buffer.PositionOf(RecordEnd) is not { } end) return buffer.Length > mostBytes ? HubTaking.TooBig : HubTaking.Incomplete;
        record = buffer.Slice(0, end);
        if (record.Length > mostBytes) return HubTaking.TooBig;
        buffer = buffer.Slice(buffer.GetPosition(1, end));
        return HubTaking.Record;
    }

    /// <inheritdoc />
    public string? TryRead(ReadOnlyMemory<byte> text, out HubRecord? record) => HubRecord.TryRead(text, out record);

    /// <summary>One record, built on this thread's scratch.</summary>
    private static byte[] Object(Action<Utf8JsonWriter> write)
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
        return [.. "{\"type\":1,\"target\":\""u8, .. name, .. "\",\"arguments\":["u8];
    }

    private sealed class EventFrame(Func<Publication, string> targetOf) : IEventFrame
    {
        public byte[] Frame(Publication publication, ReadOnlySpan<byte> json) => Instance.Invocation(targetOf(publication), json);

        public EventPush.FeedParts FrameParts(Publication publication, ReadOnlySpan<byte> head, ReadOnlySpan<byte> tail)
        {
            var start = StartOf(targetOf(publication));
            return new((byte[])[.. start, .. head], (byte[])[.. tail, .. InvocationEnd]);
        }
    }
}
