using System.Buffers;
using System.Text;
using System.Text.Json;
using Tidings.Protocols.Native;
using Tidings.Protocols.WebSockets;
using Tidings.Realtime.Channels;
using Tidings.Realtime.Connections;
using Tidings.Realtime.Presence;
using Tidings.Realtime.Publications;

namespace Tidings.Protocols.Pusher;

/// <summary>
/// The bytes of one publication in one form: one frame for each way in which clients spell its channel, and the parts around the names
/// of a feed. Built on first use and shared from then on; two threads that build at once get equal bytes.
/// </summary>
internal sealed class PusherPush(ChannelCatalog catalog, Publication publication, PublicationForm form) : EncodedPush
{
    /// <summary>A channel of ours has a few spellings; one who plays with them gets bytes of their own.</summary>
    private const int MostSpellings = 8;

    private byte[]? _start;
    private (byte[] Spelling, byte[] Frame)[] _frames = [];
    private FeedParts? _feed;

    /// <summary>Whether clients hear of it at all.</summary>
    public bool IsSilent { get; } = publication.Draft.IsForMembers && publication.Draft.Type is not (PresenceEvents.Joined or PresenceEvents.Left);

    /// <summary>The bytes around the names of a feed.</summary>
    public FeedParts ForFeeds => _feed ??= BuildFeed();

    /// <summary>The whole frame for those who spell the channel so.</summary>
    public byte[] FrameFor(byte[] spelling)
    {
        var known = _frames;
        foreach (var (same, ready) in known)
            if (ReferenceEquals(same, spelling) || same.AsSpan().SequenceEqual(spelling)) return ready;

        var frame = Build(spelling);
        if (known.Length < MostSpellings) _frames = [.. known, (spelling, frame)];
        return frame;
    }

    private byte[] Build(ReadOnlySpan<byte> spelling)
    {
        var start = _start ??= BuildStart();
        var length = start.Length + PusherJson.BeforeChannel.Length + spelling.Length + PusherJson.End.Length;
        var frame = new byte[FrameWriter.HeaderLength(length) + length];
        var rest = frame.AsSpan(FrameWriter.WriteHeader(frame, FrameOpcode.Text, length));
        foreach (var part in (ReadOnlySpan<byte[]>)[start, PusherJson.BeforeChannel.ToArray(), spelling.ToArray(), PusherJson.End.ToArray()])
        {
            part.CopyTo(rest);
            rest = rest[part.Length..];
        }

        return frame;
    }

    private byte[] BuildStart()
    {
        var bytes = new ArrayBufferWriter<byte>(256);
        var type = publication.Draft.Type;
        if (publication.Draft.IsForMembers)
        {
            WriteMember(bytes, type == PresenceEvents.Joined);
            return bytes.WrittenSpan.ToArray();
        }

        PusherJson.WriteStart(bytes, type);
        if (catalog.IsFlat(publication.Channel, type))
        {
            var json = new ArrayBufferWriter<byte>(256);
            EventJson.Write(json, catalog, publication, form);
            WriteString(bytes, json.WrittenSpan);
        }
        else
        {
            WriteData(bytes, type, publication.PayloadOf(form).Span);
        }

        return bytes.WrittenSpan.ToArray();
    }

    /// <summary>Text goes through as it was given; other JSON as its text; what a client sent keeps its JSON type.</summary>
    private void WriteData(ArrayBufferWriter<byte> bytes, string type, ReadOnlySpan<byte> payload)
    {
        if (ClientEvents.IsOne(type))
        {
            if (ClientEvents.IsWrapped(publication)) ClientEvents.WriteUnwrapped(bytes, payload);
            else bytes.Write(payload.IsEmpty ? "null"u8 : payload);
        }
        else if (payload is [(byte)'"', ..])
        {
            bytes.Write(payload);
        }
        else
        {
            WriteString(bytes, payload.IsEmpty ? "null"u8 : payload);
        }
    }

    private void WriteMember(ArrayBufferWriter<byte> bytes, bool isJoined)
    {
        PusherJson.WriteStart(bytes, isJoined ? "pusher_internal:member_added" : "pusher_internal:member_removed");
        using var document = JsonDocument.Parse(publication.Draft.Payload);
        var member = document.RootElement.GetProperty("member");
        WriteString(bytes, PusherJson.Object(json =>
        {
            json.WriteString("user_id"u8, member.GetProperty("userId").GetString());
            if (!isJoined) return;
            json.WritePropertyName("user_info"u8);
            json.WriteRawValue(member.GetProperty("info").GetRawText(), skipInputValidation: true);
        }));
    }

    private FeedParts BuildFeed()
    {
        var json = new ArrayBufferWriter<byte>(256);
        var bytes = new ArrayBufferWriter<byte>(256);
        EventJson.WriteHead(json, publication);
        PusherJson.WriteStart(bytes, publication.Draft.Type);
        bytes.Write("\""u8);
        PusherJson.WriteInString(bytes, json.WrittenSpan);
        var head = bytes.WrittenSpan.ToArray();

        json.ResetWrittenCount();
        bytes.ResetWrittenCount();
        EventJson.WriteTail(json, catalog, publication, form, publication.FeedPosition);
        PusherJson.WriteInString(bytes, json.WrittenSpan);
        bytes.Write("\""u8);
        bytes.Write(PusherJson.BeforeChannel);
        return new FeedParts(head, bytes.WrittenSpan.ToArray());
    }

    private static void WriteString(ArrayBufferWriter<byte> bytes, ReadOnlySpan<byte> json)
    {
        bytes.Write("\""u8);
        PusherJson.WriteInString(bytes, json);
        bytes.Write("\""u8);
    }

    /// <summary>What comes before the name of the feed within the data, and what comes between it and the name as the client spells it.</summary>
    public sealed record FeedParts(byte[] Head, byte[] Middle)
    {
        /// <summary>Queues the event of a feed for one reader.</summary>
        public void Queue(Connection connection, ChannelName feed, ReadOnlySpan<byte> spelling)
        {
            var payload = Head.Length + feed.Value.Length + Middle.Length + spelling.Length + PusherJson.End.Length;
            var header = FrameWriter.HeaderLength(payload);
            var room = connection.TakeRoom(header + payload);
            FrameWriter.WriteHeader(room.Span, FrameOpcode.Text, payload);
            var rest = room.Span[header..];
            Head.CopyTo(rest);
            rest = rest[Head.Length..];
            rest = rest[Encoding.ASCII.GetBytes(feed.Value, rest)..];
            Middle.CopyTo(rest);
            rest = rest[Middle.Length..];
            spelling.CopyTo(rest);
            PusherJson.End.CopyTo(rest[spelling.Length..]);
            connection.QueueRoom(room);
        }
    }
}
