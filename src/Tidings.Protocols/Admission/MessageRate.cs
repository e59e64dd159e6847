namespace Tidings.Protocols.Admission;

/// <summary>Whether a client keeps to its rate.</summary>
internal enum RateVerdict
{
    /// <summary>It does.</summary>
    Within,

    /// <summary>This message is too many.</summary>
    Over,

    /// <summary>It has gone on like that for too long.</summary>
    OverForLong,
}

/// <summary>A bucket of tokens for one client's messages. One caller at a time.</summary>
internal sealed class MessageRate(int perSecond, int burst, TimeProvider clock)
{
    /// <summary>How long a client may go on sending too much.</summary>
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    // A pause of this length ends a spell of sending too much.
    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(1);

    private double _tokens = burst;
    private long _filledAt = clock.GetTimestamp();
    private long _spellBegan;
    private long _lastOver;

    /// <summary>Counts one message.</summary>
    public RateVerdict Take()
    {
        var now = clock.GetTimestamp();
        _tokens = Math.Min(burst, _tokens + (clock.GetElapsedTime(_filledAt, now).TotalSeconds * perSecond));
        _filledAt = now;
        if (_tokens >= 1)
        {
            _tokens--;
            return RateVerdict.Within;
        }

        if (_lastOver == 0 || clock.GetElapsedTime(_lastOver, now) > Pause) _spellBegan = now;
        _lastOver = now;
        return clock.GetElapsedTime(_spellBegan, now) >= Patience ? RateVerdict.OverForLong : RateVerdict.Over;
    }
}
