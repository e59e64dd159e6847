using Tidings.Realtime.Publications;
using Tidings.Realtime.Channels;

namespace Tidings.Realtime.Connections;

/// <summary>One client's live link, whatever its transport and protocol.</summary>
public sealed class Connection
{
    public string Id => throw new NotImplementedException();
    public ClientIdentity Identity => throw new NotImplementedException();
    public IWireFormat Format => throw new NotImplementedException();
    /// <summary>For the wire format's own use; set when the connection is opened.</summary>
    public object? ProtocolState => throw new NotImplementedException();
    /// <summary>Shard only.</summary>
    public IReadOnlyList<Subscription> Subscriptions => throw new NotImplementedException();
    /// <summary>Queues bytes (never copied). Shard only; formats call it.</summary>
    public void Queue(ReadOnlyMemory<byte> bytes) => throw new NotImplementedException();
    /// <summary>Any thread: bytes arrived from the peer.</summary>
    public void MarkAlive() => throw new NotImplementedException();
    /// <summary>Any thread: posts a message through the connection's shard.</summary>
    public void Send(ServerMessage message) => throw new NotImplementedException();
    /// <summary>Any thread, idempotent: ends subscriptions, lets what is queued go out, then ITransport.CloseAsync(reason).</summary>
    public void Close(CloseReason reason) => throw new NotImplementedException();
    /// <summary>Completes when the transport has been closed and nothing will be written any more.</summary>
    public Task<CloseReason> Completion => throw new NotImplementedException();
}

/// <summary>One channel on one connection. Touched only on the connection's shard.</summary>
public sealed class Subscription
{
    public ChannelName Channel => throw new NotImplementedException();
    /// <summary>The place of the last event delivered.</summary>
    public Position Position => throw new NotImplementedException();
    public bool IsFeed => throw new NotImplementedException();
}
