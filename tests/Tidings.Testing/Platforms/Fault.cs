namespace Tidings.Testing.Platforms;

/// <summary>What a double does with a request that posts.</summary>
public enum Fault
{
    /// <summary>It posts and says so.</summary>
    None,

    /// <summary>It cuts the line without posting, once it has read the request.</summary>
    CutBefore,

    /// <summary>It posts and cuts the line instead of an answer.</summary>
    CutAfter,

    /// <summary>It posts nothing and says that it has had too many requests.</summary>
    TooManyRequests,

    /// <summary>It posts nothing and answers 500.</summary>
    ErrorBefore,

    /// <summary>It posts and answers 500.</summary>
    ErrorAfter,

    /// <summary>It posts nothing and answers 502.</summary>
    BadGateway,

    /// <summary>It posts and answers success with what nobody understands.</summary>
    Garbage,

    /// <summary>It does with the request twice what it does with one, as proxies do that repeat; the second answer is given.</summary>
    Twice,

    /// <summary>It answers nothing until <see cref="PlatformDouble.Delay"/> is over, and then as usual.</summary>
    Slow,
}

/// <summary>What was posted on a double, as people would see it there.</summary>
/// <param name="Account">Whose, as the platform names it.</param>
/// <param name="Key">What made it one of its kind, if the platform has such a thing.</param>
/// <param name="Id">What the platform calls it.</param>
public sealed record Posted(string Account, string? Key, string Id, string Text, int Files, DateTimeOffset At);
