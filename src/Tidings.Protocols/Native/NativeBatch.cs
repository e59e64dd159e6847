using Tidings.Protocols.WebSockets;
using Tidings.Realtime.Channels;
using Tidings.Realtime.Connections;
using Tidings.Realtime.Publications;

namespace Tidings.Protocols.Native;

/// <summary>
/// <c>tidings.v1</c> for a client that asked for <c>batch=1</c>: events that wait together are one message,
/// <c>{"type":"batch","events":[…]}</c>; an event that is alone, and every reply, is a message of its own, in the one order.
/// </summary>
internal sealed class NativeBatchFormat(ChannelCatalog catalog) : IWireFormat
{
    private readonly NativeFormat _single = new(catalog);

    /// <inheritdoc />
    public int Slot => _single.Slot;

    /// <inheritdoc />
    public string Name => _single.Name;

    /// <inheritdoc />
    public ReadOnlyMemory<byte> Heartbeat => _single.Heartbeat;

    /// <inheritdoc />
    public bool ExpectsAnswer => true;

    /// <inheritdoc />
    public EncodedPush EncodePush(Publication publication, PublicationForm form) => _single.EncodePush(publication, form);

    /// <inheritdoc />
    public void WritePush(Connection connection, Subscription subscription, Publication publication, EncodedPush push)
    {
        var bytes = (EventPush)push;
        if (!BatchOf(connection).TryAdd(bytes, subscription))
        {
            Release(connection);
            if (!BatchOf(connection).TryAdd(bytes, subscription))
            {
                _single.WritePush(connection, subscription, publication, push);
                return;
            }
        }

        connection.Touch();
    }

    /// <inheritdoc />
    public void WriteMessage(Connection connection, ServerMessage message)
    {
        Release(connection);
        _single.WriteMessage(connection, message);
    }

    /// <inheritdoc />
    public void Release(Connection connection)
    {
        var batch = BatchOf(connection);
        if (batch.Count > 0) connection.Queue(batch.Take());
    }

    private static NativeBatch BatchOf(Connection connection) => (NativeBatch)connection.ProtocolState!;
}

/// <summary>The events that wait to become one message of one connection. Shard only.</summary>
/// <param name="mostBytes">The most bytes of one message.</param>
internal sealed class NativeBatch(int mostBytes)
{
    private readonly List<(EventPush Push, ChannelName? Feed)> _events = [];
    private int _bytes;

    private static ReadOnlySpan<byte> Opening => "{\"type\":\"batch\",\"events\":["u8;

    private static ReadOnlySpan<byte> Closing => "]}"u8;

    /// <summary>How many wait.</summary>
    public int Count => _events.Count;

    /// <summary>Adds an event, unless the message would become too big.</summary>
    public bool TryAdd(EventPush push, Subscription subscription)
    {
        var feed = subscription.IsFeed ? subscription.Channel : null;
        var length = LengthOf(push, feed) + 1;
        if (_bytes + length > mostBytes) return false;
        _bytes += length;
        _events.Add((push, feed));
        return true;
    }

    /// <summary>The message's frame; from here on nothing waits.</summary>
    public ReadOnlyMemory<byte> Take()
    {
        var frame = _events is [var (push, feed)] && feed is null ? push.Whole : Build();
        _events.Clear();
        _bytes = 0;
        return frame;
    }

    private static int LengthOf(EventPush push, ChannelName? feed) =>
        feed is null ? push.WholeJson.Length : push.ForFeeds.Head.Length + feed.Value.Length + push.ForFeeds.Tail.Length;

    private byte[] Build()
    {
        var isBatch = _events.Count > 1;
        var payload = _bytes - 1 + (isBatch ? Opening.Length + Closing.Length : 0); // one comma fewer than events
        var frame = new byte[FrameWriter.HeaderLength(payload) + payload];
        var at = FrameWriter.WriteHeader(frame, FrameOpcode.Text, payload);
        if (isBatch) Put(Opening);
        for (var index = 0; index < _events.Count; index++)
        {
            if (index > 0) Put(","u8);
            var (push, feed) = _events[index];
            if (feed is null)
            {
                Put(push.WholeJson.Span);
                continue;
            }

            Put(push.ForFeeds.Head.Span);
            at += System.Text.Encoding.ASCII.GetBytes(feed.Value, frame.AsSpan(at));
            Put(push.ForFeeds.Tail.Span);
        }

        if (isBatch) Put(Closing);
        return frame;

        void Put(ReadOnlySpan<byte> bytes)
        {
            bytes.CopyTo(frame.AsSpan(at));
            at += bytes.Length;
        }
    }
}
