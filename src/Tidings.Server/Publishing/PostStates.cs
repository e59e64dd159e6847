namespace Tidings.Server.Publishing;

/// <summary>What a post is, by what its targets are.</summary>
internal static class PostStates
{
    public const string Scheduled = "scheduled";
    public const string Publishing = "publishing";
    public const string Published = "published";
    public const string PartiallyPublished = "partially_published";
    public const string Failed = "failed";
    public const string Missed = "missed";
    public const string Canceled = "canceled";

    /// <summary>Whether nothing more happens to it by itself.</summary>
    public static bool IsSettled(string? state) => state is Published or PartiallyPublished or Failed or Missed or Canceled;

    /// <summary>The state of a post with these targets. Canceled ones don't count unless all are; an <c>unknown</c> one may be out there.</summary>
    public static string Of(IReadOnlyCollection<string> targets)
    {
        if (targets.All(static state => state == TargetStates.Canceled)) return Canceled;

        var counted = targets.Where(static state => state != TargetStates.Canceled).ToList();
        if (counted.TrueForAll(static state => state == TargetStates.Pending)) return Scheduled;
        if (!counted.TrueForAll(TargetStates.IsSettled)) return Publishing;
        if (counted.TrueForAll(static state => state == TargetStates.Succeeded)) return Published;
        if (counted.Exists(static state => state is TargetStates.Succeeded or TargetStates.Unknown)) return PartiallyPublished;
        return counted.TrueForAll(static state => state == TargetStates.Skipped) ? Missed : Failed;
    }
}
