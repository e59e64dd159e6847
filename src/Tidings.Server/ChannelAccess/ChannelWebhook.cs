using System.Buffers.Text;
using System.Collections.Concurrent;
using System.Diagnostics.Metrics;
using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Tidings.Realtime.Channels;
using Tidings.Server.Auth;
using Tidings.Server.Host;

namespace Tidings.Server.ChannelAccess;

/// <summary>
/// Asks the host app who may subscribe: one signed POST to the configured URL, whose answer is remembered for as long as it says. There
/// is one question per user and channel at a time. Whatever goes wrong, nobody is let in. Safe for all threads.
/// </summary>
/// <remarks>
/// The operator chose the URL, so it may be on a private network or on loopback; nothing of a client becomes part of it.
/// </remarks>
internal sealed partial class ChannelWebhook : IDisposable
{
    /// <summary>The largest answer that is read.</summary>
    public const int MaxAnswerBytes = 4 * 1024;

    /// <summary>The longest time for which an answer is remembered, in seconds.</summary>
    public const int MaxCacheSeconds = 3_600;

    private const int MaxAnswers = 20_000;
    private const int MaxCalls = 64;

    /// <summary>How long a question may take, the wait for its turn included.</summary>
    public static readonly TimeSpan Timeout = TimeSpan.FromSeconds(5);

    private readonly Uri _url;
    private readonly byte[] _key;
    private readonly Revocations _revocations;
    private readonly TimeProvider _clock;
    private readonly ILogger _logger;
    private readonly HttpMessageInvoker _http;
    private readonly SemaphoreSlim _turns = new(MaxCalls, MaxCalls);
    private readonly BoundedCache<(string? UserId, ChannelName Channel), Answer> _answers = new(MaxAnswers);
    private readonly ConcurrentDictionary<(string? UserId, ChannelName Channel), Question> _asking = new();
    private readonly Meter _meter = new("Tidings");
    private readonly Counter<long> _calls;

    public ChannelWebhook(
        Uri url, HostSecrets secrets, Revocations revocations, HttpMessageHandler handler, TimeProvider clock, ILogger<ChannelWebhook> logger)
    {
        _url = url;
        _key = Encoding.UTF8.GetBytes(secrets.AppSecret);
        _revocations = revocations;
        _clock = clock;
        _logger = logger;
        _http = new HttpMessageInvoker(handler);
        _calls = _meter.CreateCounter<long>("tidings_channel_webhook_total", description: "Questions to the host app who may subscribe, by result.");
    }

    /// <summary>How the URL is asked: directly, without redirects, proxies or cookies.</summary>
    public static SocketsHttpHandler CreateHandler() => new()
    {
        AllowAutoRedirect = false,
        UseCookies = false,
        UseProxy = false,
        ConnectTimeout = Timeout,
        MaxConnectionsPerServer = MaxCalls,
        MaxResponseHeadersLength = 16,
        PooledConnectionLifetime = TimeSpan.FromMinutes(2),
    };

    /// <summary>Whether the host app lets a user (null: an anonymous visitor) into a channel.</summary>
    /// <exception cref="ChannelWebhookException">It gave no usable answer, so nobody is let in.</exception>
    public async ValueTask<bool> AllowsAsync(string? userId, ChannelName channel, CancellationToken cancellationToken)
    {
        var key = (userId, channel);
        if (_answers.TryGet(key, out var known) && _clock.GetTimestamp() < known.GoodUntil && !IsRevoked(key, known.AskedAt)) return known.IsAllowed;

        while (true)
        {
            var mine = new Question(this, key);
            var question = _asking.GetOrAdd(key, mine);
            if (question == mine || !IsRevoked(key, question.AskedAt)) return (await question.Answer.WaitAsync(cancellationToken).ConfigureAwait(false)).IsAllowed;
            _asking.TryRemove(KeyValuePair.Create(key, question)); // it was asked before the host took the channel away
        }
    }

    public void Dispose()
    {
        _http.Dispose();
        _turns.Dispose();
        _meter.Dispose();
    }

    private bool IsRevoked((string? UserId, ChannelName Channel) key, DateTimeOffset askedAt) => _revocations.CoverChannel(key.Channel, key.UserId, askedAt);

    private async Task<Answer> AskAsync((string? UserId, ChannelName Channel) key, Question question)
    {
        using var timeout = new CancellationTokenSource(Timeout, _clock);
        try
        {
            await _turns.WaitAsync(timeout.Token).ConfigureAwait(false);
            try
            {
                var answer = await PostAsync(key, question.AskedAt, timeout.Token).ConfigureAwait(false);
                if (answer.GoodUntil > 0 && !IsRevoked(key, question.AskedAt)) _answers.Set(key, answer);
                Count(answer.IsAllowed ? "allowed" : "denied");
                return answer;
            }
            finally
            {
                _turns.Release();
            }
        }
        // The last is what the JSON reader throws for a name with half a character.
        catch (Exception exception) when (exception is HttpRequestException or OperationCanceledException or IOException or JsonException or FormatException or InvalidOperationException)
        {
            Count("failed");
            Log.Failed(_logger, key.Channel.Kind, exception.Message);
            throw new ChannelWebhookException("The channel webhook gave no usable answer.", exception);
        }
        finally
        {
            _asking.TryRemove(KeyValuePair.Create(key, question));
        }
    }

    private async Task<Answer> PostAsync((string? UserId, ChannelName Channel) key, DateTimeOffset askedAt, CancellationToken cancellationToken)
    {
        var body = Write(key.UserId, key.Channel);
        using var request = new HttpRequestMessage(HttpMethod.Post, _url) { Content = new ByteArrayContent(body) };
        request.Content.Headers.ContentType = new MediaTypeHeaderValue("application/json");
        Sign(request.Headers, body);

        using var response = await _http.SendAsync(request, cancellationToken).ConfigureAwait(false);
        if (response.StatusCode != HttpStatusCode.OK) throw new HttpRequestException($"The answer is {(int)response.StatusCode}.");

        var (isAllowed, seconds) = Read(await ReadAsync(response.Content, cancellationToken).ConfigureAwait(false));
        var goodUntil = seconds == 0 ? 0 : _clock.GetTimestamp() + (seconds * _clock.TimestampFrequency);
        return new Answer(isAllowed, goodUntil, askedAt);
    }

    /// <summary>The headers of Standard Webhooks.</summary>
    private void Sign(HttpRequestHeaders headers, byte[] body)
    {
        var id = $"msg_{Base64Url.EncodeToString(RandomNumberGenerator.GetBytes(18))}";
        var timestamp = _clock.GetUtcNow().ToUnixTimeSeconds().ToString(CultureInfo.InvariantCulture);
        byte[] signed = [.. Encoding.ASCII.GetBytes($"{id}.{timestamp}."), .. body];
        headers.Add("webhook-id", id);
        headers.Add("webhook-timestamp", timestamp);
        headers.Add("webhook-signature", $"v1,{Convert.ToBase64String(HMACSHA256.HashData(_key, signed))}");
    }

    private static byte[] Write(string? userId, ChannelName channel)
    {
        using var body = new MemoryStream();
        using (var json = new Utf8JsonWriter(body))
        {
            json.WriteStartObject();
            json.WriteString("userId", userId);
            json.WriteString("channel", channel.Value);
            json.WriteString("action", "subscribe");
            json.WriteEndObject();
        }

        return body.ToArray();
    }

    private static (bool IsAllowed, int CacheSeconds) Read(ReadOnlyMemory<byte> json)
    {
        using var answer = JsonDocument.Parse(json, new JsonDocumentOptions { MaxDepth = 8, AllowDuplicateProperties = false });
        if (answer.RootElement.ValueKind != JsonValueKind.Object
            || !answer.RootElement.TryGetProperty("allow", out var allow) || allow.ValueKind is not (JsonValueKind.True or JsonValueKind.False))
            throw new FormatException("The answer does not say \"allow\": true or false.");

        if (!answer.RootElement.TryGetProperty("cacheSeconds", out var seconds)) return (allow.GetBoolean(), 0);
        if (seconds.ValueKind != JsonValueKind.Number || !seconds.TryGetInt32(out var number) || number < 0)
            throw new FormatException("The answer's cacheSeconds is no whole number of seconds.");
        return (allow.GetBoolean(), Math.Min(number, MaxCacheSeconds));
    }

    private static async Task<ReadOnlyMemory<byte>> ReadAsync(HttpContent content, CancellationToken cancellationToken)
    {
        await using var body = await content.ReadAsStreamAsync(cancellationToken).ConfigureAwait(false);
        var buffer = new byte[MaxAnswerBytes + 1];
        var length = await body.ReadAtLeastAsync(buffer, buffer.Length, throwOnEndOfStream: false, cancellationToken).ConfigureAwait(false);
        return length <= MaxAnswerBytes ? buffer.AsMemory(0, length) : throw new HttpRequestException($"The answer is over {MaxAnswerBytes} bytes.");
    }

    private void Count(string result) => _calls.Add(1, new KeyValuePair<string, object?>("result", result));

    /// <param name="IsAllowed">What the host said.</param>
    /// <param name="GoodUntil">A timestamp of the clock; 0 if it is not to be remembered.</param>
    /// <param name="AskedAt">When it was asked.</param>
    private sealed record Answer(bool IsAllowed, long GoodUntil, DateTimeOffset AskedAt);

    /// <summary>A question under way, asked when the first wants the answer; it belongs to nobody, so nobody's leaving ends it.</summary>
    private sealed class Question
    {
        private readonly Lazy<Task<Answer>> _answer;

        public Question(ChannelWebhook webhook, (string? UserId, ChannelName Channel) key)
        {
            AskedAt = webhook._clock.GetUtcNow();
            _answer = new Lazy<Task<Answer>>(() => Task.Run(() => webhook.AskAsync(key, this)));
        }

        public DateTimeOffset AskedAt { get; }

        public Task<Answer> Answer => _answer.Value;
    }

    private static partial class Log
    {
        [LoggerMessage(1201, LogLevel.Warning, "The channel webhook gave no usable answer for a channel of the kind {Kind}, so nobody was let in: {Reason}")]
        public static partial void Failed(ILogger logger, string kind, string reason);
    }
}

/// <summary>The host app could not be asked, or did not answer as it should. Nobody is let in, and the client may try again.</summary>
internal sealed class ChannelWebhookException(string message, Exception inner) : Exception(message, inner);
