using System.Buffers;
using Tidings.Realtime.Connections;

namespace Tidings.Protocols.WebSockets;

/// <summary>
/// Frames out, over the stream of an upgraded request. What waits together goes out as one write; the stream flushes each.
/// </summary>
/// <param name="stream">The upgraded stream.</param>
/// <param name="receiver">Hears the peer's close.</param>
/// <param name="abort">Cuts the link without a word.</param>
/// <param name="closeTimeout">How long saying goodbye may take: the write, then the peer's answer.</param>
/// <param name="clock">The time.</param>
internal sealed class WebSocketTransport(
    Stream stream, WebSocketReceiver receiver, Action abort, TimeSpan closeTimeout, TimeProvider clock) : ITransport
{
    private const int LargestCopy = 64 * 1024;

    private volatile bool _isClosing;

    /// <summary>Whether the goodbye has begun: what the peer still says, but for its close, is passed over.</summary>
    public bool IsClosing => _isClosing;

    /// <inheritdoc />
    public ValueTask WriteAsync(IReadOnlyList<ReadOnlyMemory<byte>> pieces, CancellationToken cancellationToken) =>
        pieces.Count == 1 ? stream.WriteAsync(pieces[0], cancellationToken) : WriteTogetherAsync(pieces, cancellationToken);

    /// <inheritdoc />
    public async ValueTask CloseAsync(CloseReason reason, bool writable)
    {
        _isClosing = true;
        if (!writable)
        {
            abort();
            return;
        }

        try
        {
            using var limit = new CancellationTokenSource(closeTimeout, clock);
            await stream.WriteAsync(CloseFrame(reason), limit.Token);
            // The code arrives only if we go on reading until the peer has answered: unread bytes would turn the end into a reset.
            await receiver.Ended.WaitAsync(limit.Token);
        }
        catch (Exception exception) when (exception is IOException or OperationCanceledException or ObjectDisposedException or InvalidOperationException)
        {
            abort();
        }
    }

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
                    await stream.WriteAsync(buffer.AsMemory(0, filled), cancellationToken);
                    filled = 0;
                }

                if (piece.Length > buffer.Length)
                {
                    await stream.WriteAsync(piece, cancellationToken);
                    continue;
                }

                piece.CopyTo(buffer.AsMemory(filled));
                filled += piece.Length;
            }

            if (filled > 0) await stream.WriteAsync(buffer.AsMemory(0, filled), cancellationToken);
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }
}
