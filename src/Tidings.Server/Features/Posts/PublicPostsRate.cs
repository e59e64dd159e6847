namespace Tidings.Server.Features.Posts;

/// <summary>
/// Whether public posts come slowly enough to be announced one by one: up to 50 a second. Above that they are only counted, from the
/// moment the rate is passed until a whole second was below it.
/// </summary>
internal sealed class PublicPostsRate(TimeProvider clock)
{
    /// <summary>The most that are announced one by one in a second.</summary>
    public const int PerSecond = 50;

    private readonly Lock _gate = new();
    private long _second = long.MinValue;
    private int _inThisSecond;
    private int _inLastSecond;

    /// <summary>Counts a post, and says whether it is announced by itself. Any thread.</summary>
    public bool TryAnnounce()
    {
        var now = (long)clock.GetElapsedTime(0).TotalSeconds;
        lock (_gate)
        {
            if (now > _second)
            {
                _inLastSecond = now == _second + 1 ? _inThisSecond : 0;
                _inThisSecond = 0;
                _second = now;
            }

            _inThisSecond++;
            return _inThisSecond <= PerSecond && _inLastSecond <= PerSecond;
        }
    }
}
