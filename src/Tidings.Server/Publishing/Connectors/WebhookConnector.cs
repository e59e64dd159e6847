using System.Buffers;
using System.Net.Http.Headers;
using System.Security.Cryptography;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using Tidings.Server.Publishing.Outgoing;
using Tidings.Server.Webhooks;

namespace Tidings.Server.Publishing.Connectors;

/// <summary>
/// Posts to an address of the user's own, signed as Standard Webhooks says. The id is the delivery's key and the body is the same in each attempt, so a
/// receiver that knows the id has it already: it may be sent again whatever became of the last attempt.
/// </summary>
internal sealed class WebhookConnector(OutgoingHttp http, TimeProvider clock) : IPublishingConnector
{
    /// <summary>The largest body, as Standard Webhooks recommends.</summary>
    public const int MaxBodyBytes = 20_000;

    private const int KeyBytes = 32;

    private static readonly TimeSpan Busy = TimeSpan.FromMinutes(1);
    private static readonly JsonWriterOptions Plain = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    public string Platform => "webhook";

    public Repeats Repeats => Repeats.Always;

    /// <summary>Nothing is sent: the first post tells. A secret that is not given is made.</summary>
    public Task<ConnectAnswer> ConnectAsync(ConnectRequest request, CancellationToken cancellationToken)
    {
        var given = request.Text("url") is { } text ? (Uri.TryCreate(text, UriKind.Absolute, out var parsed) ? parsed : null) : request.BaseUrl;
        if (given is null) return Task.FromResult(ConnectAnswer.Refused(Credentials.Field("url"), "must be the address that is called."));
        var url = new UriBuilder(given) { Fragment = "" }.Uri;
        if (http.ProblemOf(url) is { } problem) return Task.FromResult(ConnectAnswer.Refused(Credentials.Field("url"), problem));

        var secret = request.Text("secret");
        if (secret is not null && StandardWebhook.KeyOf(secret) is null)
            return Task.FromResult(ConnectAnswer.Refused(Credentials.Field("secret"), "must be whsec_ and 24 to 64 bytes in base64."));
        var made = secret is null ? $"whsec_{Convert.ToBase64String(RandomNumberGenerator.GetBytes(KeyBytes))}" : null;

        var address = url.AbsoluteUri; // the path may itself be a secret, so it is kept as one
        var account = new NewAccount(
            Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(address)))[..32],
            request.Handle ?? url.Host,
            new Uri(url.GetLeftPart(UriPartial.Authority)),
            Credentials.Keep(("url", address), ("secret", secret ?? made)),
            ExpiresAt: null);
        return Task.FromResult(new ConnectAnswer(account, null) { ShownOnce = made });
    }

    public Task<RenewAnswer> RenewAsync(ConnectedAccount account, CancellationToken cancellationToken) => Task.FromResult(RenewAnswer.Unchanged);

    public ValueTask<IReadOnlyList<string>> CheckAsync(OutgoingPost post, ConnectedAccount account, CancellationToken cancellationToken)
    {
        var bytes = BodyOf(post).Length;
        return ValueTask.FromResult<IReadOnlyList<string>>(
            bytes <= MaxBodyBytes ? [] : [$"A webhook's body may have {MaxBodyBytes} bytes, and this post's has {bytes}: shorten the text by {bytes - MaxBodyBytes} bytes."]);
    }

    public async Task<SendOutcome> SendAsync(Delivery delivery, CancellationToken cancellationToken)
    {
        var (account, secrets) = (delivery.Account, JsonFields.Parse(delivery.Account.Secrets));
        if (secrets.Text("url") is not { } url || secrets.Text("secret") is not { } secret || StandardWebhook.KeyOf(secret) is not { } key)
            return new SendOutcome(SendResult.AccountGone, "The webhook's address or secret is lost; connect it again.");

        var body = BodyOf(delivery.Post);
        var now = clock.GetUtcNow();
        using var request = new HttpRequestMessage(HttpMethod.Post, url) { Content = new ByteArrayContent(body) };
        request.Content.Headers.ContentType = new MediaTypeHeaderValue("application/json");
        request.Headers.Add("User-Agent", "Tidings");
        request.Headers.Add(StandardWebhook.IdHeader, delivery.Key);
        request.Headers.Add(StandardWebhook.TimestampHeader, StandardWebhook.TextOf(now));
        request.Headers.Add(StandardWebhook.SignatureHeader, StandardWebhook.Sign(key, delivery.Key, now, body));

        var answer = await http.SendAsync(request, cancellationToken).ConfigureAwait(false);
        return answer.Status switch
        {
            >= 200 and < 300 => Outcomes.Sent(answer, externalId: delivery.Key, url: null),
            410 => Outcomes.Of(SendResult.AccountGone, "The webhook says that it is gone (410).", answer, account),
            502 or 504 => Slower(Outcomes.OfFailure(answer, account, clock)),
            >= 400 and < 500 and not 408 and not 409 and not 429 => // what is deployed wrongly today may be right in an hour
                Outcomes.Of(SendResult.NotSent, $"The webhook answered {answer.Status}.", answer, account) with { RetryAfter = answer.RetryAfter(now) },
            _ => Outcomes.OfFailure(answer, account, clock),
        };
    }

    /// <summary>Nobody can be asked; sending again is as good.</summary>
    public Task<Found> FindAsync(Delivery delivery, CancellationToken cancellationToken) => Task.FromResult(new Found(null));

    private static SendOutcome Slower(SendOutcome outcome) => outcome with { RetryAfter = outcome.RetryAfter ?? Busy };

    private static byte[] BodyOf(OutgoingPost post)
    {
        var body = new ArrayBufferWriter<byte>();
        using (var json = new Utf8JsonWriter(body, Plain))
        {
            json.WriteStartObject();
            json.WriteString("type", "post.published");
            json.WriteString("timestamp", InUtc(post.CreatedAt));
            json.WriteStartObject("data");
            json.WriteString("id", post.Id);
            json.WriteString("title", post.Title);
            json.WriteString("text", post.Text);
            json.WriteString("category", post.Category);
            json.WriteString("url", post.Url?.AbsoluteUri);
            json.WriteString("language", post.Language);
            json.WriteString("createdAt", InUtc(post.CreatedAt));
            json.WriteStartArray("media");
            foreach (var media in post.Media)
            {
                json.WriteStartObject();
                json.WriteString("id", media.Id);
                json.WriteString("contentType", media.ContentType);
                json.WriteNumber("bytes", media.Bytes);
                if (media is { Width: { } width, Height: { } height })
                {
                    json.WriteNumber("width", width);
                    json.WriteNumber("height", height);
                }

                json.WriteString("description", media.Description);
                json.WriteEndObject();
            }

            json.WriteEndArray();
            json.WriteEndObject();
            json.WriteEndObject();
        }

        return body.WrittenSpan.ToArray();
    }

    private static string InUtc(DateTimeOffset time) => time.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss.fff'Z'", System.Globalization.CultureInfo.InvariantCulture);
}
