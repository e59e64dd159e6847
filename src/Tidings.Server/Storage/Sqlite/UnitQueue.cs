namespace Tidings.Server.Storage.Sqlite;

/// <summary>Where units wait for the writer: bounded, many add, one takes.</summary>
internal sealed class UnitQueue(int capacity)
{
    private readonly object _gate = new();
    private readonly Queue<PendingUnit> _waiting = [];
    private bool _isClosed;

    public int Count
    {
        get
        {
            lock (_gate) return _waiting.Count;
        }
    }

    /// <summary>Adds a unit.</summary>
    /// <exception cref="StoreUnavailableException">There is no room, or the store is shutting down.</exception>
    public void Add(PendingUnit unit)
    {
        lock (_gate)
        {
            if (_isClosed) throw new StoreUnavailableException("The store is shutting down.");
            if (_waiting.Count >= capacity) throw new StoreUnavailableException($"{capacity} writes are waiting for the database already.");
            _waiting.Enqueue(unit);
            if (_waiting.Count == 1) Monitor.Pulse(_gate);
        }
    }

    /// <summary>Waits for units and takes what is there. False when the queue is closed and empty.</summary>
    public bool Take(List<PendingUnit> into, int most)
    {
        lock (_gate)
        {
            while (_waiting.Count == 0)
            {
                if (_isClosed) return false;
                Monitor.Wait(_gate);
            }

            while (into.Count < most && _waiting.TryDequeue(out var unit)) into.Add(unit);
            return true;
        }
    }

    /// <summary>Takes out everything that still waits, without waiting.</summary>
    public List<PendingUnit> Clear()
    {
        lock (_gate)
        {
            List<PendingUnit> rest = [.. _waiting];
            _waiting.Clear();
            return rest;
        }
    }

    /// <summary>Takes no more units; those that wait are still handed out.</summary>
    public void Close()
    {
        lock (_gate)
        {
            _isClosed = true;
            Monitor.PulseAll(_gate);
        }
    }
}
