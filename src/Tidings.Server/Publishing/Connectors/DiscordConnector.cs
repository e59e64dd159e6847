using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using Tidings.Server.Publishing.Outgoing;

namespace Tidings.Server.Publishing.Connectors;

/// <summary>
/// Posts to a channel of Discord by its webhook. The address holds the secret, so it is kept and treated as one. Discord has no key that makes a repeated
/// request one post: an attempt of which nobody knows how it ended is never repeated.
/// </summary>
internal sealed class DiscordConnector(OutgoingHttp http, TimeProvider clock) : IPublishingConnector
{
    private const int MaxChars = 2_000;
    private const int MaxFiles = 10;
    private const long MaxFileBytes = 10 * 1024 * 1024;

    private static readonly JsonSerializerOptions Plain = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };
    private static readonly Uri People = new("https://discord.com");

    public string Platform => "discord";

    public Repeats Repeats => Repeats.Never;

    public async Task<ConnectAnswer> ConnectAsync(ConnectRequest request, CancellationToken cancellationToken)
    {
        if (request.Text("url") is not { } text) return Credentials.Missing("url");
        if (!Uri.TryCreate(text, UriKind.Absolute, out var url) || url.AbsolutePath.Split('/', StringSplitOptions.RemoveEmptyEntries) is not [.., "webhooks", { } id, { } token] || !id.All(char.IsAsciiDigit))
            return ConnectAnswer.Refused(Credentials.Field("url"), "must be a webhook's address as Discord shows it: https://discord.com/api/webhooks/…/….");
        var server = request.BaseUrl ?? new Uri(url.GetLeftPart(UriPartial.Authority));
        if (http.ProblemOf(server) is { } problem) return ConnectAnswer.Refused(Credentials.Field("url"), problem);
        var thread = request.Text("threadId");
        if (thread?.All(char.IsAsciiDigit) == false) return ConnectAnswer.Refused(Credentials.Field("threadId"), "must be the number of a thread.");

        using var asked = new HttpRequestMessage(HttpMethod.Get, AddressOf(server, id, token));
        var answer = await http.SendAsync(asked, cancellationToken).ConfigureAwait(false);
        if (answer.Status is 401 or 403 or 404) return ConnectAnswer.Refused(Credentials.Field("url"), "Discord does not know this webhook.");
        if (!answer.IsSuccess || answer.Json.Id("id") is not { } known) return Credentials.Unreached(answer, Credentials.Field("url"));

        var secrets = Credentials.Keep(("token", token), ("guild", answer.Json.Id("guild_id")), ("thread", thread));
        var externalId = thread is null ? known : $"{known}/{thread}";
        return new ConnectAnswer(new NewAccount(externalId, request.Handle ?? answer.Json.Text("name") ?? "Discord", server, secrets, ExpiresAt: null), null);
    }

    public Task<RenewAnswer> RenewAsync(ConnectedAccount account, CancellationToken cancellationToken) => Task.FromResult(RenewAnswer.Unchanged);

    public ValueTask<IReadOnlyList<string>> CheckAsync(OutgoingPost post, ConnectedAccount account, CancellationToken cancellationToken)
    {
        var text = PostText.Of(post);
        List<string> problems = [.. PostText.Empty(text, post), .. PostText.TooLong("Discord", text.Length, MaxChars)];
        if (post.Media.Count > MaxFiles) problems.Add($"Discord takes {MaxFiles} files in a message, and this post has {post.Media.Count}.");
        foreach (var media in post.Media.Where(static media => media.Bytes > MaxFileBytes))
            problems.Add($"Discord takes files of {PostText.Size(MaxFileBytes)}, and one has {PostText.Size(media.Bytes)}.");
        return ValueTask.FromResult<IReadOnlyList<string>>(problems);
    }

    public async Task<SendOutcome> SendAsync(Delivery delivery, CancellationToken cancellationToken)
    {
        var (account, secrets) = (delivery.Account, JsonFields.Parse(delivery.Account.Secrets));
        if (secrets.Text("token") is not { } token) return new SendOutcome(SendResult.AccountGone, "The webhook's address is lost; connect it again.");

        var thread = secrets.Text("thread");
        var query = thread is null ? "?wait=true" : $"?wait=true&thread_id={thread}"; // without wait a message that failed is answered with success
        using var request = new HttpRequestMessage(HttpMethod.Post, AddressOf(account.BaseUrl, account.ExternalId.Split('/')[0], token) + query);
        var message = new JsonObject { ["content"] = PostText.Of(delivery.Post), ["allowed_mentions"] = new JsonObject { ["parse"] = new JsonArray() } };
        if (await ContentAsync(message, delivery.Post.Media, cancellationToken).ConfigureAwait(false) is not { } content) return MediaParts.Unreadable();
        request.Content = content;

        var answer = await http.SendAsync(request, cancellationToken).ConfigureAwait(false);
        var rate = RateOf(answer, account.ExternalId);
        return answer.Status switch
        {
            200 when answer.Json.Id("id") is { } id => Outcomes.Sent(answer, id, UrlOf(secrets, answer.Json, id)) with { Rate = rate },
            401 or 403 or 404 => Outcomes.Of(SendResult.AccountGone, "Discord says that the webhook is gone.", answer, account), // more such answers would ban this server
            429 => Outcomes.RateLimited(answer, account, clock, SecondsOf(answer.Json.Number("retry_after"))) with
            {
                Rate = answer.Json.Truth("global") == true ? new RateReading("global", 0, SecondsOf(answer.Json.Number("retry_after")) ?? TimeSpan.FromSeconds(1)) : rate,
            },
            _ => Outcomes.OfFailure(answer, account, clock, answer.Json.Text("message")) with { Rate = rate },
        };
    }

    /// <summary>A webhook cannot list what it has posted.</summary>
    public Task<Found> FindAsync(Delivery delivery, CancellationToken cancellationToken) => Task.FromResult(new Found(null));

    private static async Task<HttpContent?> ContentAsync(JsonObject message, IReadOnlyList<OutgoingMedia> media, CancellationToken cancellationToken)
    {
        if (media.Count == 0) return new StringContent(message.ToJsonString(Plain), Encoding.UTF8, "application/json");

        message["attachments"] = new JsonArray([.. media.Select(static (file, i) => (JsonNode)new JsonObject { ["id"] = i, ["description"] = file.Description })]);
        var form = MediaParts.Form();
        form.Field("payload_json", message.ToJsonString(Plain));
        for (var i = 0; i < media.Count; i++)
        {
            if (await form.FileAsync($"files[{i}]", i, media[i], cancellationToken).ConfigureAwait(false)) continue;
            form.Dispose();
            return null;
        }

        return form;
    }

    private static RateReading? RateOf(OutgoingAnswer answer, string externalId) =>
        answer.Number("X-RateLimit-Remaining") is { } left and >= 0 and <= int.MaxValue && SecondsOf(answer.Number("X-RateLimit-Reset-After")) is { } reset
            ? new RateReading($"{answer.Header("X-RateLimit-Bucket")}/{externalId}", (int)left, reset)
            : null;

    private static TimeSpan? SecondsOf(double? seconds) => seconds is >= 0 and < 1e6 ? TimeSpan.FromSeconds(seconds.Value) : null;

    private static string AddressOf(Uri server, string id, string token) => Credentials.Under(server, $"api/v10/webhooks/{id}/{token}").AbsoluteUri;

    private static string? UrlOf(JsonElement secrets, JsonElement message, string id) =>
        secrets.Text("guild") is { } guild && message.Id("channel_id") is { } channel ? $"{People}channels/{guild}/{channel}/{id}" : null;
}
