using System.Text;
using Tidings.Protocols.WebSockets;
using Tidings.Realtime.Channels;
using Tidings.Realtime.Connections;
using Tidings.Realtime.Publications;

namespace Tidings.Protocols.Native;

/// <summary><c>tidings.v1</c> over WebSocket: one JSON object in one text frame.</summary>
internal sealed class NativeFormat(ChannelCatalog catalog) : IWireFormat, IEventFrame
{
    /// <inheritdoc />
    public int Slot => FormatSlots.Native;

    /// <inheritdoc />
    public string Name => "websocket";

    /// <inheritdoc />
    public ReadOnlyMemory<byte> Heartbeat => FrameWriter.Ping;

    /// <inheritdoc />
    public bool ExpectsAnswer => true;

    /// <inheritdoc />
    public EncodedPush EncodePush(Publication publication, PublicationForm form) => new EventPush(catalog, publication, form, this);

    /// <inheritdoc />
    public void WritePush(Connection connection, Subscription subscription, Publication publication, EncodedPush push)
    {
        var bytes = (EventPush)push;
        if (!subscription.IsFeed)
        {
            connection.Queue(bytes.Whole);
            return;
        }

        var parts = bytes.ForFeeds;
        var head = FeedHeadLength(parts, subscription.Channel);
        var room = connection.TakeRoom(head + parts.Tail.Length);
        WriteFeedHead(room.Span, parts, subscription.Channel);
        parts.Tail.Span.CopyTo(room.Span[head..]);
        connection.QueueRoom(room);
    }

    /// <inheritdoc />
    public void WriteMessage(Connection connection, ServerMessage message)
    {
        if (message is PongFrame pong)
        {
            connection.Queue(pong.Frame);
            return;
        }

        var json = MessageJson.Build(message, catalog);
        if (!json.IsEmpty) connection.Queue(FrameWriter.Text(json));
    }

    byte[] IEventFrame.Frame(Publication publication, ReadOnlySpan<byte> json) => FrameWriter.Text(json);

    EventPush.FeedParts IEventFrame.FrameParts(Publication publication, ReadOnlySpan<byte> head, ReadOnlySpan<byte> tail) =>
        new(head.ToArray(), tail.ToArray());

    /// <summary>How long <see cref="WriteFeedHead"/> will be.</summary>
    internal static int FeedHeadLength(EventPush.FeedParts parts, ChannelName feed) =>
        FrameWriter.HeaderLength(PayloadLength(parts, feed)) + parts.Head.Length + feed.Value.Length;

    /// <summary>Writes the frame's header, which depends on the name's length, the start of the JSON and the name.</summary>
    internal static void WriteFeedHead(Span<byte> into, EventPush.FeedParts parts, ChannelName feed)
    {
        var length = FrameWriter.WriteHeader(into, FrameOpcode.Text, PayloadLength(parts, feed));
        parts.Head.Span.CopyTo(into[length..]);
        Encoding.ASCII.GetBytes(feed.Value, into[(length + parts.Head.Length)..]);
    }

    private static long PayloadLength(EventPush.FeedParts parts, ChannelName feed) => (long)parts.Head.Length + feed.Value.Length + parts.Tail.Length;
}

/// <summary>The answer to a ping frame, on its way through the connection's one queue.</summary>
internal sealed record PongFrame(ReadOnlyMemory<byte> Frame) : ServerMessage;
