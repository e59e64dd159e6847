namespace Tidings.Server.Publishing;

/// <summary>How this installation publishes: <c>Tidings:Publishing</c> and <c>Tidings:CronSecret</c>.</summary>
/// <param name="Grace">How late a post may be published that does not say itself.</param>
/// <param name="Lease">How long a node has what it has claimed, unless it says that it still works on it.</param>
/// <param name="CronSecret">What an outside scheduler shows; null: none may call.</param>
internal sealed record PublishingOptions(TimeSpan Grace, TimeSpan Lease, string? CronSecret);
