using System.Buffers;
using System.IO.Pipelines;
using Tidings.Realtime.Connections;

namespace Tidings.Protocols.Sse;

/// <summary>Bytes out over the body of one response; a flush each, so that nothing is kept back.</summary>
internal sealed class SseTransport(PipeWriter body, bool namesEvents, Action abort, TimeSpan closeTimeout, TimeProvider clock) : ITransport
{
    /// <inheritdoc />
    public async ValueTask WriteAsync(IReadOnlyList<ReadOnlyMemory<byte>> pieces, CancellationToken cancellationToken)
    {
        for (var index = 0; index < pieces.Count; index++) body.Write(pieces[index].Span);
        var flushed = await body.FlushAsync(cancellationToken);
        if (flushed.IsCompleted) throw new IOException("The client is gone.");
    }

    /// <inheritdoc />
    public async ValueTask CloseAsync(CloseReason reason, bool writable)
    {
        if (!writable)
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
