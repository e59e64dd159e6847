namespace Tidings.Server.Publishing;

/// <summary>How an attempt ended.</summary>
internal enum SendResult
{
    /// <summary>The platform has it.</summary>
    Sent,

    /// <summary>Provably nothing was sent (no such name, refused, no TLS, a definite temporary answer): may be tried again whatever the platform.</summary>
    NotSent,

    /// <summary>Provably nothing was posted, and the bucket is empty: see <see cref="SendOutcome.RetryAfter"/>.</summary>
    RateLimited,

    /// <summary>The account's tokens are not valid.</summary>
    AuthRefused,

    /// <summary>The account, chat or webhook is gone, or this account may no longer post: no attempt may follow.</summary>
    AccountGone,

    /// <summary>The platform refuses this post for good.</summary>
    Rejected,

    /// <summary>It may have been posted or not.</summary>
    Unknown,
}

/// <summary>How an attempt ended, and what the platform said of it.</summary>
/// <param name="Reason">A sentence for the post's author, without secrets; null if it was sent.</param>
internal sealed record SendOutcome(SendResult Result, string? Reason)
{
    /// <summary>What the platform calls the post.</summary>
    public string? ExternalId { get; init; }

    /// <summary>Where people see it.</summary>
    public string? Url { get; init; }

    /// <summary>The HTTP status of the last answer, if there was one.</summary>
    public int? Status { get; init; }

    /// <summary>The beginning of the last answer's body without secrets, at most 500 characters.</summary>
    public string? Body { get; init; }

    /// <summary>How long the platform wants to be left alone.</summary>
    public TimeSpan? RetryAfter { get; init; }

    /// <summary>What the platform said of its limits.</summary>
    public RateReading? Rate { get; init; }
}

/// <summary>What a platform's headers say of one of its limits.</summary>
/// <param name="Bucket">Which one, within the platform: all accounts that share it have to wait for it. Empty means the account's own.</param>
internal readonly record struct RateReading(string Bucket, int Remaining, TimeSpan ResetsIn);

/// <summary>Whether a post is there: with what the platform calls it, not there, or nobody can tell.</summary>
internal sealed record Found(bool? IsThere, string? ExternalId = null, string? Url = null);
