using Tidings.Realtime.Publications;

namespace Tidings.Realtime.Brokers;

/// <summary>What one node sends to the others in one go. <see cref="BusCodec"/> has its bytes.</summary>
/// <param name="Node">The node that sent it, by a name that no process before or beside it has.</param>
/// <param name="Number">Rises with each message of the node, so that one that comes by two ways is taken once.</param>
/// <param name="Publications">In the order in which they were carried.</param>
/// <param name="Control">What it tells besides.</param>
internal sealed record BusMessage(
    string Node, long Number, IReadOnlyList<Publication> Publications, IReadOnlyList<ControlMessage> Control)
{
    /// <summary>How many parts were of a kind, or had a content, that this version does not know; it passes them over.</summary>
    public int Skipped { get; init; }
}

/// <summary>What became of bytes that arrived.</summary>
internal enum BusVerdict
{
    /// <summary>They are a message.</summary>
    Message,

    /// <summary>They are a message of a version that this one cannot read.</summary>
    OtherVersion,

    /// <summary>They are no message.</summary>
    Malformed,
}
