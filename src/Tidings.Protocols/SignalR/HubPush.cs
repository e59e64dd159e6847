using Tidings.Protocols.Native;
using Tidings.Realtime.Channels;
using Tidings.Realtime.Connections;
using Tidings.Realtime.Publications;

namespace Tidings.Protocols.SignalR;

/// <summary>
/// One publication in one form as two calls: <c>receive(event)</c>, and one under its own name, which for a host app's own event has the
/// data alone. Each is built on first use and shared by all readers.
/// </summary>
internal sealed class HubPush(ChannelCatalog catalog, Publication publication, PublicationForm form, IHubEncoding encoding) : EncodedPush
{
    private readonly EventPush _receive = new(catalog, publication, form, encoding.Receive);
    private readonly EventPush? _named = catalog.IsFlat(publication.Channel, publication.Draft.Type)
        ? new EventPush(catalog, publication, form, encoding.Named)
        : null;

    private byte[]? _data;

    /// <summary>Queues what a client wants of it.</summary>
    public void Write(Connection connection, Subscription subscription)
    {
        var client = (HubClient)connection.ProtocolState!;
        if (client.WantsReceive) Write(_receive, connection, subscription);
        if (!client.WantsNamed) return;
        if (_named is not null) Write(_named, connection, subscription);
        else connection.Queue(_data ??= encoding.Invocation(publication.Draft.Type, Data()));
    }

    private void Write(EventPush push, Connection connection, Subscription subscription)
    {
        if (!subscription.IsFeed)
        {
            connection.Queue(push.Whole);
            return;
        }

        var room = connection.TakeRoom(encoding.FeedLength(push.ForFeeds, subscription.Channel));
        encoding.WriteFeed(room.Span, push.ForFeeds, subscription.Channel);
        connection.QueueRoom(room);
    }

    private ReadOnlySpan<byte> Data()
    {
        var payload = publication.PayloadOf(form).Span.Trim(" \t\r\n"u8);
        return payload.IsEmpty ? "null"u8 : payload;
    }
}
