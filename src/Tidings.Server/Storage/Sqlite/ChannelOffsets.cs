using Tidings.Realtime.Channels;

namespace Tidings.Server.Storage.Sqlite;

/// <summary>Where a channel stands, as the writer knows it.</summary>
internal sealed class ChannelState(long id, ulong epoch)
{
    public long Id { get; } = id;

    /// <summary>The epoch of its positions, the log's generation included.</summary>
    public ulong Epoch { get; } = epoch;

    public long LastOffset { get; set; }

    public long LastSequence { get; set; }

    /// <summary>Whether its row is to be written before the commit.</summary>
    public bool IsTouched { get; set; }
}

/// <summary>
/// The writer's memory of channels, bounded: the less recently used half is forgotten and read again from the database. Belongs to the
/// writer's thread, and is as true as its open transaction: what is rolled back must be undone or forgotten here.
/// </summary>
internal sealed class ChannelOffsets(int capacity = 100_000)
{
    private Dictionary<ChannelName, ChannelState> _recent = [];
    private Dictionary<ChannelName, ChannelState> _older = [];

    public bool TryGet(ChannelName channel, out ChannelState state)
    {
        if (_recent.TryGetValue(channel, out state!)) return true;
        if (!_older.Remove(channel, out state!)) return false;
        _recent.Add(channel, state);
        return true;
    }

    public void Add(ChannelName channel, ChannelState state) => _recent.Add(channel, state);

    public void Forget(ChannelName channel)
    {
        _recent.Remove(channel);
        _older.Remove(channel);
    }

    public void ForgetAll()
    {
        _recent.Clear();
        _older.Clear();
    }

    /// <summary>Makes room. Only between transactions: a channel that is forgotten within one would be read as it was before.</summary>
    public void Trim()
    {
        if (_recent.Count < capacity / 2) return;
        (_older, _recent) = (_recent, _older);
        _recent.Clear();
    }
}
