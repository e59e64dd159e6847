using Tidings.Realtime.Channels;
using Tidings.Realtime.Publications;

namespace Tidings.Realtime.Connections;

/// <summary>
/// What a subscription to a channel without history keeps for a reader that does not keep up, instead of letting it wait in the
/// connection's queue until that is cut: the newest events, or only the last. Shard only.
/// </summary>
/// <param name="policy">Which.</param>
/// <param name="mostBytes">The most bytes of payload that are kept; the newest event is kept in any case.</param>
internal sealed class KeptBack(SlowReaderPolicy policy, int mostBytes)
{
    private const int MostEvents = 128;

    private readonly Queue<Publication> _events = new();
    private long _bytes;

    /// <summary>How many are kept.</summary>
    public int Count => _events.Count;

    /// <summary>Keeps one more.</summary>
    /// <returns>How many older ones it took the place of.</returns>
    public int Add(Publication publication)
    {
        var most = policy == SlowReaderPolicy.Latest ? 1 : MostEvents;
        var dropped = 0;
        _events.Enqueue(publication);
        _bytes += publication.Draft.Payload.Length;
        for (; _events.Count > most || (_events.Count > 1 && _bytes > mostBytes); dropped++) Take();
        return dropped;
    }

    /// <summary>The oldest, which is kept no longer.</summary>
    public Publication Take()
    {
        var oldest = _events.Dequeue();
        _bytes -= oldest.Draft.Payload.Length;
        return oldest;
    }
}
