using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Tidings.Server.Publishing.Outgoing;

namespace Tidings.Server.Publishing.Connectors.Bluesky;

/// <summary>
/// Posts to Bluesky, on whichever personal data server the account is. The record's key comes from the delivery's key and is put where none may be yet, so
/// an attempt that is repeated finds its own record.
/// </summary>
internal sealed class BlueskyConnector(OutgoingHttp http, TimeProvider clock) : IPublishingConnector
{
    private const string Collection = "app.bsky.feed.post";
    private const int MaxGraphemes = 300;
    private const int MaxTextBytes = 3_000;
    private const int MaxImages = 4;
    private const long MaxImageBytes = 2_000_000;
    private const int MaxMentions = 10;

    private static readonly Uri UsualServer = new("https://bsky.social");
    private static readonly string[] ImageTypes = ["image/jpeg", "image/png", "image/webp", "image/gif"];

    private readonly BlueskySession _server = new(http, clock);

    public string Platform => "bluesky";

    public Repeats Repeats => Repeats.Always;

    public async Task<ConnectAnswer> ConnectAsync(ConnectRequest request, CancellationToken cancellationToken)
    {
        if ((request.Handle ?? request.Text("identifier")) is not { } handle) return ConnectAnswer.Refused("handle", "is required, such as ann.bsky.social.");
        if ((request.Text("appPassword") ?? request.Text("password")) is not { } password) return Credentials.Missing("appPassword");

        var (server, identifier) = (request.BaseUrl ?? UsualServer, handle.TrimStart('@'));
        var answer = await _server.BeginAsync(server, identifier, password, cancellationToken).ConfigureAwait(false);
        if (answer.Json.Text("error") == "AuthFactorTokenRequired")
            return ConnectAnswer.Refused(Credentials.Field("appPassword"), "This is the account's own password; make an app password in Bluesky's settings.");
        if (answer.Status is 400 or 401) return ConnectAnswer.Refused(Credentials.Field("appPassword"), "Bluesky does not know this handle with this app password.");
        if (!answer.IsSuccess || answer.Json.Text("did") is not { } did || _server.Keep(answer, identifier, password, null) is not { } kept)
            return Credentials.Unreached(answer, "baseUrl");
        return new ConnectAnswer(new NewAccount(did, $"@{answer.Json.Text("handle") ?? identifier}", server, kept.Secrets, kept.ExpiresAt), null);
    }

    public async Task<RenewAnswer> RenewAsync(ConnectedAccount account, CancellationToken cancellationToken)
    {
        var secrets = JsonFields.Parse(account.Secrets);
        if (secrets.Text("identifier") is not { } identifier || secrets.Text("password") is not { } password) return RenewAnswer.Refused("Its app password is lost.");

        var refresh = secrets.Text("refresh");
        if (refresh is not null)
        {
            var answer = await _server.RefreshAsync(account.BaseUrl, refresh, cancellationToken).ConfigureAwait(false);
            if (answer.IsSuccess && _server.Keep(answer, identifier, password, refresh) is { } kept) return new RenewAnswer(kept.Secrets, kept.ExpiresAt, false, null);
            if (BlueskySession.IsAccountGone(answer)) return RenewAnswer.Refused("Bluesky says that the account is not active.");
            if (!BlueskySession.IsAboutToken(answer)) return RenewAnswer.Later(answer.Problem ?? $"The session could not be renewed ({answer.Status}).");
        }

        // The session is over; the app password begins another.
        var begun = await _server.BeginAsync(account.BaseUrl, identifier, password, cancellationToken).ConfigureAwait(false);
        if (begun.IsSuccess && _server.Keep(begun, identifier, password, refresh) is { } fresh) return new RenewAnswer(fresh.Secrets, fresh.ExpiresAt, false, null);
        if (BlueskySession.IsAccountGone(begun)) return RenewAnswer.Refused("Bluesky says that the account is not active.");
        return begun.Status == 401 || (begun.Status == 400 && BlueskySession.IsAboutToken(begun))
            ? RenewAnswer.Refused("Bluesky no longer accepts the app password.")
            : RenewAnswer.Later(begun.Problem ?? $"A session could not be begun ({begun.Status}).");
    }

    public ValueTask<IReadOnlyList<string>> CheckAsync(OutgoingPost post, ConnectedAccount account, CancellationToken cancellationToken)
    {
        var text = PostText.Of(post);
        List<string> problems =
        [
            .. PostText.Empty(text, post),
            .. PostText.TooLong("Bluesky", PostText.Graphemes(text), MaxGraphemes),
            .. PostText.TooLong("Bluesky", Encoding.UTF8.GetByteCount(text), MaxTextBytes, "bytes"),
        ];
        if (post.Media.Count > MaxImages) problems.Add($"Bluesky takes {MaxImages} images in a post, and this one has {post.Media.Count}.");
        foreach (var media in post.Media)
        {
            if (!ImageTypes.Contains(media.ContentType, StringComparer.Ordinal)) problems.Add($"To Bluesky only images can be posted from here (JPEG, PNG, WebP, GIF), and one file is {media.ContentType}.");
            else if (media.Bytes > MaxImageBytes) problems.Add($"Bluesky takes images of {PostText.Size(MaxImageBytes)}, and one has {PostText.Size(media.Bytes)}.");
        }

        return ValueTask.FromResult<IReadOnlyList<string>>(problems);
    }

    public async Task<SendOutcome> SendAsync(Delivery delivery, CancellationToken cancellationToken)
    {
        var account = delivery.Account;
        if (JsonFields.Parse(account.Secrets).Text("access") is not { } token) return new SendOutcome(SendResult.AuthRefused, "There is no session.");

        var images = new JsonArray();
        foreach (var media in delivery.Post.Media)
        {
            // In each attempt: a server soon drops what no record names, and the same bytes are the same blob.
            if (await MediaParts.OpenAsync(media, cancellationToken).ConfigureAwait(false) is not { } file) return MediaParts.Unreadable();
            var uploaded = await _server.CallAsync(account.BaseUrl, "com.atproto.repo.uploadBlob", file, token, cancellationToken).ConfigureAwait(false);
            if (!uploaded.IsSuccess || uploaded.Json.Child("blob") is not { ValueKind: JsonValueKind.Object } blob) return OfFailure(uploaded, account, isPreparation: true);
            images.Add((JsonNode)ImageOf(media, blob));
        }

        var key = RecordKey.Of(delivery.Key, delivery.Post.CreatedAt);
        var record = await RecordAsync(delivery.Post, account.BaseUrl, images, cancellationToken).ConfigureAwait(false);
        var body = new JsonObject { ["repo"] = account.ExternalId, ["collection"] = Collection, ["rkey"] = key, ["swapRecord"] = null, ["record"] = record };
        var answer = await _server.CallAsync(account.BaseUrl, "com.atproto.repo.putRecord", body, token, cancellationToken).ConfigureAwait(false);

        if (answer.IsSuccess && answer.Json.Text("uri") is { } uri) return Outcomes.Sent(answer, uri, UrlOf(account, key)) with { Rate = RateOf(answer) };
        if (answer.Json.Text("error") == "InvalidSwap" && (await FindAsync(delivery, cancellationToken).ConfigureAwait(false)).IsThere == true)
            return Outcomes.Sent(answer, $"at://{account.ExternalId}/{Collection}/{key}", UrlOf(account, key)); // an earlier attempt put it there
        return OfFailure(answer, account, isPreparation: false);
    }

    public async Task<Found> FindAsync(Delivery delivery, CancellationToken cancellationToken)
    {
        var (account, key) = (delivery.Account, RecordKey.Of(delivery.Key, delivery.Post.CreatedAt));
        var query = $"com.atproto.repo.getRecord?repo={Uri.EscapeDataString(account.ExternalId)}&collection={Collection}&rkey={key}";
        var answer = await _server.CallAsync(account.BaseUrl, query, (JsonObject?)null, token: null, cancellationToken).ConfigureAwait(false);
        if (answer.IsSuccess && answer.Json.Child("value") is { ValueKind: JsonValueKind.Object } record)
        {
            return (record.Text("text") ?? "") == PostText.Of(delivery.Post)
                ? new Found(true, answer.Json.Text("uri"), UrlOf(account, key))
                : new Found(null); // something else has this key
        }

        return answer.Status == 400 && answer.Json.Text("error") == "RecordNotFound" ? new Found(false) : new Found(null);
    }

    private SendOutcome OfFailure(OutgoingAnswer answer, ConnectedAccount account, bool isPreparation)
    {
        if (BlueskySession.IsAboutToken(answer)) return Outcomes.Of(SendResult.AuthRefused, "Bluesky does not accept the session any more.", answer, account);
        if (BlueskySession.IsAccountGone(answer)) return Outcomes.Of(SendResult.AccountGone, "Bluesky says that the account is not active.", answer, account);
        if (answer.Status == 429) return Outcomes.RateLimited(answer, account, clock, ResetOf(answer)) with { Rate = RateOf(answer) };
        var words = answer.Json.Text("message");
        return isPreparation ? Outcomes.OfPreparation(answer, account, clock, words) : Outcomes.OfFailure(answer, account, clock, words);
    }

    private TimeSpan? ResetOf(OutgoingAnswer answer) =>
        answer.Number("RateLimit-Reset") is { } seconds and > 0 and < 32_503_680_000 ? DateTimeOffset.FromUnixTimeSeconds((long)seconds) - clock.GetUtcNow() : null;

    private RateReading? RateOf(OutgoingAnswer answer) =>
        answer.Number("RateLimit-Remaining") is { } left and >= 0 and <= int.MaxValue && OutgoingAnswer.Bounded(ResetOf(answer)) is { } reset ? new RateReading("", (int)left, reset) : null;

    private async Task<JsonObject> RecordAsync(OutgoingPost post, Uri server, JsonArray images, CancellationToken cancellationToken)
    {
        var text = PostText.Of(post);
        var dids = new Dictionary<string, string>(StringComparer.OrdinalIgnoreCase);
        foreach (var handle in RichText.Mentions(text).Take(MaxMentions))
        {
            var query = $"com.atproto.identity.resolveHandle?handle={Uri.EscapeDataString(handle)}";
            var resolved = await _server.CallAsync(server, query, (JsonObject?)null, token: null, cancellationToken).ConfigureAwait(false);
            if (resolved.IsSuccess && resolved.Json.Text("did") is { } did) dids[handle] = did;
        }

        var record = new JsonObject
        {
            ["$type"] = Collection,
            ["text"] = text,
            ["createdAt"] = post.CreatedAt.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss.fff'Z'", CultureInfo.InvariantCulture),
        };
        if (post.Language is { } language) record["langs"] = new JsonArray(language);
        if (RichText.Facets(text, dids) is { Count: > 0 } facets) record["facets"] = facets;
        if (images.Count > 0) record["embed"] = new JsonObject { ["$type"] = "app.bsky.embed.images", ["images"] = images };
        return record;
    }

    private static JsonObject ImageOf(OutgoingMedia media, JsonElement blob)
    {
        var image = new JsonObject { ["alt"] = media.Description, ["image"] = JsonNode.Parse(blob.GetRawText()) };
        if (media is { Width: > 0 and { } width, Height: > 0 and { } height }) image["aspectRatio"] = new JsonObject { ["width"] = width, ["height"] = height };
        return image;
    }

    private static string UrlOf(ConnectedAccount account, string key) => $"https://bsky.app/profile/{account.ExternalId}/post/{key}";
}
