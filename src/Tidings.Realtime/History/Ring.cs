using Tidings.Realtime.Publications;

namespace Tidings.Realtime.History;

/// <summary>The newest events of one channel, without a hole. Guarded by the channel's lock.</summary>
internal sealed class Ring(int capacity)
{
    private Publication[] _items = [];
    private int _start;
    private int _count;

    /// <summary>The most events that it keeps.</summary>
    public int Capacity => capacity;

    /// <summary>Adds the event that follows the newest.</summary>
    public void Add(Publication publication)
    {
        if (capacity == 0) return;
        if (_count == _items.Length && _count < capacity) Grow();
        if (_count < _items.Length)
        {
            _items[(_start + _count++) % _items.Length] = publication;
            return;
        }

        _items[_start] = publication;
        _start = (_start + 1) % _items.Length;
    }

    /// <summary>The events, from the oldest.</summary>
    public IEnumerable<Publication> All => Enumerable.Range(0, _count).Select(At);

    /// <summary>Forgets everything.</summary>
    public void Clear() => (_items, _start, _count) = ([], 0, 0);

    /// <summary>The events after an offset, if the ring reaches back to it; otherwise null.</summary>
    public IReadOnlyList<Publication>? Since(long offset)
    {
        if (_count == 0 || At(0).Position.Offset > offset + 1) return null;
        var first = (int)Math.Max(0, offset + 1 - At(0).Position.Offset);
        if (first >= _count) return [];

        var events = new Publication[_count - first];
        for (var index = first; index < _count; index++) events[index - first] = At(index);
        return events;
    }

    /// <summary>The offset before the first event that is younger than a moment; null if the ring does not reach back so far.</summary>
    /// <param name="moment">Of the events' own time.</param>
    /// <param name="oldest">The offset of the oldest event that the channel has.</param>
    public long? OffsetAt(DateTimeOffset moment, long oldest)
    {
        if (_count == 0 || (At(0).Draft.Timestamp > moment && At(0).Position.Offset > oldest)) return null;
        for (var index = 0; index < _count; index++)
            if (At(index).Draft.Timestamp > moment) return At(index).Position.Offset - 1;
        return At(_count - 1).Position.Offset;
    }

    private Publication At(int index) => _items[(_start + index) % _items.Length];

    private void Grow()
    {
        var grown = new Publication[Math.Min(capacity, Math.Max(4, _items.Length * 2))];
        for (var index = 0; index < _count; index++) grown[index] = At(index);
        _items = grown;
        _start = 0;
    }
}
