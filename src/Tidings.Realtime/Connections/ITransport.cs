namespace Tidings.Realtime.Connections;

/// <summary>
/// Bytes out, and a close with a code. The engine calls <see cref="TryWrite"/> and <see cref="WriteAsync"/> one at a time, never while a
/// write is under way, and <see cref="CloseAsync"/> once, after the last write has ended or was abandoned.
/// </summary>
internal interface ITransport
{
    /// <summary>Whether <see cref="TryWrite"/> does anything, so that bytes are worth being laid side by side for it.</summary>
    bool WritesAtOnce => false;

    /// <summary>
    /// Writes what can be written without waiting. The bytes are not kept: they may change as soon as it returns.
    /// </summary>
    /// <returns>How many bytes were taken, 0 if none can be taken now; negative if the peer is gone.</returns>
    int TryWrite(ReadOnlySpan<byte> bytes) => 0;

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
