namespace Tidings.Realtime.Connections;

/// <summary>
/// What waits to be written to one connection: references to shared bytes, bounded, drained by one loop. Filled on the
/// connection's shard; the loop runs where the transport's writes complete.
/// </summary>
/// <param name="transport">Where it is written.</param>
/// <param name="budget">What may wait for all connections together.</param>
/// <param name="limit">What may wait for this one.</param>
/// <param name="completions">How those who wait for its end go on.</param>
/// <param name="onRoom">Called after a write when there is room; on the thread where the write completed.</param>
internal sealed class SendQueue(ITransport transport, OutboundBudget budget, int limit, TaskCreationOptions completions, Action onRoom)
{
    private readonly Lock _lock = new();
    private List<ReadOnlyMemory<byte>> _waiting = [];
    private List<ReadOnlyMemory<byte>> _writing = [];
    private long _bytes;
    private bool _isWriting;
    private TaskCompletionSource? _drained;

    /// <summary>Whether a write has failed: the peer is gone.</summary>
    public bool IsBroken { get; private set; }

    /// <summary>Whether at least half of what may wait is free.</summary>
    public bool HasRoom
    {
        get
        {
            lock (_lock) return _bytes <= limit / 2;
        }
    }

    /// <summary>Takes a reference to the bytes.</summary>
    /// <returns>False if that would exceed what may wait for this connection or for all together; nothing was taken.</returns>
    public bool TryAdd(ReadOnlyMemory<byte> bytes)
    {
        lock (_lock)
        {
            if (IsBroken) return true; // going to close anyway
            if (_bytes + bytes.Length > limit || !budget.TryTake(bytes.Length)) return false;
            _bytes += bytes.Length;
            _waiting.Add(bytes);
            return true;
        }
    }

    /// <summary>Starts writing what waits, unless a write is under way that will take it along.</summary>
    public void Flush()
    {
        lock (_lock)
        {
            if (_isWriting || _waiting.Count == 0) return;
            _isWriting = true;
        }

        _ = DrainAsync();
    }

    /// <summary>Gives up what waits and has not been started.</summary>
    public void Clear()
    {
        lock (_lock)
        {
            long bytes = 0;
            foreach (var piece in _waiting) bytes += piece.Length;
            _waiting.Clear();
            Give(bytes);
        }
    }

    /// <summary>Completes when nothing waits and nothing is being written.</summary>
    public Task WhenDrainedAsync()
    {
        lock (_lock)
        {
            if (!_isWriting) return Task.CompletedTask;
            _drained ??= new TaskCompletionSource(completions);
            return _drained.Task;
        }
    }

    private async Task DrainAsync()
    {
        while (true)
        {
            lock (_lock)
            {
                if (_waiting.Count == 0)
                {
                    _isWriting = false;
                    _drained?.TrySetResult();
                    return;
                }

                (_waiting, _writing) = (_writing, _waiting);
            }

            long bytes = 0;
            foreach (var piece in _writing) bytes += piece.Length;
            try
            {
                await transport.WriteAsync(_writing, CancellationToken.None).ConfigureAwait(false);
            }
#pragma warning disable CA1031 // Whatever a transport throws means the same: the peer can't be reached. Its reader ends the connection.
            catch (Exception)
#pragma warning restore CA1031
            {
                lock (_lock) IsBroken = true;
                Clear();
            }

            _writing.Clear();
            lock (_lock) Give(bytes);
            if (HasRoom) onRoom();
        }
    }

    private void Give(long bytes)
    {
        _bytes -= bytes;
        budget.Give(bytes);
    }
}

/// <summary>What may wait for all connections together. Safe for all threads.</summary>
internal sealed class OutboundBudget(long limit)
{
    private long _taken;

    /// <summary>How many bytes wait.</summary>
    public long Taken => Interlocked.Read(ref _taken);

    /// <summary>Takes a share, unless that would exceed the limit.</summary>
    public bool TryTake(long bytes)
    {
        if (Interlocked.Add(ref _taken, bytes) <= limit) return true;
        Interlocked.Add(ref _taken, -bytes);
        return false;
    }

    /// <summary>Gives a share back.</summary>
    public void Give(long bytes) => Interlocked.Add(ref _taken, -bytes);
}
