namespace Tidings.Server.Publishing;

/// <summary>
/// Compares the wall clock with the monotonic one. What was published early cannot be called back: when the wall clock has moved by more than a few
/// seconds against the other, nothing is due until it has gone on steadily for two ticks. Called by one thread.
/// </summary>
internal sealed class ClockGuard(TimeProvider clock)
{
    /// <summary>How far the clocks may part from one look to the next.</summary>
    public static readonly TimeSpan Tolerance = TimeSpan.FromSeconds(3);

    /// <summary>How long a tick is after a jump: two of them must agree.</summary>
    public static readonly TimeSpan Tick = TimeSpan.FromSeconds(5);

    private (DateTimeOffset Wall, long Timestamp)? _last;
    private (DateTimeOffset Wall, long Timestamp) _steadySince;
    private bool _isSuspicious;

    /// <summary>Whether the wall clock may be believed.</summary>
    /// <param name="wall">What it says now.</param>
    public bool Trusts(DateTimeOffset wall)
    {
        var now = (Wall: wall, Timestamp: clock.GetTimestamp());
        var hasJumped = _last is { } last && (now.Wall - last.Wall - clock.GetElapsedTime(last.Timestamp, now.Timestamp)).Duration() > Tolerance;
        _last = now;
        if (hasJumped) (_isSuspicious, _steadySince) = (true, now);
        if (!_isSuspicious) return true;

        // Slow drifts would pass from look to look: the whole time since the jump must agree too.
        var steady = clock.GetElapsedTime(_steadySince.Timestamp, now.Timestamp);
        if ((now.Wall - _steadySince.Wall - steady).Duration() > Tolerance) _steadySince = now;
        else if (steady >= 2 * Tick) _isSuspicious = false;
        return !_isSuspicious;
    }
}
