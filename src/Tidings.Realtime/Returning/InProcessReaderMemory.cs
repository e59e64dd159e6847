namespace Tidings.Realtime.Returning;

/// <summary>Traces in this process's memory: they end with it, as all of such a host's histories do.</summary>
internal sealed class InProcessReaderMemory(TimeSpan window, TimeProvider clock) : IReaderMemory
{
    /// <summary>More vanished connections than this are not remembered at once.</summary>
    private const int Limit = 100_000;

    private readonly Lock _lock = new();
    private readonly Dictionary<(string UserId, string Protocol), List<(string ConnectionId, ReaderTrace Trace, long LostAt)>> _lost = [];
    private readonly Queue<((string UserId, string Protocol) Key, long LostAt)> _inOrder = new();
    private int _count;

    /// <inheritdoc />
    public void Note(ReaderKey reader, IReadOnlyCollection<Channels.ChannelName> channels, DateTimeOffset since)
    {
        // A connection may come back under its old id. Who reads now is not kept: with this process its histories are gone as well.
        Remove(reader);
    }

    /// <inheritdoc />
    public void Lose(ReaderKey reader, ReaderTrace trace)
    {
        var (key, now) = ((reader.UserId, reader.Protocol), clock.GetTimestamp());
        lock (_lock)
        {
            DropOld(now);
            if (_count >= Limit) return;
            if (_inOrder.Count >= 2 * Limit) DropClaimed();
            _count++;
            if (!_lost.TryGetValue(key, out var traces)) _lost[key] = traces = [];
            traces.Add((reader.ConnectionId, trace, now));
            _inOrder.Enqueue((key, now));
        }
    }

    /// <inheritdoc />
    public void Forget(ReaderKey reader)
    {
        Remove(reader);
    }

    /// <inheritdoc />
    public ValueTask<ReaderTrace?> ClaimAsync(string userId, string protocol, CancellationToken cancellationToken)
    {
        lock (_lock)
        {
            DropOld(clock.GetTimestamp());
            if (!_lost.TryGetValue((userId, protocol), out var traces) || traces.Count == 0) return ValueTask.FromResult<ReaderTrace?>(null);

            var claimed = traces[^1];
            RemoveWhere((userId, protocol), trace => trace.ConnectionId == claimed.ConnectionId && trace.LostAt == claimed.LostAt);
            return ValueTask.FromResult<ReaderTrace?>(claimed.Trace);
        }
    }

    private void Remove(ReaderKey reader)
    {
        lock (_lock) RemoveWhere((reader.UserId, reader.Protocol), trace => trace.ConnectionId == reader.ConnectionId);
    }

    private void RemoveWhere((string UserId, string Protocol) key, Predicate<(string ConnectionId, ReaderTrace Trace, long LostAt)> isGone)
    {
        if (!_lost.TryGetValue(key, out var traces)) return;
        _count -= traces.RemoveAll(isGone);
        if (traces.Count == 0) _lost.Remove(key);
    }

    private void DropOld(long now)
    {
        while (_inOrder.TryPeek(out var oldest) && clock.GetElapsedTime(oldest.LostAt, now) > window)
        {
            _inOrder.Dequeue();
            RemoveWhere(oldest.Key, trace => trace.LostAt <= oldest.LostAt);
        }
    }

    /// <summary>Lets go of the order's entries for what has been taken over, of which users who come and go leave many.</summary>
    private void DropClaimed()
    {
        var left = _inOrder.Where(entry => _lost.TryGetValue(entry.Key, out var traces) && traces.Exists(trace => trace.LostAt == entry.LostAt)).ToList();
        _inOrder.Clear();
        foreach (var entry in left) _inOrder.Enqueue(entry);
    }
}
