using System.Globalization;
using System.Net.Http.Headers;
using Tidings.Server.Publishing.Outgoing;

namespace Tidings.Server.Publishing.Connectors.Mastodon;

/// <summary>Requests to an instance, and what its answers mean.</summary>
internal sealed class MastodonCalls(OutgoingHttp http, TimeProvider clock)
{
    public async Task<OutgoingAnswer> SendAsync(
        HttpMethod method, Uri baseUrl, string path, string token, HttpContent? body, CancellationToken cancellationToken, string? key = null, TimeSpan? within = null)
    {
        using var request = new HttpRequestMessage(method, Credentials.Under(baseUrl, path)) { Content = body };
        request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", token);
        if (key is not null) request.Headers.Add("Idempotency-Key", key);
        return await http.SendAsync(request, cancellationToken, within).ConfigureAwait(false);
    }

    public SendOutcome OfFailure(OutgoingAnswer answer, ConnectedAccount account, bool isPreparation)
    {
        if (answer.Status is 401 or 403) return Outcomes.Of(SendResult.AuthRefused, "The instance does not accept the token.", answer, account);
        if (answer.Status == 429) return Outcomes.RateLimited(answer, account, clock, ResetOf(answer)) with { Rate = RateOf(answer) };
        var words = answer.Json.Text("error");
        return isPreparation ? Outcomes.OfPreparation(answer, account, clock, words) : Outcomes.OfFailure(answer, account, clock, words);
    }

    public RateReading? RateOf(OutgoingAnswer answer) =>
        answer.Number("X-RateLimit-Remaining") is { } left and >= 0 and <= int.MaxValue && OutgoingAnswer.Bounded(ResetOf(answer)) is { } reset ? new RateReading("", (int)left, reset) : null;

    /// <summary>The limit's end, which Mastodon writes as a time.</summary>
    private TimeSpan? ResetOf(OutgoingAnswer answer) =>
        DateTimeOffset.TryParse(answer.Header("X-RateLimit-Reset"), CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var end) ? end - clock.GetUtcNow() : null;
}
