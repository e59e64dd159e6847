namespace Tidings.Server.Publishing;

/// <summary>When a target is tried again: soon at first, then ever later, at a random point of each wait so that not all come back at once.</summary>
internal static class RetryDelays
{
    /// <summary>How long after its time a post is still tried.</summary>
    public static readonly TimeSpan GiveUpAfter = TimeSpan.FromHours(2);

    private static readonly TimeSpan[] Longest =
        [TimeSpan.FromSeconds(5), TimeSpan.FromSeconds(30), TimeSpan.FromMinutes(2), TimeSpan.FromMinutes(10), TimeSpan.FromMinutes(30)];

    /// <summary>The wait after so many tries, never shorter than what the platform asked for.</summary>
    public static TimeSpan After(long tries, TimeSpan? retryAfter)
    {
        var longest = Longest[Math.Clamp(tries - 1, 0, Longest.Length - 1)];
        var wait = TimeSpan.FromMilliseconds(Random.Shared.NextDouble() * longest.TotalMilliseconds);
        return retryAfter is { } asked && asked > TimeSpan.Zero ? asked + (wait / 10) : wait;
    }
}
