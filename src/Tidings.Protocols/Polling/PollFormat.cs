using System.Buffers;
using System.Text;
using Tidings.Protocols.Native;
using Tidings.Realtime.Channels;
using Tidings.Realtime.Connections;
using Tidings.Realtime.Publications;

namespace Tidings.Protocols.Polling;

/// <summary>The native protocol's messages for long polling: collected on the shard, written by the request.</summary>
internal sealed class PollFormat(ChannelCatalog catalog) : IWireFormat, IEventFrame
{
    /// <inheritdoc />
    public int Slot => FormatSlots.Poll;

    /// <inheritdoc />
    public string Name => "poll";

    /// <inheritdoc />
    public ReadOnlyMemory<byte> Heartbeat => default;

    /// <inheritdoc />
    public bool ExpectsAnswer => false;

    /// <inheritdoc />
    public EncodedPush EncodePush(Publication publication, PublicationForm form) => new EventPush(catalog, publication, form, this);

    /// <inheritdoc />
    public void WritePush(Connection connection, Subscription subscription, Publication publication, EncodedPush push)
    {
        var bytes = (EventPush)push;
        ((PollCollector)connection.ProtocolState!).Add(
            subscription.IsFeed ? Join(bytes.ForFeeds, subscription.Channel) : bytes.Whole, subscription.Channel, subscription.Position);
    }

    /// <inheritdoc />
    public void WriteMessage(Connection connection, ServerMessage message)
    {
        var collector = (PollCollector)connection.ProtocolState!;
        switch (message)
        {
            case SubscribedMessage subscribed:
                collector.Begin(subscribed);
                break;

            case UnsubscribedMessage:
                collector.AddNotice(MessageJson.Build(message, catalog).ToArray());
                break;

            case ErrorMessage:
                collector.Fail();
                break;
        }
    }

    byte[] IEventFrame.Frame(Publication publication, ReadOnlySpan<byte> json) => json.ToArray();

    EventPush.FeedParts IEventFrame.FrameParts(Publication publication, ReadOnlySpan<byte> head, ReadOnlySpan<byte> tail) =>
        new(head.ToArray(), tail.ToArray());

    private static ReadOnlyMemory<byte> Join(EventPush.FeedParts parts, ChannelName feed)
    {
        var json = new ArrayBufferWriter<byte>(parts.Head.Length + feed.Value.Length + parts.Tail.Length);
        json.Write(parts.Head.Span);
        Encoding.ASCII.GetBytes(feed.Value, json);
        json.Write(parts.Tail.Span);
        return json.WrittenMemory;
    }
}
