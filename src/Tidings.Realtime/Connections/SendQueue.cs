using System.Runtime.InteropServices;

namespace Tidings.Realtime.Connections;

/// <summary>
/// What waits to be written to one connection: references to shared bytes, bounded. What the peer takes at once is written at once;
/// the rest is drained by one loop, and until that has ended nothing is written past it. Touched only on the connection's shard.
/// </summary>
/// <param name="connection">Whose it is.</param>
/// <param name="transport">Where it is written.</param>
internal sealed class SendQueue(Connection connection, ITransport transport)
{
    private const int LargestSlowWrite = 64 * 1024;

    private List<ReadOnlyMemory<byte>>? _waiting;
    private List<ReadOnlyMemory<byte>>? _writing;
    private long _bytes;
    private long _budgeted;
    private TaskCompletionSource? _drained;

    /// <summary>Whether a write has failed: the peer is gone.</summary>
    public bool IsBroken { get; private set; }

    /// <summary>Whether the peer has not taken what was last written to it.</summary>
    public bool IsWriting { get; private set; }

    /// <summary>When the peer last took something, while <see cref="IsWriting"/>.</summary>
    public long ProgressAt { get; private set; }

    /// <summary>Whether at least half of what may wait is free.</summary>
    public bool HasRoom => _bytes <= Limit / 2;

    private int Limit => connection.Engine.Options.OutboundBytes;

    private OutboundBudget Budget => connection.Engine.Outbound;

    private WriteScratch Scratch => connection.Shard.Scratch;

    /// <summary>Takes a reference to the bytes of a message.</summary>
    /// <param name="bytes">All of it.</param>
    /// <param name="isInScratch">Whether it lies in what the shard's scratch memory gave last.</param>
    /// <returns>False if that would exceed what may wait for this connection or for all together; nothing was taken.</returns>
    public bool TryAdd(ReadOnlyMemory<byte> bytes, bool isInScratch)
    {
        if (IsBroken) return true; // going to close anyway
        if (_bytes + bytes.Length > Limit)
        {
            // One batch may hold more than that for a reader that keeps up.
            if (!TryFlush() || _bytes + bytes.Length > Limit) return false;
        }

        if (IsWriting)
        {
            if (!Budget.TryTake(bytes.Length)) return false;
            _budgeted += bytes.Length;
            if (isInScratch) (bytes, isInScratch) = (bytes.ToArray(), false);
        }

        _bytes += bytes.Length;
        var waiting = _waiting ??= Scratch.TakeList();
        if (!isInScratch || waiting.Count == 0 || !WriteScratch.TryGrow(CollectionsMarshal.AsSpan(waiting)[^1..], bytes, LargestSlowWrite)) waiting.Add(bytes);
        return true;
    }

    /// <summary>Writes what waits, unless a write is under way that will take it along.</summary>
    /// <returns>False if the peer does not take it and no more may wait for all connections together.</returns>
    public bool TryFlush()
    {
        if (IsWriting || IsBroken || _waiting is not { } waiting) return true;

        var hasWritten = false;
        while (transport.WritesAtOnce)
        {
            var bytes = Scratch.Join(waiting, out var count);
            var written = transport.TryWrite(bytes);
            if (written < 0)
            {
                Break();
                return true;
            }

            _bytes -= written;
            hasWritten |= written > 0;
            if (written < bytes.Length)
            {
                Cut(waiting, written);
                break;
            }

            if (count == waiting.Count)
            {
                _waiting = null;
                Scratch.Return(waiting);
                return true;
            }

            waiting.RemoveRange(0, count);
        }

        if (!Budget.TryTake(_bytes))
        {
            if (hasWritten) Break(); // perhaps in the midst of a message: whatever went out now would be taken for its rest
            return false;
        }

        _budgeted = _bytes;
        Keep(waiting);
        IsWriting = true;
        ProgressAt = connection.Engine.Clock.GetTimestamp();
        WriteRest();
        return true;
    }

    /// <summary>Gives up what waits and has not been started.</summary>
    public void Clear()
    {
        if (_waiting is not { } waiting) return;
        foreach (var piece in waiting) Give(piece.Length);
        _waiting = null;
        Scratch.Return(waiting);
    }

    /// <summary>Completes when nothing waits and nothing is being written.</summary>
    public Task WhenDrainedAsync()
    {
        if (!IsWriting) return Task.CompletedTask;
        _drained ??= new TaskCompletionSource(connection.Engine.Scheduler.Completions);
        return _drained.Task;
    }

    /// <summary>Drops what was written from the front.</summary>
    private static void Cut(List<ReadOnlyMemory<byte>> pieces, int written)
    {
        var gone = 0;
        while (written >= pieces[gone].Length) written -= pieces[gone++].Length;
        pieces[gone] = pieces[gone][written..];
        pieces.RemoveRange(0, gone);
    }

    /// <summary>Scratch memory is free again after the batch.</summary>
    private void Keep(List<ReadOnlyMemory<byte>> pieces)
    {
        foreach (ref var piece in CollectionsMarshal.AsSpan(pieces))
            if (Scratch.Holds(piece)) piece = piece.ToArray();
    }

    private void WriteRest()
    {
        while (_waiting is not null)
        {
            var next = _writing = TakeNext();
            try
            {
                var write = transport.WriteAsync(next, CancellationToken.None);
                if (!write.IsCompleted)
                {
                    _ = ContinueAsync(write);
                    return;
                }

                write.GetAwaiter().GetResult();
                Wrote();
            }
#pragma warning disable CA1031 // Whatever a transport throws means the same: the peer can't be reached. Its reader ends the connection.
            catch (Exception)
#pragma warning restore CA1031
            {
                Wrote();
                Break();
            }
        }

        IsWriting = false;
        _drained?.TrySetResult();
    }

    /// <summary>The first pieces: not too many, because a peer that has not taken them after a while counts as one that takes nothing.</summary>
    private List<ReadOnlyMemory<byte>> TakeNext()
    {
        var waiting = _waiting!;
        var (count, bytes) = (1, waiting[0].Length);
        while (count < waiting.Count && bytes + waiting[count].Length <= LargestSlowWrite) bytes += waiting[count++].Length;
        if (count == waiting.Count)
        {
            _waiting = null;
            return waiting;
        }

        var next = Scratch.TakeList();
        next.AddRange(waiting.Take(count));
        waiting.RemoveRange(0, count);
        return next;
    }

    private async Task ContinueAsync(ValueTask write)
    {
        var isWritten = true;
        try
        {
            await write.ConfigureAwait(false);
        }
#pragma warning disable CA1031 // As above.
        catch (Exception)
#pragma warning restore CA1031
        {
            isWritten = false;
        }

        connection.Shard.Post(() =>
        {
            Wrote();
            if (!isWritten) Break();
            WriteRest();
            connection.FindRoom();
        });
    }

    private void Wrote()
    {
        foreach (var piece in _writing!) Give(piece.Length);
        ProgressAt = connection.Engine.Clock.GetTimestamp();
        Scratch.Return(_writing);
        _writing = null;
    }

    private void Break()
    {
        IsBroken = true;
        Clear();
    }

    private void Give(int length)
    {
        _bytes -= length;
        var budgeted = Math.Min(length, _budgeted);
        if (budgeted == 0) return;
        _budgeted -= budgeted;
        Budget.Give(budgeted);
    }
}
