namespace Tidings.Realtime.Returning;

/// <summary>Traces in this process's memory: they end with it, as all of such a host's histories do.</summary>
internal sealed class InProcessReaderMemory(TimeSpan window, TimeProvider clock) : IReaderMemory
{
    /// <summary>More vanished connections than this are not remembered at once.</summary>
    private const int Limit = 100_000;

    private readonly Lock _lock = new();
    private readonly Dictionary<(string UserId, string Protocol), List<(string ConnectionId, ReaderTrace Trace, long LostAt)>> _lost = [];
    private readonly Queue<((string UserId, string Protocol) Key, long LostAt)> _inOrder = new();

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
            if (_inOrder.Count >= Limit) return;
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

            var claimed = traces[^1].Trace;
            traces.RemoveAt(traces.Count - 1);
            if (traces.Count == 0) _lost.Remove((userId, protocol));
            return ValueTask.FromResult<ReaderTrace?>(claimed);
        }
    }

    private void Remove(ReaderKey reader)
    {
        lock (_lock)
            if (_lost.TryGetValue((reader.UserId, reader.Protocol), out var traces)) traces.RemoveAll(trace => trace.ConnectionId == reader.ConnectionId);
    }

    private void DropOld(long now)
    {
        while (_inOrder.TryPeek(out var oldest) && clock.GetElapsedTime(oldest.LostAt, now) > window)
        {
            _inOrder.Dequeue();
            if (!_lost.TryGetValue(oldest.Key, out var traces)) continue;
            traces.RemoveAll(trace => trace.LostAt <= oldest.LostAt);
            if (traces.Count == 0) _lost.Remove(oldest.Key);
        }
    }
}
