namespace Tidings.Server.Storage.Postgres;

/// <summary>
/// While the database is out of reach one request at a time finds out whether it is back, after a pause that grows; all others are refused
/// at once instead of waiting for the same deadline. Safe for all threads.
/// </summary>
internal sealed class Outage(TimeProvider clock)
{
    private static readonly TimeSpan FirstPause = TimeSpan.FromMilliseconds(200);
    private static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(2);

    private readonly Lock _gate = new();
    private volatile bool _isOut;
    private volatile int _failures;
    private TimeSpan _pause;
    private long _triedAt;

    /// <summary>How often it was found out of reach; for <see cref="HasFailedSince"/>.</summary>
    public int Failures => _failures;

    /// <summary>Whether it is out of reach, and somebody has found that out after a moment.</summary>
    public bool HasFailedSince(int failures) => _isOut && _failures != failures;

    /// <summary>Whether to try at all.</summary>
    public bool MayTry()
    {
        if (!_isOut) return true;
        lock (_gate)
        {
            if (!_isOut) return true;
            if (clock.GetElapsedTime(_triedAt) < _pause) return false;
            _triedAt = clock.GetTimestamp();
            return true;
        }
    }

    /// <summary>The database was found out of reach. Being full, slow with one statement or read-only is no outage.</summary>
    public void Begin(StoreUnavailableException why)
    {
        if (why.InnerException is not { } cause || (!PostgresFaults.IsLostConnection(cause) && cause is not Npgsql.NpgsqlException { InnerException: TimeoutException })) return;
        lock (_gate)
        {
            var longer = _isOut ? _pause * 2 : FirstPause;
            _pause = longer < LongestPause ? longer : LongestPause;
            _pause *= 0.75 + (Random.Shared.NextDouble() / 2);
            _triedAt = clock.GetTimestamp();
            _failures++;
            _isOut = true;
        }
    }

    /// <summary>The database has answered.</summary>
    public void End() => _isOut = false;
}
