using System.Buffers;
using Tidings.Realtime.Connections;

namespace Tidings.Protocols.WebSockets;

/// <summary>Frames out, and the closing handshake of RFC 6455, section 7. How bytes leave is the derived class's affair.</summary>
/// <param name="receiver">Hears the peer's close.</param>
/// <param name="closeTimeout">How long saying goodbye may take: the write, then the peer's answer.</param>
/// <param name="clock">The time.</param>
internal abstract class WebSocketTransport(WebSocketReceiver receiver, TimeSpan closeTimeout, TimeProvider clock) : ITransport
{
    private const int LargestCopy = 64 * 1024;

    /// <inheritdoc />
    public virtual bool WritesAtOnce => false;

    /// <inheritdoc />
    public virtual int TryWrite(ReadOnlySpan<byte> bytes) => 0;

    /// <inheritdoc />
    public ValueTask WriteAsync(IReadOnlyList<ReadOnlyMemory<byte>> pieces, CancellationToken cancellationToken) =>
        pieces.Count == 1 ? SendAsync(pieces[0], cancellationToken) : WriteTogetherAsync(pieces, cancellationToken);

    /// <inheritdoc />
    public async ValueTask CloseAsync(CloseReason reason, bool writable)
    {
        if (!writable || reason == CloseReason.Lost)
        {
            Abort();
            return;
        }

        try
        {
            using var limit = new CancellationTokenSource(closeTimeout, clock);
            await SendAsync(CloseFrame(reason), limit.Token);
            // The code arrives only if we go on reading until the peer has answered: unread bytes would turn the end into a reset.
            await receiver.Ended.WaitAsync(limit.Token);
        }
        catch (Exception exception) when (exception is IOException or OperationCanceledException or ObjectDisposedException or InvalidOperationException)
        {
            Abort();
        }
    }

    /// <summary>Completes when all bytes are out of our hands. Throws an <see cref="IOException"/> when the peer is gone.</summary>
    protected abstract ValueTask SendAsync(ReadOnlyMemory<byte> bytes, CancellationToken cancellationToken);

    /// <summary>Cuts the link without a word.</summary>
    protected abstract void Abort();

    /// <summary>Each side sends one close frame. To the peer's we answer with its own code, unless we had a reason first.</summary>
    private byte[] CloseFrame(CloseReason reason) => receiver.PeerClose switch
    {
        { Code: 0 } when reason == CloseReason.Normal => FrameWriter.EmptyClose(),
        { Code: var code } when reason == CloseReason.Normal => FrameWriter.Close(code, ""),
        _ => FrameWriter.Close(reason.Code, reason.Reason),
    };

    private async ValueTask WriteTogetherAsync(IReadOnlyList<ReadOnlyMemory<byte>> pieces, CancellationToken cancellationToken)
    {
        var total = 0L;
        for (var index = 0; index < pieces.Count; index++) total += pieces[index].Length;

        var buffer = ArrayPool<byte>.Shared.Rent((int)Math.Min(total, LargestCopy));
        try
        {
            var filled = 0;
            for (var index = 0; index < pieces.Count; index++)
            {
                var piece = pieces[index];
                if (piece.Length > buffer.Length - filled)
                {
                    await SendAsync(buffer.AsMemory(0, filled), cancellationToken);
                    filled = 0;
                }

                if (piece.Length > buffer.Length)
                {
                    await SendAsync(piece, cancellationToken);
                    continue;
                }

                piece.CopyTo(buffer.AsMemory(filled));
                filled += piece.Length;
            }

            if (filled > 0) await SendAsync(buffer.AsMemory(0, filled), cancellationToken);
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }
}
