namespace Tidings.Realtime.Connections;

/// <summary>
/// Bytes out, and a close with a code. The engine calls <see cref="WriteAsync"/> from one loop per connection, never twice at a time,
/// and <see cref="CloseAsync"/> once, after the last write has ended or was abandoned.
/// </summary>
public interface ITransport
{
    /// <summary>
    /// Writes these pieces in this order. Completes when the bytes are out of our hands; a peer that does not read holds it up.
    /// Throws when the peer is gone.
    /// </summary>
    ValueTask WriteAsync(IReadOnlyList<ReadOnlyMemory<byte>> pieces, CancellationToken cancellationToken);

    /// <summary>Says goodbye with the code and the reason of the protocol, then ends the link within a bounded time. Does not throw.</summary>
    /// <param name="reason">Why.</param>
    /// <param name="writable">False when a write was abandoned half way, so that nothing more can be said.</param>
    ValueTask CloseAsync(CloseReason reason, bool writable);
}
