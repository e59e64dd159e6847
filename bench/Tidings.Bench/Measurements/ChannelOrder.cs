namespace Tidings.Bench.Measurements;

/// <summary>
/// The order of a channel, as the first subscriber to get so far saw it: everybody else must see the same, each event once.
/// Posts that were sent together may be in either order; that is no fault.
/// </summary>
internal sealed class ChannelOrder(long first)
{
    private readonly List<long> _order = [];
    private readonly HashSet<long> _seen = [];

    /// <summary>Events that a subscriber lost, got twice, or got at another place than the rest.</summary>
    internal long Faults { get; private set; }

    /// <summary>How many events the subscriber that got furthest has seen.</summary>
    internal int Count => _order.Count;

    internal void Check(long place, long number)
    {
        if (place < _order.Count)
        {
            if (_order[(int)place] != number)
                Faults++;
            return;
        }

        _order.Add(number);
        if (number < first || !_seen.Add(number))
            Faults++;
    }
}
