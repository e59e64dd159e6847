using Tidings.Realtime.Publications;

namespace Tidings.Realtime.Fanout;

/// <summary>The newest events of the durable log, bounded by their number and their bytes. Guarded by its owner's lock.</summary>
internal sealed class RecentEvents(RealtimeOptions options)
{
    private readonly Queue<Publication> _events = new();
    private long _bytes;

    /// <summary>Every event after this place that was added is still here.</summary>
    public long Since { get; private set; }

    /// <summary>The events, in the order in which they were added.</summary>
    public IEnumerable<Publication> All => _events;

    /// <summary>A place up to which there is nothing younger than a moment; null if the events do not reach back so far.</summary>
    /// <param name="moment">Of the events' own time.</param>
    /// <param name="top">The place up to which everything has been added.</param>
    public long? PlaceAt(DateTimeOffset moment, long top)
    {
        if (_events.TryPeek(out var oldest) ? oldest.Draft.Timestamp > moment && Since > 0 : Since < top) return null;

        // Their times need not rise as their places do: it is the first place of all that are younger.
        var first = long.MaxValue;
        foreach (var publication in _events)
            if (publication.Draft.Timestamp > moment) first = Math.Min(first, publication.Sequence);
        return first == long.MaxValue ? top : first - 1;
    }

    /// <summary>Adds an event and gives up the oldest if there are too many.</summary>
    public void Add(Publication publication)
    {
        _events.Enqueue(publication);
        _bytes += SizeOf(publication);
        while (_events.Count > options.RecentEvents || _bytes > options.RecentBytes)
        {
            var oldest = _events.Dequeue();
            _bytes -= SizeOf(oldest);
            Since = Math.Max(Since, oldest.Sequence);
        }
    }

    /// <summary>Forgets everything: what is added from now on comes after this place.</summary>
    public void Restart(long through)
    {
        _events.Clear();
        _bytes = 0;
        Since = through;
    }

    private static long SizeOf(Publication publication) => publication.Draft.Payload.Length + (publication.Draft.FullPayload?.Length ?? 0);
}
