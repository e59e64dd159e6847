using System.Buffers;
using Tidings.Protocols.WebSockets;
using Tidings.Realtime.Connections;

namespace Tidings.Protocols.EngineIo;

/// <summary>
/// The way out of one session, whichever transport is live. What waits is kept as WebSocket frames, the form that both transports can be
/// made of: a poll takes their payloads, a socket takes them as they are, so that at the switch nothing is lost, doubled or reordered.
/// Two write here, the session itself and the connection behind it; never one in the midst of the other's frame. Safe for all threads.
/// </summary>
/// <param name="settings">The limits.</param>
/// <param name="clock">The time.</param>
internal sealed class EngineOutbox(EngineIoSettings settings, TimeProvider clock)
{
    /// <summary>How much waits for a poll before the connection behind has to wait, which then counts it against its own limit.</summary>
    private const int MostPolled = 64 * 1024;

    private const int LargestBody = 1024 * 1024;

    private readonly Lock _gate = new();
    private List<ReadOnlyMemory<byte>> _waiting = [];
    private long _bytes;
    private WebSocketTransport? _socket;
    private PollWaiter? _poll;
    private TaskCompletionSource? _turn;
    private bool _isWriting;
    private bool _isOwing; // a part of a frame is out, and who wrote it has the rest
    private bool _isEnded;
    private bool _isBroken;

    /// <summary>Whether the session is on a WebSocket.</summary>
    public bool IsOnSocket => Volatile.Read(ref _socket) is not null;

    /// <summary>Whether <see cref="TryWrite"/> does anything.</summary>
    public bool WritesAtOnce => Volatile.Read(ref _socket) is not { } socket || socket.WritesAtOnce;

    /// <summary>Sends frames of the session's own as one unit.</summary>
    /// <returns>False if more would wait than may.</returns>
    public bool TrySend(ReadOnlyMemory<byte> frames)
    {
        lock (_gate)
        {
            if (_isEnded || _isBroken) return true;
            if (_bytes + frames.Length > settings.OutboundBytes) return false;
            Add(frames);
            return true;
        }
    }

    /// <summary>Writes whole frames of the connection behind, or the beginning of them. The bytes are not kept.</summary>
    /// <returns>As <see cref="ITransport.TryWrite"/>.</returns>
    public int TryWrite(ReadOnlySpan<byte> frames)
    {
        lock (_gate)
        {
            if (_isEnded || _isBroken) return -1;
            if (_socket is null)
            {
                if (!HasRoomFor(frames.Length)) return 0;
                Add(frames.ToArray());
                return frames.Length;
            }

            if (_isWriting || _isOwing || _waiting.Count > 0) return 0;
            var written = _socket.TryWrite(frames);
            if (written > 0 && written < frames.Length) _isOwing = true;
            return written;
        }
    }

    /// <summary>Writes frames of the connection behind, and the rest of one that was begun.</summary>
    public async ValueTask WriteAsync(IReadOnlyList<ReadOnlyMemory<byte>> pieces, CancellationToken cancellationToken)
    {
        WebSocketTransport socket;
        while (true)
        {
            Task turn;
            lock (_gate)
            {
                if (_isEnded || _isBroken) throw new IOException("The session is over.");
                if (_socket is null)
                {
                    if (TryKeep(pieces)) return;
                }
                else if (!_isWriting && (_isOwing || _waiting.Count == 0))
                {
                    _isWriting = true;
                    socket = _socket;
                    break;
                }

                turn = NextTurn();
            }

            await turn.WaitAsync(cancellationToken);
        }

        var isWritten = false;
        try
        {
            await socket.WriteAsync(pieces, cancellationToken);
            isWritten = true;
        }
        finally
        {
            lock (_gate)
            {
                (_isWriting, _isOwing) = (false, false);
                if (!isWritten) _isBroken = true;
                Pump();
                PassTurn();
            }
        }
    }

    /// <summary>Takes what waits for a poll, or holds the poll.</summary>
    /// <returns>The poll to wait for; null if there is something, which is in <paramref name="body"/>.</returns>
    public PollWaiter? Poll(ArrayBufferWriter<byte> body, bool isDuringUpgrade)
    {
        lock (_gate)
        {
            Take(body);
            if (body.WrittenCount > 0 || _isEnded) return null;
            return _poll = new PollWaiter(isDuringUpgrade);
        }
    }

    /// <summary>What waits, for a poll that was held.</summary>
    public void TakeInto(ArrayBufferWriter<byte> body)
    {
        lock (_gate) Take(body);
    }

    /// <summary>Lets a held poll go.</summary>
    /// <param name="answer">With what.</param>
    /// <param name="only">Only this one, or whichever is held.</param>
    public void ReleasePoll(PollAnswer answer, PollWaiter? only = null)
    {
        PollWaiter? held;
        lock (_gate)
        {
            held = _poll;
            if (held is null || (only is not null && only != held)) return;
            _poll = null;
        }

        held.Release(answer);
    }

    /// <summary>From now on everything goes over this WebSocket, what waits first.</summary>
    public void MoveTo(WebSocketTransport socket)
    {
        lock (_gate)
        {
            _socket = socket;
            Pump();
            PassTurn();
        }

        if (HeldPoll() is { } held) ReleasePoll(held.IsDuringUpgrade ? PollAnswer.Upgraded : PollAnswer.Close, held);
    }

    /// <summary>Takes nothing more, and says goodbye: over a WebSocket now, to a poll when it comes.</summary>
    /// <param name="reason">Why.</param>
    /// <param name="writable">False when the connection behind gave up in the midst of a frame.</param>
    /// <param name="farewell">What a held poll is told.</param>
    public async Task EndAsync(CloseReason reason, bool writable, PollAnswer farewell)
    {
        if (IsOnSocket)
        {
            var isWhole = await DrainAsync();
            lock (_gate) (_isEnded, _waiting) = (true, []);
            await _socket!.CloseAsync(reason, writable && isWhole);
        }
        else
        {
            lock (_gate) _isEnded = true;
            ReleasePoll(farewell);
        }

        lock (_gate) PassTurn();
    }

    private PollWaiter? HeldPoll()
    {
        lock (_gate) return _poll;
    }

    /// <summary>Waits until everything is written.</summary>
    /// <returns>Whether it is, and the last frame whole.</returns>
    private async Task<bool> DrainAsync()
    {
        using var limit = new CancellationTokenSource(settings.CloseTimeout, clock);
        try
        {
            while (true)
            {
                Task turn;
                lock (_gate)
                {
                    if (_isBroken || _isOwing) return false;
                    if (!_isWriting && _waiting.Count == 0) return true;
                    turn = NextTurn();
                }

                await turn.WaitAsync(limit.Token);
            }
        }
        catch (OperationCanceledException)
        {
            return false;
        }
    }

    private bool HasRoomFor(long bytes) => _bytes == 0 || _bytes + bytes <= MostPolled;

    private bool TryKeep(IReadOnlyList<ReadOnlyMemory<byte>> pieces)
    {
        var total = 0L;
        for (var index = 0; index < pieces.Count; index++) total += pieces[index].Length;
        if (!HasRoomFor(total)) return false;
        for (var index = 0; index < pieces.Count; index++) Add(pieces[index]);
        return true;
    }

    private void Add(ReadOnlyMemory<byte> frames)
    {
        _waiting.Add(frames);
        _bytes += frames.Length;
        if (_socket is not null)
        {
            Pump();
            return;
        }

        _poll?.Release(PollAnswer.Packets);
        _poll = null;
    }

    private void Take(ArrayBufferWriter<byte> body)
    {
        if (_socket is not null) return; // the switch took them along
        var count = 0;
        for (; count < _waiting.Count && (count == 0 || body.WrittenCount + _waiting[count].Length <= LargestBody); count++)
        {
            PollPayload.Append(_waiting[count].Span, body);
            _bytes -= _waiting[count].Length;
        }

        _waiting.RemoveRange(0, count);
        PassTurn();
    }

    /// <summary>Writes what waits, unless somebody is writing, who will see to it.</summary>
    private void Pump()
    {
        if (_isWriting || _isOwing || _isBroken || _socket is not { } socket || _waiting.Count == 0) return;
        if (socket.WritesAtOnce)
        {
            var first = _waiting[0];
            var written = socket.TryWrite(first.Span);
            if (written < 0)
            {
                _isBroken = true;
                return;
            }

            _bytes -= written;
            if (written < first.Length) _waiting[0] = first[written..];
            else _waiting.RemoveAt(0);
            if (_waiting.Count == 0) return;
        }

        _isWriting = true;
        _ = WriteWaitingAsync(socket);
    }

    private async Task WriteWaitingAsync(WebSocketTransport socket)
    {
        await Task.Yield(); // out of the lock
        try
        {
            while (true)
            {
                List<ReadOnlyMemory<byte>> batch;
                lock (_gate)
                {
                    batch = _waiting;
                    _waiting = [];
                    if (batch.Count == 0)
                    {
                        _isWriting = false;
                        PassTurn();
                        return;
                    }
                }

                await socket.WriteAsync(batch, CancellationToken.None);
                lock (_gate)
                {
                    foreach (var frames in batch) _bytes -= frames.Length;
                }
            }
        }
        catch (Exception exception) when (exception is IOException or ObjectDisposedException or InvalidOperationException or OperationCanceledException)
        {
            lock (_gate)
            {
                (_isWriting, _isBroken) = (false, true); // whoever reads from the peer finds out and ends the session
                PassTurn();
            }
        }
    }

    private Task NextTurn() => (_turn ??= new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously)).Task;

    private void PassTurn()
    {
        _turn?.TrySetResult();
        _turn = null;
    }
}
