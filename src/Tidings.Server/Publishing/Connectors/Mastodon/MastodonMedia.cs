using System.Text.Json;
using System.Text.Json.Nodes;
using Tidings.Server.Publishing.Outgoing;

namespace Tidings.Server.Publishing.Connectors.Mastodon;

/// <summary>
/// Uploads a post's files before the post. An instance works on them for a while, and a status that names one too early is refused. Their ids are kept, so
/// that a retry uploads nothing twice; whatever goes wrong here, nothing was posted.
/// </summary>
internal sealed class MastodonMedia(MastodonCalls calls, TimeProvider clock)
{
    private static readonly TimeSpan UploadTime = TimeSpan.FromMinutes(2);
    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan TryAgain = TimeSpan.FromSeconds(15);
    private const int Asks = 20;

    /// <summary>The ids to attach; or the outcome of the attempt, if they are not ready.</summary>
    public async Task<(IReadOnlyList<string> Ids, SendOutcome? Outcome)> PrepareAsync(Delivery delivery, string token, CancellationToken cancellationToken)
    {
        var account = delivery.Account;
        var ids = JsonFields.Parse(delivery.Progress).Items("media").Select(static id => id.AsText()).OfType<string>().ToList();
        for (var i = 0; i < delivery.Post.Media.Count; i++)
        {
            if (i < ids.Count && await IsReadyAsync(account, token, ids[i], cancellationToken).ConfigureAwait(false) is var (kept, failure) && kept != MediaState.Gone)
            {
                if (failure is not null) return ([], failure);
                continue;
            }

            var (id, isReady, outcome) = await UploadAsync(account, token, delivery.Post.Media[i], cancellationToken).ConfigureAwait(false);
            if (outcome is not null) return ([], outcome);
            if (i < ids.Count) ids[i] = id!;
            else ids.Add(id!);
            await delivery.KeepAsync(new JsonObject { ["media"] = new JsonArray([.. ids.Select(static one => (JsonNode)one)]) }.ToJsonString(), cancellationToken).ConfigureAwait(false);
            if (isReady) continue;

            var (state, waiting) = await IsReadyAsync(account, token, id!, cancellationToken).ConfigureAwait(false);
            if (state == MediaState.Gone) return ([], new SendOutcome(SendResult.Rejected, "The instance can't process a file of the post."));
            if (waiting is not null) return ([], waiting);
        }

        return (ids, null);
    }

    private async Task<(string? Id, bool IsReady, SendOutcome? Outcome)> UploadAsync(ConnectedAccount account, string token, OutgoingMedia media, CancellationToken cancellationToken)
    {
        using var form = MediaParts.Form();
        if (!await form.FileAsync("file", 0, media, cancellationToken).ConfigureAwait(false)) return (null, false, MediaParts.Unreadable());
        if (media.Description.Length > 0) form.Field("description", media.Description);

        var answer = await calls.SendAsync(HttpMethod.Post, account.BaseUrl, "api/v2/media", token, form, cancellationToken, within: UploadTime).ConfigureAwait(false);
        if (answer.Status is 200 or 202 && answer.Json.Id("id") is { } id) return (id, answer.Status == 200, null);
        return (null, false, calls.OfFailure(answer, account, isPreparation: true));
    }

    /// <summary>Asks until the instance is done with a file, for a while.</summary>
    private async Task<(MediaState State, SendOutcome? Outcome)> IsReadyAsync(ConnectedAccount account, string token, string id, CancellationToken cancellationToken)
    {
        for (var ask = 1; ; ask++)
        {
            var answer = await calls.SendAsync(HttpMethod.Get, account.BaseUrl, $"api/v1/media/{Uri.EscapeDataString(id)}", token, null, cancellationToken).ConfigureAwait(false);
            if (answer.Status == 200) return (MediaState.Ready, null);
            if (answer.Status is 404 or 422) return (MediaState.Gone, null);
            if (answer.Status != 206) return (MediaState.Working, calls.OfFailure(answer, account, isPreparation: true));
            if (ask == Asks) return (MediaState.Working, Outcomes.Of(SendResult.NotSent, "The instance is still working on the post's files.", answer, account) with { RetryAfter = TryAgain });
            await Task.Delay(Pause, clock, cancellationToken).ConfigureAwait(false);
        }
    }

    private enum MediaState
    {
        Ready,
        Working,
        Gone,
    }
}
