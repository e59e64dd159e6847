namespace Tidings.Server.Publishing;

/// <summary>What follows from how an attempt ended: the one rule (docs/publishing.md has it in words).</summary>
internal static class AfterAttempt
{
    /// <summary>How long platforms of class B are trusted to know a key: they promise an hour, from when it came to them.</summary>
    public static readonly TimeSpan KeyIsKept = TimeSpan.FromMinutes(50);

    /// <summary>What follows.</summary>
    /// <param name="repeats">The platform's class.</param>
    /// <param name="target">As it was before the attempt.</param>
    /// <param name="outcome">How it ended.</param>
    /// <param name="firstAt">When the first attempt with this key began.</param>
    /// <param name="now">The time.</param>
    public static NextStep Of(Repeats repeats, TargetRow target, SendOutcome outcome, DateTimeOffset firstAt, DateTimeOffset now) => outcome.Result switch
    {
        SendResult.Sent => new NextStep(TargetStates.Succeeded),
        SendResult.AccountGone or SendResult.Rejected => new NextStep(TargetStates.Failed),
        SendResult.Unknown => Doubtful(repeats, target, firstAt, now, RetryDelays.After(target.Tries + 1, outcome.RetryAfter)),
        _ => Wait(target, now + RetryDelays.After(target.Tries + 1, outcome.RetryAfter)),
    };

    /// <summary>Nobody knows whether it was posted.</summary>
    /// <param name="repeats">The platform's class.</param>
    /// <param name="target">The target.</param>
    /// <param name="firstAt">When the first attempt with this key began.</param>
    /// <param name="now">The time.</param>
    /// <param name="wait">How long to wait before it is sent again, if it may be.</param>
    public static NextStep Doubtful(Repeats repeats, TargetRow target, DateTimeOffset firstAt, DateTimeOffset now, TimeSpan wait)
    {
        var isLast = (now + wait).ToUnixTimeMilliseconds() > target.GiveUpAt;
        var wasLookedFor = target.Doubt == TargetRow.LookFirst;
        return repeats switch
        {
            Repeats.Never => new NextStep(TargetStates.Unknown),
            _ when wasLookedFor && isLast => new NextStep(TargetStates.Unknown), // and still nobody knows
            _ when wasLookedFor => new NextStep(TargetStates.RetryWait, now + wait, TargetRow.LookFirst),
            _ when isLast => new NextStep(TargetStates.RetryWait, now, TargetRow.LookFirst),
            Repeats.WhileKeyIsKept when now + wait > firstAt + KeyIsKept => new NextStep(TargetStates.RetryWait, now + wait, TargetRow.LookFirst),
            _ => new NextStep(TargetStates.RetryWait, now + wait, TargetRow.MaybePosted),
        };
    }

    /// <summary>This attempt did not post it, and it is tried again then; or it is given up, though an earlier one may have.</summary>
    public static NextStep Wait(TargetRow target, DateTimeOffset nextAt) => nextAt.ToUnixTimeMilliseconds() <= target.GiveUpAt
        ? new NextStep(TargetStates.RetryWait, nextAt, target.Doubt)
        : new NextStep(target.Doubt > 0 ? TargetStates.Unknown : TargetStates.Failed);
}
