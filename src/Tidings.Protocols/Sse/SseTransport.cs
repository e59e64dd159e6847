using System.Buffers;
using System.IO.Pipelines;
using Tidings.Realtime.Connections;

namespace Tidings.Protocols.Sse;

/// <summary>Bytes out over the body of one response; a flush each, so that nothing is kept back.</summary>
internal sealed class SseTransport(PipeWriter body, bool namesEvents, Action abort, TimeSpan closeTimeout, TimeProvider clock) : ITransport
{
    private bool _isMidEvent;

    /// <inheritdoc />
    public async ValueTask WriteAsync(IReadOnlyList<ReadOnlyMemory<byte>> pieces, CancellationToken cancellationToken)
    {
        for (var index = 0; index < pieces.Count; index++) body.Write(pieces[index].Span);
        _isMidEvent = !pieces[^1].Span.EndsWith("\n\n"u8);
        var flushed = await body.FlushAsync(cancellationToken);
        if (flushed.IsCompleted) throw new IOException("The client is gone.");
    }

    /// <inheritdoc />
    public async ValueTask CloseAsync(CloseReason reason, bool writable)
    {
        // Who is cut as too slow may have got the beginning of an event. What came behind it, the closing event too, would be read as more
        // of it; left without its empty line it is thrown away, and comes again.
        if (!writable || _isMidEvent)
        {
            abort();
            return;
        }

        if (reason == CloseReason.Normal) return; // the client left; there is nobody to tell
        try
        {
            using var limit = new CancellationTokenSource(closeTimeout, clock);
            await WriteAsync([SseFormat.Closing(reason, namesEvents)], limit.Token);
        }
        catch (Exception exception) when (exception is IOException or OperationCanceledException or ObjectDisposedException or InvalidOperationException)
        {
            abort();
        }
    }
}
