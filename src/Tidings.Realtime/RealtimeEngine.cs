using Tidings.Realtime.Channels;
using Tidings.Realtime.Commands;
using Tidings.Realtime.Connections;
using Tidings.Realtime.Publications;

namespace Tidings.Realtime;

/// <summary>The engine: connections in, publications through.</summary>
public sealed class RealtimeEngine
{
    public ChannelCatalog Catalog => throw new NotImplementedException();
    public RealtimeOptions Options => throw new NotImplementedException();
    /// <summary>Opens a connection for a client that has been authenticated; sends ConnectedMessage first. Null if refused (limits, draining), with the reason.</summary>
    public Connection? TryConnect(ClientIdentity identity, IWireFormat format, ITransport transport, object? protocolState, out CloseReason? refusal) => throw new NotImplementedException();
    /// <summary>Runs one command of a client. Commands of one connection are run one after the other by their adapter. Never throws for a client's mistake: answers with ErrorMessage.</summary>
    public ValueTask HandleAsync(Connection connection, ClientCommand command, CancellationToken cancellationToken) => throw new NotImplementedException();
    /// <summary>For SSE and polling: the check alone.</summary>
    public ValueTask<ChannelGrant> AuthorizeAsync(ClientIdentity identity, ChannelName channel, string? token, CancellationToken cancellationToken) => throw new NotImplementedException();
    /// <summary>For SSE and polling: subscribes with a grant that AuthorizeAsync gave. Completes when SubscribedMessage and the replay have been given to the wire format.</summary>
    public ValueTask SubscribeAsync(Connection connection, SubscribeCommand command, ChannelGrant grant, CancellationToken cancellationToken) => throw new NotImplementedException();
    /// <summary>Publishes for a publisher without a transaction: durable channels through the log, others from memory.</summary>
    public ValueTask<Publication> PublishAsync(PublicationDraft draft, CancellationToken cancellationToken) => throw new NotImplementedException();
}
