using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Tidings.Server.Publishing.Outgoing;

namespace Tidings.Server.Publishing.Connectors;

/// <summary>
/// Posts to a chat of Telegram with a bot's token. A text that is too long for a caption follows its files as a message of its own; which of the two were
/// sent is kept, so that only the missing one is repeated, and only if it provably was not sent.
/// </summary>
internal sealed class TelegramConnector(OutgoingHttp http, TimeProvider clock) : IPublishingConnector
{
    private const int MaxChars = 4_096;
    private const int MaxCaption = 1_024;
    private const int MaxFiles = 10;
    private const long MaxPhotoBytes = 10_000_000;
    private const long MaxFileBytes = 50_000_000;

    private static readonly Uri UsualServer = new("https://api.telegram.org");

    public string Platform => "telegram";

    public Repeats Repeats => Repeats.Never;

    public async Task<ConnectAnswer> ConnectAsync(ConnectRequest request, CancellationToken cancellationToken)
    {
        if (request.Text("token") is not { } token) return Credentials.Missing("token");
        if (!IsToken(token)) return ConnectAnswer.Refused(Credentials.Field("token"), "must be a bot's token as @BotFather shows it.");
        if ((request.Text("chat") ?? request.Handle) is not { } chat) return Credentials.Missing("chat");

        var server = request.BaseUrl ?? UsualServer;
        var bot = await CallAsync(server, token, "getMe", new StringContent("{}", Encoding.UTF8, "application/json"), cancellationToken).ConfigureAwait(false);
        if (bot.Status is 401 or 404) return ConnectAnswer.Refused(Credentials.Field("token"), "Telegram does not know this token.");
        if (bot.Json.Truth("ok") != true) return Credentials.Unreached(bot, "baseUrl");

        var found = await CallAsync(server, token, "getChat", Json(new JsonObject { ["chat_id"] = chat }), cancellationToken).ConfigureAwait(false);
        if (found.Status is 400 or 403) return ConnectAnswer.Refused(Credentials.Field("chat"), "The bot does not see this chat: add it to the chat, or make it an administrator of the channel.");
        if (found.Json.Child("result").Id("id") is not { } id) return Credentials.Unreached(found, "baseUrl");

        var name = found.Json.Child("result").Text("username");
        var handle = request.Handle ?? (name is null ? found.Json.Child("result").Text("title") ?? chat : $"@{name}");
        return new ConnectAnswer(new NewAccount(id, handle, server, Credentials.Keep(("token", token), ("username", name)), ExpiresAt: null), null);
    }

    /// <summary>A bot's token never ends by itself; asked is whether it was taken back.</summary>
    public async Task<RenewAnswer> RenewAsync(ConnectedAccount account, CancellationToken cancellationToken)
    {
        if (JsonFields.Parse(account.Secrets).Text("token") is not { } token) return RenewAnswer.Refused("The bot's token is lost.");
        var answer = await CallAsync(account.BaseUrl, token, "getMe", Json([]), cancellationToken).ConfigureAwait(false);
        if (answer.Json.Truth("ok") == true) return RenewAnswer.Unchanged;
        return answer.Status is 401 or 404 ? RenewAnswer.Refused("Telegram no longer accepts the bot's token.") : RenewAnswer.Later(answer.Problem ?? $"Telegram could not be asked ({answer.Status}).");
    }

    public ValueTask<IReadOnlyList<string>> CheckAsync(OutgoingPost post, ConnectedAccount account, CancellationToken cancellationToken)
    {
        var text = PostText.Of(post);
        List<string> problems = [.. PostText.Empty(text, post), .. PostText.TooLong("Telegram", text.Length, MaxChars)];
        if (post.Media.Count > MaxFiles) problems.Add($"Telegram takes {MaxFiles} files together, and this post has {post.Media.Count}.");
        foreach (var media in post.Media)
        {
            var most = KindOf(media) == "photo" ? MaxPhotoBytes : MaxFileBytes;
            if (media.Bytes > most) problems.Add($"Telegram takes a {KindOf(media)} of {PostText.Size(most)}, and one has {PostText.Size(media.Bytes)}.");
        }

        if (post.Media.Count > 1 && post.Media.Select(GroupOf).Distinct().Count() > 1)
            problems.Add("Telegram does not show photos or videos together with other files: post them apart.");
        return ValueTask.FromResult<IReadOnlyList<string>>(problems);
    }

    public async Task<SendOutcome> SendAsync(Delivery delivery, CancellationToken cancellationToken)
    {
        var secrets = JsonFields.Parse(delivery.Account.Secrets);
        if (secrets.Text("token") is not { } token) return new SendOutcome(SendResult.AuthRefused, "The bot's token is lost.");

        var (text, media) = (PostText.Of(delivery.Post), delivery.Post.Media);
        var chat = delivery.Account.ExternalId;
        var first = JsonFields.Parse(delivery.Progress).Text("first");
        if (media.Count > 0 && first is null)
        {
            var isWhole = text.Length <= MaxCaption;
            var sent = await SendAsync(delivery.Account, token, chat, target => FilesAsync(target, media, isWhole ? text : "", cancellationToken), cancellationToken).ConfigureAwait(false);
            if (sent.Result != SendResult.Sent || isWhole) return WithUrl(sent, secrets, chat);
            first = sent.ExternalId!;
            await delivery.KeepAsync(new JsonObject { ["first"] = first }.ToJsonString(), cancellationToken).ConfigureAwait(false);
        }

        var message = await SendAsync(delivery.Account, token, chat, target => Task.FromResult<(string, HttpContent)?>(("sendMessage", MessageOf(target, text, first))), cancellationToken).ConfigureAwait(false);
        if (message.Result == SendResult.Sent) return WithUrl(first is null ? message : message with { ExternalId = first }, secrets, chat);
        return first is null ? message : message with { Reason = $"The files were sent, the text that follows them was not. {message.Reason}" };
    }

    /// <summary>A bot cannot read what it has written.</summary>
    public Task<Found> FindAsync(Delivery delivery, CancellationToken cancellationToken) => Task.FromResult(new Found(null));

    /// <summary>Sends one message; to where the chat has moved, if it has.</summary>
    private async Task<SendOutcome> SendAsync(
        ConnectedAccount account, string token, string chat, Func<string, Task<(string Method, HttpContent Body)?>> make, CancellationToken cancellationToken)
    {
        for (var moves = 0; ; moves++)
        {
            if (await make(chat).ConfigureAwait(false) is not (var method, var body)) return MediaParts.Unreadable();
            var answer = await CallAsync(account.BaseUrl, token, method, body, cancellationToken, UploadTime(body)).ConfigureAwait(false);
            if (answer.Status == 400 && answer.Json.Child("parameters").Id("migrate_to_chat_id") is { } moved && moves == 0)
            {
                chat = moved; // nothing was posted: the group has become another kind of chat with another id
                continue;
            }

            var result = answer.Json.Child("result");
            var message = result.ValueKind == JsonValueKind.Array && result.GetArrayLength() > 0 ? result[0] : result;
            if (answer.Json.Truth("ok") == true && message.Id("message_id") is { } id) return Outcomes.Sent(answer, id, url: null);

            var words = answer.Json.Text("description");
            return answer.Status switch
            {
                401 or 404 => Outcomes.Of(SendResult.AuthRefused, "Telegram does not accept the bot's token.", answer, account),
                403 => Outcomes.Of(SendResult.AccountGone, "The bot may not write in this chat any more.", answer, account),
                400 when words?.Contains("chat not found", StringComparison.OrdinalIgnoreCase) == true => Outcomes.Of(SendResult.AccountGone, "Telegram does not find the chat.", answer, account),
                429 => Outcomes.RateLimited(answer, account, clock, answer.Json.Child("parameters").Number("retry_after") is { } seconds and >= 0 and < 1e6 ? TimeSpan.FromSeconds(seconds) : null),
                _ => Outcomes.OfFailure(answer, account, clock, words),
            };
        }
    }

    private async Task<OutgoingAnswer> CallAsync(Uri server, string token, string method, HttpContent body, CancellationToken cancellationToken, TimeSpan? within = null)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, Credentials.Under(server, $"bot{token}/{method}")) { Content = body };
        return await http.SendAsync(request, cancellationToken, within).ConfigureAwait(false);
    }

    private static StringContent MessageOf(string chat, string text, string? replyTo)
    {
        var message = new JsonObject { ["chat_id"] = chat, ["text"] = text }; // plain: Telegram finds links and tags itself, and nothing needs to be escaped
        if (replyTo is not null) message["reply_parameters"] = new JsonObject { ["message_id"] = long.Parse(replyTo, CultureInfo.InvariantCulture), ["allow_sending_without_reply"] = true };
        return Json(message);
    }

    private static async Task<(string Method, HttpContent Body)?> FilesAsync(string chat, IReadOnlyList<OutgoingMedia> media, string caption, CancellationToken cancellationToken)
    {
        var form = MediaParts.Form();
        form.Field("chat_id", chat);
        if (media is [var only])
        {
            if (caption.Length > 0) form.Field("caption", caption);
            if (await form.FileAsync(KindOf(only), 0, only, cancellationToken).ConfigureAwait(false)) return ($"send{char.ToUpperInvariant(KindOf(only)[0])}{KindOf(only)[1..]}", form);
            form.Dispose();
            return null;
        }

        var group = new JsonArray();
        for (var i = 0; i < media.Count; i++)
        {
            var item = new JsonObject { ["type"] = KindOf(media[i]), ["media"] = $"attach://file{i}" };
            if (i == 0 && caption.Length > 0) item["caption"] = caption;
            group.Add((JsonNode)item);
            if (await form.FileAsync($"file{i}", i, media[i], cancellationToken).ConfigureAwait(false)) continue;
            form.Dispose();
            return null;
        }

        form.Field("media", group.ToJsonString());
        return ("sendMediaGroup", form);
    }

    private static SendOutcome WithUrl(SendOutcome sent, JsonElement secrets, string chat)
    {
        if (sent.Result != SendResult.Sent) return sent;
        var url = secrets.Text("username") is { } name ? $"https://t.me/{name}/{sent.ExternalId}"
            : chat.StartsWith("-100", StringComparison.Ordinal) ? $"https://t.me/c/{chat[4..]}/{sent.ExternalId}" : null;
        return sent with { Url = url };
    }

    private static TimeSpan UploadTime(HttpContent body) => body is MultipartFormDataContent ? TimeSpan.FromMinutes(2) : OutgoingHttp.UsualTime;

    private static string KindOf(OutgoingMedia media) => media.ContentType switch
    {
        "image/jpeg" or "image/png" or "image/webp" => "photo",
        "video/mp4" => "video",
        _ => "document",
    };

    private static string GroupOf(OutgoingMedia media) => KindOf(media) == "document" ? "document" : "picture";

    private static StringContent Json(JsonObject json) => new(json.ToJsonString(), Encoding.UTF8, "application/json");

    private static bool IsToken(string text) =>
        text.Split(':') is [{ Length: > 0 and <= 20 } id, { Length: >= 20 and <= 100 } secret]
        && id.All(char.IsAsciiDigit) && secret.All(static character => char.IsAsciiLetterOrDigit(character) || character is '-' or '_');
}
