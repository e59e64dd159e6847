using System.Text.Json;
using Tidings.Server.Publishing.Outgoing;

namespace Tidings.Server.Publishing.Connectors;

/// <summary>
/// What answers mean for an attempt where a platform has no words of its own: strictly, so that what may have been posted is never called unsent.
/// </summary>
internal static class Outcomes
{
    private const int BodyChars = 500;
    private const int LeastSecret = 6;
    private static readonly TimeSpan UsualWait = TimeSpan.FromSeconds(30);

    public static SendOutcome Sent(OutgoingAnswer answer, string? externalId, string? url) =>
        new(SendResult.Sent, null) { Status = answer.Status, ExternalId = externalId, Url = url };

    /// <summary>An outcome with what the platform answered, without the account's secrets.</summary>
    public static SendOutcome Of(SendResult result, string reason, OutgoingAnswer answer, ConnectedAccount account) =>
        new(result, WithoutSecrets(reason, account)) { Status = answer.Status, Body = answer.Status is null ? null : WithoutSecrets(answer.Text(BodyChars), account) };

    /// <summary>
    /// Too many requests: nothing was posted. <paramref name="retryAfter"/> is what the platform's own headers or fields say, if <c>Retry-After</c> doesn't.
    /// </summary>
    public static SendOutcome RateLimited(OutgoingAnswer answer, ConnectedAccount account, TimeProvider clock, TimeSpan? retryAfter = null) =>
        Of(SendResult.RateLimited, "Too many requests for now.", answer, account) with
        {
            RetryAfter = OutgoingAnswer.Bounded(retryAfter) ?? answer.RetryAfter(clock.GetUtcNow()) ?? UsualWait,
        };

    /// <summary>
    /// What every platform means alike: no answer, 429, 5xx, what was moved. Other 4xx are a definite no, with the platform's own words if there are some.
    /// </summary>
    public static SendOutcome OfFailure(OutgoingAnswer answer, ConnectedAccount account, TimeProvider clock, string? words = null) => answer switch
    {
        { End: OutgoingEnd.NotSent } => Of(SendResult.NotSent, answer.Problem!, answer, account),
        { End: OutgoingEnd.Unknown } => Of(SendResult.Unknown, answer.Problem!, answer, account),
        { Status: 429 } => RateLimited(answer, account, clock),
        { Status: 408 or 409 or >= 500 } => Of(SendResult.Unknown, $"The answer was an error of the other side ({answer.Status}).", answer, account) with
        {
            RetryAfter = answer.RetryAfter(clock.GetUtcNow()),
        },
        { Status: >= 300 and < 400 } => Of(SendResult.Rejected, $"The answer was that this is somewhere else ({answer.Status}); connect the account at its new address.", answer, account),
        { Status: >= 400 } => Of(SendResult.Rejected, words is null ? $"The answer was no ({answer.Status})." : $"The answer was no: {words}", answer, account),
        _ => Of(SendResult.Unknown, "The answer could not be understood.", answer, account),
    };

    /// <summary>The same for a step before anything is posted, such as an upload: whatever is unknown about it, nothing was posted.</summary>
    public static SendOutcome OfPreparation(OutgoingAnswer answer, ConnectedAccount account, TimeProvider clock, string? words = null) =>
        OfFailure(answer, account, clock, words) is { Result: SendResult.Unknown } unknown ? unknown with { Result = SendResult.NotSent } : OfFailure(answer, account, clock, words);

    /// <summary>A text in which the account's secrets, should somebody have echoed them, are blanked.</summary>
    private static string WithoutSecrets(string text, ConnectedAccount account)
    {
        foreach (var secret in JsonFields.Parse(account.Secrets) is { ValueKind: JsonValueKind.Object } secrets ? secrets.EnumerateObject() : default)
            if (secret.Value.AsText() is { Length: >= LeastSecret } value) text = text.Replace(value, "***", StringComparison.Ordinal);
        return text.Length <= BodyChars ? text : text[..BodyChars];
    }
}
