using System.Buffers;
using System.Text;
using System.Text.Json;
using Tidings.Protocols.Native;
using Tidings.Realtime.Channels;
using Tidings.Realtime.Publications;

namespace Tidings.Protocols.SignalR;

/// <summary>SignalR's MessagePack protocol: arrays in MessagePack, each with its length before it.</summary>
internal sealed class PackedHubEncoding : IHubEncoding
{
    private const int MaxLengthBytes = 5;

    private PackedHubEncoding()
    {
    }

    /// <summary>The one instance.</summary>
    public static PackedHubEncoding Instance { get; } = new();

    /// <inheritdoc />
    public int Slot => FormatSlots.PackedSignalR;

    /// <inheritdoc />
    public bool IsBinary => true;

    /// <inheritdoc />
    public ReadOnlyMemory<byte> Ping { get; } = new byte[] { 2, 0x91, 6 };

    /// <inheritdoc />
    public IEventFrame Receive { get; } = new EventFrame(static _ => "receive");

    /// <inheritdoc />
    public IEventFrame Named { get; } = new EventFrame(static publication => publication.Draft.Type);

    /// <inheritdoc />
    public byte[] Invocation(string target, ReadOnlySpan<byte> json)
    {
        var record = StartOf(target);
        PackWriter.WriteJson(record, json, out _);
        return WithLength(record.WrittenSpan);
    }

    /// <inheritdoc />
    public byte[] Completion(string invocationId, ReadOnlySpan<byte> json)
    {
        const int hasResult = 3;
        var record = StartOf(5, HubRecordType.Completion);
        PackWriter.WriteText(record, invocationId);
        PackWriter.WriteInteger(record, hasResult);
        PackWriter.WriteJson(record, json, out _);
        return WithLength(record.WrittenSpan);
    }

    /// <inheritdoc />
    public byte[] Failure(string invocationId, string error)
    {
        const int hasFailed = 1;
        var record = StartOf(5, HubRecordType.Completion);
        PackWriter.WriteText(record, invocationId);
        PackWriter.WriteInteger(record, hasFailed);
        PackWriter.WriteText(record, error);
        return WithLength(record.WrittenSpan);
    }

    /// <inheritdoc />
    public byte[] Close(string why, bool mayReconnect)
    {
        var record = new ArrayBufferWriter<byte>();
        PackWriter.WriteArray(record, 3);
        PackWriter.WriteInteger(record, (int)HubRecordType.Close);
        PackWriter.WriteText(record, why);
        PackWriter.WriteBoolean(record, mayReconnect);
        return WithLength(record.WrittenSpan);
    }

    /// <inheritdoc />
    public int FeedLength(EventPush.FeedParts parts, ChannelName feed)
    {
        var length = BodyLength(parts, feed);
        return LengthBytes(length) + length;
    }

    /// <inheritdoc />
    public void WriteFeed(Span<byte> into, EventPush.FeedParts parts, ChannelName feed)
    {
        into = into[WriteLength(into, BodyLength(parts, feed))..];
        parts.Head.Span.CopyTo(into);
        into = into[parts.Head.Length..];
        if (feed.Value.Length > 31)
        {
            (into[0], into[1]) = (0xD9, (byte)feed.Value.Length); // a name is shorter than 256
            into = into[2..];
        }
        else
        {
            into[0] = (byte)(0xA0 | feed.Value.Length);
            into = into[1..];
        }

        Encoding.ASCII.GetBytes(feed.Value, into);
        parts.Tail.Span.CopyTo(into[feed.Value.Length..]);
    }

    /// <inheritdoc />
    public HubTaking TryTake(ref ReadOnlySequence<byte> buffer, int mostBytes, out ReadOnlySequence<byte> record)
    {
        record = default;
        var reader = new SequenceReader<byte>(buffer);
        long length = 0;
        for (var shift = 0; ; shift += 7)
        {
            if (shift == MaxLengthBytes * 7) return HubTaking.TooBig;
            if (!reader.TryRead(out var octet)) return HubTaking.Incomplete;
            length |= (long)(octet & 0x7F) << shift;
            if (octet < 0x80) break;
        }

        if (length > mostBytes) return HubTaking.TooBig;
        if (reader.Remaining < length) return HubTaking.Incomplete;
        record = buffer.Slice(reader.Position, length);
        buffer = buffer.Slice(record.End);
        return HubTaking.Record;
    }

    /// <inheritdoc />
    public string? TryRead(ReadOnlyMemory<byte> text, out HubRecord? record)
    {
        record = null;
        var reader = new PackReader(text.Span);
        if (!reader.TryReadArray(out var count)) return "not_an_array";
        if (count == 0 || !reader.TryReadInteger(out var type)) return "no_type";
        if (type is < 1 or > 7) return "bad_type";
        if (type is not ((int)HubRecordType.Invocation or (int)HubRecordType.StreamInvocation))
        {
            for (var index = 1; index < count; index++)
                if (!reader.TrySkip()) return "not_messagepack";
            if (!reader.IsAtEnd) return "not_messagepack";
            record = new HubRecord((HubRecordType)type, null, null, []);
            return null;
        }

        if (count is not (5 or 6) || !reader.TrySkip() || !reader.TryReadText(out var id) || !reader.TryReadText(out var target)) return "bad_invocation";
        if (id is { Length: 0 or > HubRecord.MaxInvocationIdLength } || target is not { Length: > 0 and <= HubRecord.MaxInvocationIdLength }) return "bad_invocation";
        if (type == (int)HubRecordType.StreamInvocation && id is null) return "bad_invocation";
        if (!reader.TryReadArray(out var most) || most > HubRecord.MaxArguments) return "bad_invocation";

        var arguments = new List<ReadOnlyMemory<byte>>(most);
        for (; most > 0; most--)
        {
            var scratch = JsonScratch.Take();
            if (!reader.TryReadAsJson(scratch.Writer)) return "bad_invocation";
            scratch.Writer.Flush();
            arguments.Add(scratch.Bytes.WrittenSpan.ToArray());
        }

        if ((count == 6 && !reader.TrySkip()) || !reader.IsAtEnd) return "bad_invocation";
        record = new HubRecord((HubRecordType)type, id, target, arguments);
        return null;
    }

    private static ArrayBufferWriter<byte> StartOf(int count, HubRecordType type)
    {
        var record = new ArrayBufferWriter<byte>();
        PackWriter.WriteArray(record, count);
        PackWriter.WriteInteger(record, (int)type);
        PackWriter.WriteMap(record, 0); // no headers
        return record;
    }

    /// <summary>A call up to its one argument.</summary>
    private static ArrayBufferWriter<byte> StartOf(string target)
    {
        var record = StartOf(5, HubRecordType.Invocation);
        PackWriter.WriteNull(record); // no answer is wanted
        PackWriter.WriteText(record, target);
        PackWriter.WriteArray(record, 1);
        return record;
    }

    private static byte[] WithLength(ReadOnlySpan<byte> body)
    {
        var record = new byte[LengthBytes(body.Length) + body.Length];
        body.CopyTo(record.AsSpan(WriteLength(record, body.Length)));
        return record;
    }

    private static int BodyLength(EventPush.FeedParts parts, ChannelName feed) =>
        parts.Head.Length + (feed.Value.Length > 31 ? 2 : 1) + feed.Value.Length + parts.Tail.Length;

    private static int LengthBytes(int length)
    {
        var count = 1;
        while ((length >>= 7) > 0) count++;
        return count;
    }

    private static int WriteLength(Span<byte> into, int length)
    {
        var count = 0;
        for (; length > 0x7F; length >>= 7) into[count++] = (byte)(length | 0x80);
        into[count++] = (byte)length;
        return count;
    }

    private sealed class EventFrame(Func<Publication, string> targetOf) : IEventFrame
    {
        public byte[] Frame(Publication publication, ReadOnlySpan<byte> json) => Instance.Invocation(targetOf(publication), json);

        public EventPush.FeedParts FrameParts(Publication publication, ReadOnlySpan<byte> head, ReadOnlySpan<byte> tail)
        {
            var record = StartOf(targetOf(publication));
            PackWriter.WriteJson(record, [.. head, .. tail], out var nameAt);
            return new(record.WrittenSpan[..nameAt].ToArray(), record.WrittenSpan[(nameAt + 1)..].ToArray());
        }
    }
}
