using Tidings.Realtime.Channels;
using Tidings.Realtime.Publications;

namespace Tidings.Realtime.Connections;

/// <summary>
/// What a subscription to a channel without history keeps for a reader that does not keep up, instead of letting it wait in the
/// connection's queue until that is cut: the newest events, or only the last. Shard only.
/// </summary>
/// <param name="policy">Which.</param>
/// <param name="mostBytes">The most bytes of payload that are kept; the newest event is kept in any case.</param>
/// <param name="budget">What may wait for all connections together, this included.</param>
internal sealed class KeptBack(SlowReaderPolicy policy, int mostBytes, OutboundBudget budget)
{
    private const int MostEvents = 128;

    private readonly Queue<Publication> _events = new();
    private long _bytes;

    /// <summary>How many are kept.</summary>
    public int Count => _events.Count;

    /// <summary>Keeps one more, unless there is no room for it among all connections.</summary>
    /// <returns>How many were given up for it; itself too, if nothing could make room.</returns>
    public int Add(Publication publication)
    {
        var (size, dropped) = (SizeOf(publication), 0);
        var most = policy == SlowReaderPolicy.Latest ? 1 : MostEvents;
        for (; _events.Count >= most || (_events.Count > 0 && _bytes + size > mostBytes); dropped++) Take();
        for (; !budget.TryTake(size); dropped++)
        {
            if (_events.Count == 0) return dropped + 1;
            Take();
        }

        _events.Enqueue(publication);
        _bytes += size;
        return dropped;
    }

    /// <summary>The oldest, which is kept no longer.</summary>
    public Publication Take()
    {
        var oldest = _events.Dequeue();
        var size = SizeOf(oldest);
        _bytes -= size;
        budget.Give(size);
        return oldest;
    }

    /// <summary>Gives up all.</summary>
    public void Clear()
    {
        while (_events.Count > 0) Take();
    }

    private static long SizeOf(Publication publication) => publication.Draft.Payload.Length;
}
