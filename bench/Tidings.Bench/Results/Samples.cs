namespace Tidings.Bench.Results;

/// <summary>Every single measurement of a run, in stopwatch ticks; nothing is averaged or put into buckets on the way.</summary>
internal sealed class Samples(int capacity)
{
    private long[] _ticks = new long[Math.Max(capacity, 16)];
    private bool _isSorted;

    internal int Count { get; private set; }

    internal void Add(long ticks)
    {
        if (Count == _ticks.Length)
            Array.Resize(ref _ticks, Count * 2);
        _ticks[Count++] = ticks;
        _isSorted = false;
    }

    /// <summary>Milliseconds; nearest rank, so 100 is the largest. NaN without samples.</summary>
    internal double Percentile(double percent)
    {
        if (Count == 0)
            return double.NaN;
        if (!_isSorted)
            Array.Sort(_ticks, 0, Count);
        _isSorted = true;
        return Clock.Milliseconds(_ticks[Math.Clamp((int)Math.Ceiling(percent / 100 * Count) - 1, 0, Count - 1)]);
    }
}
