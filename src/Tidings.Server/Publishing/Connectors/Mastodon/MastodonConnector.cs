using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Tidings.Server.Publishing.Outgoing;

namespace Tidings.Server.Publishing.Connectors.Mastodon;

/// <summary>
/// Posts to Mastodon, and to other servers with its API. An instance knows a key for an hour, so a doubtful attempt is repeated within that; after it the
/// account's own statuses are looked through.
/// </summary>
internal sealed class MastodonConnector : IAuthorizingConnector
{
    private const int Listed = 40;

    private static readonly TimeSpan ClockDifference = TimeSpan.FromMinutes(2);

    private readonly MastodonCalls _calls;
    private readonly MastodonMedia _media;
    private readonly MastodonAuthorization _authorization;
    private readonly Instances _instances;

    public MastodonConnector(OutgoingHttp http, TimeProvider clock)
    {
        _calls = new MastodonCalls(http, clock);
        _media = new MastodonMedia(_calls, clock);
        _authorization = new MastodonAuthorization(http, clock);
        _instances = new Instances(http, clock);
    }

    public string Platform => "mastodon";

    public Repeats Repeats => Repeats.WhileKeyIsKept;

    public bool WantsAuthorization(ConnectRequest request) => TokenOf(request) is null;

    public Task<AuthorizationAnswer> BeginAsync(ConnectRequest request, Uri callback, string state, CancellationToken cancellationToken) =>
        request.BaseUrl is { } baseUrl
            ? _authorization.BeginAsync(baseUrl, callback, state, cancellationToken)
            : Task.FromResult(AuthorizationAnswer.Refused("baseUrl", "is required: the address of your instance, such as https://mastodon.social."));

    public async Task<ConnectAnswer> FinishAsync(string kept, Uri baseUrl, Uri callback, string code, CancellationToken cancellationToken)
    {
        var (secrets, expiresAt, answer) = await _authorization.FinishAsync(JsonFields.Parse(kept), baseUrl, callback, code, cancellationToken).ConfigureAwait(false);
        return secrets is null
            ? ConnectAnswer.Refused("code", answer.Problem ?? $"The instance did not give a token ({answer.Status}).")
            : await ConnectAsync(baseUrl, null, secrets, expiresAt, cancellationToken).ConfigureAwait(false);
    }

    public async Task<ConnectAnswer> ConnectAsync(ConnectRequest request, CancellationToken cancellationToken)
    {
        if (request.BaseUrl is not { } baseUrl) return ConnectAnswer.Refused("baseUrl", "is required: the address of your instance, such as https://mastodon.social.");
        if (TokenOf(request) is not { } token) return Credentials.Missing("token");
        return await ConnectAsync(baseUrl, request.Handle, Credentials.Keep(("token", token)), null, cancellationToken).ConfigureAwait(false);
    }

    public async Task<RenewAnswer> RenewAsync(ConnectedAccount account, CancellationToken cancellationToken)
    {
        var secrets = JsonFields.Parse(account.Secrets);
        if (secrets.Text("refresh") is { } refresh) return await _authorization.RenewAsync(secrets, account.BaseUrl, refresh, cancellationToken).ConfigureAwait(false);
        if (secrets.Text("token") is not { } token) return RenewAnswer.Refused("Its token is lost.");

        var answer = await VerifyAsync(account.BaseUrl, token, cancellationToken).ConfigureAwait(false);
        if (answer.IsSuccess) return RenewAnswer.Unchanged;
        return answer.Status is 401 or 403 ? RenewAnswer.Refused("The instance no longer accepts its token.") : RenewAnswer.Later(answer.Problem ?? $"The instance could not be asked ({answer.Status}).");
    }

    public async ValueTask<IReadOnlyList<string>> CheckAsync(OutgoingPost post, ConnectedAccount account, CancellationToken cancellationToken)
    {
        var (text, limits) = (PostText.Of(post), await _instances.LimitsAsync(account.BaseUrl, cancellationToken).ConfigureAwait(false));
        List<string> problems = [.. PostText.Empty(text, post), .. PostText.TooLong(account.BaseUrl.Host, StatusText.Count(text, limits.CharsPerUrl), limits.Chars)];
        if (post.Media.Count > limits.Files) problems.Add($"{account.BaseUrl.Host} takes {limits.Files} files in a post, and this one has {post.Media.Count}.");
        foreach (var media in post.Media)
        {
            var most = media.ContentType.StartsWith("image/", StringComparison.Ordinal) ? limits.ImageBytes : limits.VideoBytes;
            if (limits.Types.Count > 0 && !limits.Types.Contains(media.ContentType)) problems.Add($"{account.BaseUrl.Host} does not take files of the type {media.ContentType}.");
            else if (media.Bytes > most) problems.Add($"{account.BaseUrl.Host} takes such files of {PostText.Size(most)}, and one has {PostText.Size(media.Bytes)}.");
        }

        return problems;
    }

    public async Task<SendOutcome> SendAsync(Delivery delivery, CancellationToken cancellationToken)
    {
        var account = delivery.Account;
        if (JsonFields.Parse(account.Secrets).Text("token") is not { } token) return new SendOutcome(SendResult.AuthRefused, "Its token is lost.");
        var (media, notReady) = await _media.PrepareAsync(delivery, token, cancellationToken).ConfigureAwait(false);
        if (notReady is not null) return notReady;

        var status = new JsonObject { ["status"] = PostText.Of(delivery.Post), ["visibility"] = "public" };
        if (media.Count > 0) status["media_ids"] = new JsonArray([.. media.Select(static id => (JsonNode)id)]);
        if (delivery.Post.Language is { } language) status["language"] = language;
        using var body = new StringContent(status.ToJsonString(), Encoding.UTF8, "application/json");
        var answer = await _calls.SendAsync(HttpMethod.Post, account.BaseUrl, "api/v1/statuses", token, body, cancellationToken, key: delivery.Key).ConfigureAwait(false);
        return answer.IsSuccess && answer.Json.Id("id") is { } id
            ? Outcomes.Sent(answer, id, WebAddress(answer.Json)) with { Rate = _calls.RateOf(answer) }
            : _calls.OfFailure(answer, account, isPreparation: false);
    }

    public async Task<Found> FindAsync(Delivery delivery, CancellationToken cancellationToken)
    {
        var account = delivery.Account;
        if (JsonFields.Parse(account.Secrets).Text("token") is not { } token) return new Found(null);
        var path = $"api/v1/accounts/{Uri.EscapeDataString(account.ExternalId)}/statuses?limit={Listed}&exclude_reblogs=true";
        var answer = await _calls.SendAsync(HttpMethod.Get, account.BaseUrl, path, token, null, cancellationToken).ConfigureAwait(false);
        if (!answer.IsSuccess || answer.Json.ValueKind != JsonValueKind.Array) return new Found(null);

        var (text, since, reachesBack) = (PostText.Of(delivery.Post), delivery.FirstAttemptAt - ClockDifference, answer.Json.GetArrayLength() < Listed);
        foreach (var status in answer.Json.EnumerateArray())
        {
            if (!DateTimeOffset.TryParse(status.Text("created_at"), CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var at)) return new Found(null);
            if (at < since) reachesBack = true; // pinned ones may be out of order, so the rest is looked at too
            else if (StatusText.IsSame(text, status.Text("content") ?? "") && status.Items("media_attachments").Count() == delivery.Post.Media.Count && status.Id("id") is { } id)
                return new Found(true, id, WebAddress(status));
        }

        return new Found(reachesBack ? false : null);
    }

    private async Task<ConnectAnswer> ConnectAsync(Uri baseUrl, string? handle, string secrets, DateTimeOffset? expiresAt, CancellationToken cancellationToken)
    {
        var answer = await VerifyAsync(baseUrl, JsonFields.Parse(secrets).Text("token")!, cancellationToken).ConfigureAwait(false);
        if (answer.Status is 401 or 403) return ConnectAnswer.Refused(Credentials.Field("token"), "The instance does not accept this token, or it may not read the account (read:accounts).");
        if (!answer.IsSuccess || answer.Json.Id("id") is not { } id) return Credentials.Unreached(answer, "baseUrl");
        return new ConnectAnswer(new NewAccount(id, handle ?? $"@{answer.Json.Text("username") ?? id}@{baseUrl.Host}", baseUrl, secrets, expiresAt), null);
    }

    private Task<OutgoingAnswer> VerifyAsync(Uri baseUrl, string token, CancellationToken cancellationToken) =>
        _calls.SendAsync(HttpMethod.Get, baseUrl, "api/v1/accounts/verify_credentials", token, null, cancellationToken);

    private static string? TokenOf(ConnectRequest request) => request.Text("token") ?? request.Text("accessToken");

    /// <summary>Where people see a status; some servers answer without it, and what is no web address is not shown.</summary>
    private static string? WebAddress(JsonElement status) =>
        Uri.TryCreate(status.Text("url") ?? status.Text("uri"), UriKind.Absolute, out var url) && url.Scheme is "https" or "http" ? url.AbsoluteUri : null;
}
