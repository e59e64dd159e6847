using Tidings.Server.Host;

namespace Tidings.Server.Publishing;

/// <summary>
/// What platforms said of their limits. A bucket that is empty is parked, with all accounts that share it, and not the one post that met it. Each node
/// learns for itself. Safe for all threads.
/// </summary>
internal sealed class RateBuckets(TimeProvider clock)
{
    private const int MostKnown = 50_000;

    private readonly BoundedCache<(string Platform, string AccountId), string> _bucketOf = new(MostKnown);
    private readonly BoundedCache<(string Platform, string Bucket), (long Since, TimeSpan For)> _parked = new(MostKnown);

    /// <summary>Takes what an answer said of limits.</summary>
    public void Learn(ConnectedAccount account, SendOutcome outcome)
    {
        var bucket = Known(account);
        if (outcome.Rate is { } rate)
        {
            bucket = rate.Bucket.Length == 0 ? OwnOf(account) : rate.Bucket;
            _bucketOf.Set((account.Platform, account.Id), bucket);
            if (rate.Remaining <= 0 && rate.ResetsIn > TimeSpan.Zero) Park(account.Platform, bucket, rate.ResetsIn);
        }

        if (outcome is { Result: SendResult.RateLimited, RetryAfter: { } wait } && wait > TimeSpan.Zero) Park(account.Platform, bucket, wait);
    }

    /// <summary>How long an account has to wait; zero if it may send.</summary>
    public TimeSpan WaitOf(ConnectedAccount account)
    {
        if (!_parked.TryGet((account.Platform, Known(account)), out var parked)) return TimeSpan.Zero;
        var left = parked.For - clock.GetElapsedTime(parked.Since);
        return left > TimeSpan.Zero ? left : TimeSpan.Zero;
    }

    private string Known(ConnectedAccount account) => _bucketOf.TryGet((account.Platform, account.Id), out var bucket) ? bucket : OwnOf(account);

    private void Park(string platform, string bucket, TimeSpan wait) => _parked.Set((platform, bucket), (clock.GetTimestamp(), wait));

    /// <summary>No platform's name of a bucket begins so.</summary>
    private static string OwnOf(ConnectedAccount account) => $"\naccount {account.Id}";
}
