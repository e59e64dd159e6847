using Tidings.Server.Storage;

namespace Tidings.Server.Publishing;

/// <summary>
/// The clock that decides what is due: the database's where several nodes share one, otherwise this process's. Between two looks at it time goes on by
/// the monotonic clock, so that a jump is seen in one place: by <see cref="ClockGuard"/>, before anything is claimed.
/// </summary>
internal sealed class PublishingClock(Store store, TimeProvider clock)
{
    private readonly Lock _lock = new();
    private (DateTimeOffset Wall, long Timestamp)? _trusted;

    /// <summary>The time: of the last look that was trusted, and what has passed since.</summary>
    public DateTimeOffset Now
    {
        get
        {
            lock (_lock) return _trusted is { } trusted ? trusted.Wall + clock.GetElapsedTime(trusted.Timestamp) : clock.GetUtcNow();
        }
    }

    /// <summary>Looks at the clock.</summary>
    public async Task<DateTimeOffset> ReadAsync(CancellationToken cancellationToken)
    {
        if (!store.IsPostgres) return clock.GetUtcNow();
        var read = await store.QueryAsync<long>(Sql.Now, new { }, cancellationToken).ConfigureAwait(false);
        return DateTimeOffset.FromUnixTimeMilliseconds(read[0]);
    }

    /// <summary>Takes a look at the clock for true.</summary>
    public void Trust(DateTimeOffset wall)
    {
        lock (_lock) _trusted = (wall, clock.GetTimestamp());
    }

    private static class Sql
    {
        public const string Now = "SELECT CAST(extract(epoch FROM clock_timestamp()) * 1000 AS bigint)";
    }
}
