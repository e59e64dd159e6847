using System.Buffers;
using System.IO.Pipelines;
using System.Runtime.InteropServices;

namespace Tidings.Protocols.WebSockets;

/// <summary>
/// A client's messages, one after the other, parsed where they were received. While the client is silent it holds no buffer. One
/// reader at a time.
/// </summary>
internal sealed class WebSocketReceiver(PipeReader input, int maxMessageBytes) : IDisposable
{
    private readonly FrameReader _frames = new(maxMessageBytes);
    private TaskCompletionSource? _ended; // made when somebody asks, or at the end
    private bool _hasEnded;
    private ReadOnlySequence<byte> _received;
    private SequencePosition _next;
    private Memory<byte> _unread;
    private bool _isHolding;
    private bool _isDisposed;

    /// <summary>Completes when the peer has said goodbye or is gone.</summary>
    public Task Ended => EndedSource().Task;

    /// <summary>The peer's close, once it has come.</summary>
    public InboundMessage? PeerClose { get; private set; }

    /// <summary>Whether a message has begun and is not complete.</summary>
    public bool IsMidMessage => _frames.IsMidMessage;

    /// <summary>From now on only the peer's close is of interest.</summary>
    public void SkipAll() => _frames.SkipsAll = true;

    /// <summary>The next thing the client says. A cancelled wait loses nothing. Never throws for what a peer does.</summary>
    public async ValueTask<InboundMessage> ReceiveAsync(CancellationToken cancellationToken)
    {
        if (_hasEnded) return new(InboundKind.End);
        if (TryReadFrame(out var message)) return Note(message);

        try
        {
            GiveBack();
            var result = await input.ReadAsync(cancellationToken);
            _received = result.Buffer;
            _next = _received.Start;
            _isHolding = true;
            if (_received.IsEmpty && result.IsCompleted) return Note(new(InboundKind.End));
        }
        catch (Exception exception) when (exception is IOException or ObjectDisposedException or InvalidOperationException)
        {
            return Note(new(InboundKind.End)); // reset, or aborted by us
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            return Note(new(InboundKind.End)); // the request was aborted
        }

        return TryReadFrame(out message) ? Note(message) : new(InboundKind.Partial);
    }

    /// <summary>Gives back what it holds. Call it when nobody reads any more.</summary>
    public void Dispose()
    {
        if (_isDisposed) return;
        _isDisposed = true;
        End();
        _frames.Dispose();
        GiveBack();
    }

    private bool TryReadFrame(out InboundMessage message)
    {
        while (!_frames.TryRead(ref _unread, out message))
        {
            // What was received is ours alone until it is given back, so frames are unmasked where they lie.
            if (!_isHolding || !_received.TryGet(ref _next, out var segment)) return false;
            _unread = MemoryMarshal.AsMemory(segment);
        }

        return true;
    }

    private InboundMessage Note(InboundMessage message)
    {
        if (message.Kind == InboundKind.Close) PeerClose = message;
        if (_frames.HasEnded || message.Kind == InboundKind.End) End();
        return message;
    }

    private void End()
    {
        _hasEnded = true;
        EndedSource().TrySetResult();
    }

    private TaskCompletionSource EndedSource() =>
        LazyInitializer.EnsureInitialized(ref _ended, static () => new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously));

    private void GiveBack()
    {
        if (!_isHolding) return;
        _isHolding = false;
        _unread = default;
        var end = _received.End;
        _received = default;
        _next = default;
        input.AdvanceTo(end);
    }
}
