namespace Tidings.Server.Host;

/// <summary>
/// One token bucket per key, in bounded memory: with more keys than it can hold, the ones that were not seen for longest start afresh.
/// Uses the monotonic clock. Safe for all threads.
/// </summary>
internal sealed class TokenBuckets<TKey>(double perSecond, double burst, TimeProvider clock, int capacity = 20_000) where TKey : notnull
{
    private readonly BoundedCache<TKey, Bucket> _buckets = new(capacity);

    /// <summary>Takes one token. If there is none, false with the time until there will be one.</summary>
    public bool TryTake(TKey key, out TimeSpan retryAfter)
    {
        var bucket = _buckets.GetOrAdd(key, static start => new Bucket { Tokens = start.burst, At = start.now }, (burst, now: clock.GetTimestamp()));
        lock (bucket)
        {
            var now = clock.GetTimestamp();
            bucket.Tokens = Math.Min(burst, bucket.Tokens + (Math.Max(0, clock.GetElapsedTime(bucket.At, now).TotalSeconds) * perSecond));
            bucket.At = now;
            if (bucket.Tokens >= 1)
            {
                bucket.Tokens--;
                retryAfter = TimeSpan.Zero;
                return true;
            }

            retryAfter = TimeSpan.FromSeconds((1 - bucket.Tokens) / perSecond);
            return false;
        }
    }

    /// <summary>Gives a token back that turned out not to count.</summary>
    public void Return(TKey key)
    {
        if (!_buckets.TryGet(key, out var bucket)) return;
        lock (bucket) bucket.Tokens = Math.Min(burst, bucket.Tokens + 1);
    }

    private sealed class Bucket
    {
        public double Tokens;
        public long At;
    }
}
