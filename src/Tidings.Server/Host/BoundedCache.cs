namespace Tidings.Server.Host;

/// <summary>
/// A dictionary that forgets: entries live in a young and an old generation of at most <c>capacity</c> each; when the young one is full it
/// becomes the old one, whose entries, unless used since, are dropped. No timers, no order to maintain. Safe for all threads.
/// </summary>
internal sealed class BoundedCache<TKey, TValue>(int capacity, IEqualityComparer<TKey>? comparer = null) where TKey : notnull
{
    private readonly Lock _lock = new();
    private Dictionary<TKey, TValue> _young = new(comparer);
    private Dictionary<TKey, TValue> _old = new(comparer);

    /// <summary>How many entries there are; one that was used in both generations counts once.</summary>
    public int Count
    {
        get { lock (_lock) return _young.Count + _old.Count; }
    }

    public bool TryGet(TKey key, out TValue value)
    {
        lock (_lock)
        {
            if (_young.TryGetValue(key, out value!)) return true;
            if (!_old.Remove(key, out value!)) return false;
            Put(key, value);
            return true;
        }
    }

    public void Set(TKey key, TValue value)
    {
        lock (_lock)
        {
            _old.Remove(key);
            Put(key, value);
        }
    }

    public TValue GetOrAdd<TArgument>(TKey key, Func<TArgument, TValue> make, TArgument argument)
    {
        lock (_lock)
        {
            if (TryGet(key, out var value)) return value;
            value = make(argument);
            Put(key, value);
            return value;
        }
    }

    public void Remove(TKey key)
    {
        lock (_lock)
        {
            _young.Remove(key);
            _old.Remove(key);
        }
    }

    private void Put(TKey key, TValue value)
    {
        if (_young.Count >= capacity && !_young.ContainsKey(key))
        {
            (_old, _young) = (_young, _old);
            _young.Clear();
        }

        _young[key] = value;
    }
}
