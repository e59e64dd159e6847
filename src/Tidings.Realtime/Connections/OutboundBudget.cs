namespace Tidings.Realtime.Connections;

/// <summary>What may wait for all connections together. Safe for all threads.</summary>
internal sealed class OutboundBudget(long limit)
{
    private long _taken;

    /// <summary>How many bytes wait.</summary>
    public long Taken => Interlocked.Read(ref _taken);

    /// <summary>Takes a share, unless that would exceed the limit.</summary>
    public bool TryTake(long bytes)
    {
        if (Interlocked.Add(ref _taken, bytes) <= limit) return true;
        Interlocked.Add(ref _taken, -bytes);
        return false;
    }

    /// <summary>Gives a share back.</summary>
    public void Give(long bytes) => Interlocked.Add(ref _taken, -bytes);
}
