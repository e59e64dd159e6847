using System.Text.Json.Serialization;
using Tidings.Server.Events;
using Tidings.Server.Host;
using Tidings.Server.Publishing;

namespace Tidings.Server.Features.Scheduling;

/// <summary>When a post is due, as its author sees it.</summary>
/// <param name="ScheduledAt">The instant.</param>
/// <param name="LocalTime">What the clock shows there.</param>
/// <param name="TimeZone">Where.</param>
/// <param name="Resolution">How the one became the other: <c>exact</c>, <c>moved_forward</c>, <c>earlier_of_two</c> or <c>later_of_two</c>.</param>
/// <param name="Note">A sentence, if the time is not what was asked for.</param>
internal sealed record ScheduleView(
    DateTimeOffset ScheduledAt, string LocalTime, string TimeZone, string? Resolution, string? Note)
{
    public static ScheduleView Of(ScheduleTime time) => new(time.Instant, time.Local, time.TimeZone, time.Resolution, time.Note);
}

/// <summary>What a request that changed where or when a post is published answers.</summary>
internal sealed record ScheduleAnswer(bool Success, NormalisedPost Post, IReadOnlyList<TargetView> Targets, ScheduleView? Schedule);

/// <summary>What a request for one target answers.</summary>
internal sealed record TargetAnswer(string PostId, string Status, TargetView Target);

/// <summary>An attempt to publish, as the post's author sees it.</summary>
internal sealed record AttemptView(
    long Number, DateTimeOffset StartedAt, DateTimeOffset? FinishedAt, string? Outcome, long? Status, string? Body, string? Reason, long? LatencyMs);

/// <summary>A target with all that is known of it.</summary>
internal sealed record TargetDetails(
    string Id, string PostId, string Platform, string? AccountId, string? Handle, string Status, DateTimeOffset DueAt, DateTimeOffset? NextAt, string? Url, string? Error,
    IReadOnlyList<AttemptView>? Attempts);

/// <summary>Where a post is published.</summary>
internal sealed record TargetsAnswer(string PostId, string Status, ScheduleView? Schedule, IReadOnlyList<TargetDetails> Targets);

/// <summary>A page of targets that failed or are in doubt, the latest first.</summary>
internal sealed record TargetPage(IReadOnlyList<TargetDetails> Targets, string? NextCursor);

/// <summary>How many targets are tried again.</summary>
internal sealed record RetriedAnswer(int Retried);

/// <summary>How many targets a call of an outside scheduler came to an end with.</summary>
internal sealed record ProcessedAnswer(long Processed);

/// <summary>The shapes of the scheduler's answers.</summary>
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, Converters = [typeof(InstantJson)], DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(TargetAnswer))]
[JsonSerializable(typeof(TargetsAnswer))]
[JsonSerializable(typeof(TargetPage))]
[JsonSerializable(typeof(RetriedAnswer))]
[JsonSerializable(typeof(ProcessedAnswer))]
internal sealed partial class SchedulingJson : JsonSerializerContext
{
    public static SchedulingJson Answers => field ??= new(EventJson.Options(Default.Options));
}

/// <summary>The shapes with a post in them, whose empty fields are there as everywhere.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, Converters = [typeof(InstantJson)])]
[JsonSerializable(typeof(ScheduleAnswer))]
internal sealed partial class ScheduledPostJson : JsonSerializerContext
{
    public static ScheduledPostJson Answers => field ??= new(EventJson.Options(Default.Options));
}

/// <summary>The shapes of the scheduler's requests.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(SchedulePost.Request), TypeInfoPropertyName = "SchedulePost")]
[JsonSerializable(typeof(PublishNow.Request), TypeInfoPropertyName = "PublishNow")]
[JsonSerializable(typeof(ResolveTarget.Request), TypeInfoPropertyName = "ResolveTarget")]
[JsonSerializable(typeof(RetryFailed.Request), TypeInfoPropertyName = "RetryFailed")]
internal sealed partial class SchedulingRequestJson : JsonSerializerContext
{
    public static SchedulingRequestJson Strict => field ??= new(RequestJson.Strict(Default.Options));
}
