using Tidings.Realtime.Publications;

namespace Tidings.Realtime.Connections;

/// <summary>
/// Messages to bytes, one implementation per protocol. Stateless and safe for all threads, but for the two methods that take a
/// connection, which the connection's shard calls.
/// </summary>
internal interface IWireFormat
{
    /// <summary>A small number of its own, from 0: where publications keep their bytes for this format.</summary>
    int Slot { get; }

    /// <summary>The protocol's name in metrics, for example <c>websocket</c>.</summary>
    string Name { get; }

    /// <summary>Builds the bytes of a publication that all subscribers of this format share.</summary>
    EncodedPush EncodePush(Publication publication, PublicationForm form);

    /// <summary>
    /// Queues a publication for one subscription. The subscription's position is already that of the publication. Called on the
    /// connection's shard.
    /// </summary>
    void WritePush(Connection connection, Subscription subscription, Publication publication, EncodedPush push);

    /// <summary>Queues a reply or notice. Called on the connection's shard.</summary>
    void WriteMessage(Connection connection, ServerMessage message);

    /// <summary>
    /// Queues what the format has kept back for a connection, to put several events into one message. Called on the connection's shard
    /// before what is queued is written.
    /// </summary>
    void Release(Connection connection)
    {
    }

    /// <summary>The bytes that keep a silent connection alive, such as a WebSocket ping; empty if the protocol has none.</summary>
    ReadOnlyMemory<byte> Heartbeat { get; }

    /// <summary>What a peer answers that is there, whenever it is asked; empty if it can't be asked.</summary>
    ReadOnlyMemory<byte> Probe => Heartbeat;

    /// <summary>Whether clients of the protocol can't say what they saw last when they come back, so that the server remembers it for a while.</summary>
    bool TellsNoPlace => false;

    /// <summary>
    /// Whether the peer answers a heartbeat. If so it is sent to a peer that has been silent, and a missing answer closes the
    /// connection; if not it is sent when we have been silent ourselves.
    /// </summary>
    bool ExpectsAnswer { get; }

    /// <summary>
    /// Whether the peer sends signs of life unasked, so that its silence closes the connection though no answer to a heartbeat is expected.
    /// </summary>
    bool PeerSpeaksUnasked => false;
}

/// <summary>
/// The bytes of a publication in one wire format. What is in it is the format's own affair: a whole frame, or pieces that it puts a
/// subscription's own bytes between.
/// </summary>
internal abstract class EncodedPush
{
}
