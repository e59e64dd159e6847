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
        connection.Queue(FeedHead(parts, subscription.Channel));
        connection.Queue(parts.Tail);
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

    /// <summary>The frame's header, which depends on the name's length, the start of the JSON and the name.</summary>
    internal static byte[] FeedHead(EventPush.FeedParts parts, ChannelName feed)
    {
        long payload = parts.Head.Length + feed.Value.Length + parts.Tail.Length;
        var head = new byte[FrameWriter.HeaderLength(payload) + parts.Head.Length + feed.Value.Length];
        var length = FrameWriter.WriteHeader(head, FrameOpcode.Text, payload);
        parts.Head.Span.CopyTo(head.AsSpan(length));
        Encoding.ASCII.GetBytes(feed.Value, head.AsSpan(length + parts.Head.Length));
        return head;
    }
}

/// <summary>The answer to a ping frame, on its way through the connection's one queue.</summary>
internal sealed record PongFrame(ReadOnlyMemory<byte> Frame) : ServerMessage;
