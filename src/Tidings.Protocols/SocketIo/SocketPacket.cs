namespace Tidings.Protocols.SocketIo;

/// <summary>The types of Socket.IO packets, by their digit.</summary>
internal enum SocketPacketType
{
    Connect,
    Disconnect,
    Event,
    Ack,
    ConnectError,
    BinaryEvent,
    BinaryAck,
}

/// <summary>One packet of a client, checked.</summary>
/// <param name="Type">What it is.</param>
/// <param name="Namespace">Whose it is; <c>/</c> for the main one.</param>
/// <param name="Id">The number under which the client wants an answer, or answers; null for none.</param>
/// <param name="Attachments">How many binary messages follow.</param>
/// <param name="Payload">Its JSON as sent, empty if there is none.</param>
/// <param name="Name">The event's name; null for other types.</param>
/// <param name="Arguments">The arguments, each as its JSON: of an event without its name.</param>
internal sealed record SocketPacket(
    SocketPacketType Type,
    string Namespace,
    long? Id,
    int Attachments,
    ReadOnlyMemory<byte> Payload,
    string? Name,
    IReadOnlyList<ReadOnlyMemory<byte>> Arguments)
{
    /// <summary>The binary messages that belong to it.</summary>
    public IReadOnlyList<byte[]> Binaries { get; init; } = [];
}
