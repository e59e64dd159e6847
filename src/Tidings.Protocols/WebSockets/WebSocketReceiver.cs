using System.Buffers;

namespace Tidings.Protocols.WebSockets;

/// <summary>
/// A client's messages, one after the other, from a stream. While the client is silent it holds no buffer: it waits with an empty
/// read and rents one only when there is something to read. One reader at a time.
/// </summary>
internal sealed class WebSocketReceiver(Stream stream, int maxMessageBytes) : IDisposable
{
    private const int BufferBytes = 4096;

    private readonly TaskCompletionSource _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly FrameReader _frames = new(maxMessageBytes);
    private byte[]? _buffer;
    private Memory<byte> _unread;

    /// <summary>Completes when the peer has said goodbye or is gone.</summary>
    public Task Ended => _ended.Task;

    /// <summary>The peer's close, once it has come.</summary>
    public InboundMessage? PeerClose { get; private set; }

    /// <summary>Whether a message has begun and is not complete.</summary>
    public bool IsMidMessage => _frames.IsMidMessage;

    /// <summary>From now on only the peer's close is of interest.</summary>
    public void SkipAll() => _frames.SkipsAll = true;

    /// <summary>The next thing the client says. A cancelled wait loses nothing. Never throws for what a peer does.</summary>
    public async ValueTask<InboundMessage> ReceiveAsync(CancellationToken cancellationToken)
    {
        if (_ended.Task.IsCompleted) return new(InboundKind.End);
        if (_frames.TryRead(ref _unread, out var message)) return Note(message);

        try
        {
            ReleaseBuffer();
#pragma warning disable CA2022 // An empty read only waits.
            await stream.ReadAsync(Memory<byte>.Empty, cancellationToken);
#pragma warning restore CA2022
            var buffer = _buffer = ArrayPool<byte>.Shared.Rent(BufferBytes);
            var count = await stream.ReadAsync(buffer, cancellationToken);
            if (count == 0) return Note(new(InboundKind.End));
            _unread = buffer.AsMemory(0, count);
        }
        catch (Exception exception) when (exception is IOException or ObjectDisposedException or InvalidOperationException)
        {
            return Note(new(InboundKind.End)); // reset, or aborted by us
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            return Note(new(InboundKind.End)); // the request was aborted
        }

        return _frames.TryRead(ref _unread, out message) ? Note(message) : new(InboundKind.Partial);
    }

    /// <summary>Gives back what it holds. Call it when nobody reads any more.</summary>
    public void Dispose()
    {
        _ended.TrySetResult();
        _unread = default;
        _frames.Dispose();
        ReleaseBuffer();
    }

    private InboundMessage Note(InboundMessage message)
    {
        if (message.Kind == InboundKind.Close) PeerClose = message;
        if (_frames.HasEnded || message.Kind == InboundKind.End) _ended.TrySetResult();
        return message;
    }

    private void ReleaseBuffer()
    {
        if (_buffer is { } buffer) ArrayPool<byte>.Shared.Return(buffer);
        _buffer = null;
    }
}
