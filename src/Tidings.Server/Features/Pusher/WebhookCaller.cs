using System.Diagnostics.Metrics;
using System.Net.Http.Headers;
using Tidings.Protocols.Pusher;
using Tidings.Server.ChannelAccess;

namespace Tidings.Server.Features.Pusher;

/// <summary>
/// Calls one URL with what happened, in order: signed POSTs, of what waits together as one. A call that is not answered with success is repeated, the
/// same bytes, for five minutes; then it is given up and counted. Never blocks those who tell.
/// </summary>
/// <remarks>The operator chose the URL, so it may be on a private network; nothing of a client becomes part of it.</remarks>
internal sealed partial class WebhookCaller : IAsyncDisposable
{
    private const int MaxWaiting = 10_000;
    private const int MaxTogether = 100;

    private static readonly TimeSpan CallTimeout = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan RetriesFor = TimeSpan.FromMinutes(5);
    private static readonly TimeSpan FirstPause = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan LongestPause = TimeSpan.FromMinutes(1);

    private readonly Uri _url;
    private readonly PusherApp _app;
    private readonly TimeProvider _clock;
    private readonly ILogger _logger;
    private readonly HttpMessageInvoker _http = new(ChannelWebhook.CreateHandler());
    private readonly Lock _lock = new();
    private readonly Queue<byte[]> _waiting = new();
    private readonly CancellationTokenSource _stopping = new();
    private readonly Meter _meter = new("Tidings");
    private readonly Counter<long> _events;
    private Task _running = Task.CompletedTask;
    private bool _isRunning;

    public WebhookCaller(Uri url, PusherApp app, TimeProvider clock, ILogger<WebhookCaller> logger)
    {
        (_url, _app, _clock, _logger) = (url, app, clock, logger);
        _events = _meter.CreateCounter<long>("tidings_webhook_events_total", description: "What the host app was told of by webhooks, by result.");
    }

    /// <summary>Tells of something: the JSON of an object. What is over the limit is dropped and counted.</summary>
    public void Add(byte[] happened)
    {
        lock (_lock)
        {
            if (_stopping.IsCancellationRequested || _waiting.Count >= MaxWaiting)
            {
                Count("dropped", 1);
                return;
            }

            _waiting.Enqueue(happened);
            if (_isRunning) return;
            _isRunning = true;
            _running = Task.Run(RunAsync);
        }
    }

    /// <summary>Gives up what waits.</summary>
    public async Task StopAsync()
    {
        await _stopping.CancelAsync();
        await _running.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    /// <inheritdoc />
    public async ValueTask DisposeAsync()
    {
        await StopAsync();
        _http.Dispose();
        _stopping.Dispose();
        _meter.Dispose();
    }

    private async Task RunAsync()
    {
        while (Take() is { Count: > 0 } events)
        {
            var isSent = await SendAsync(events);
            Count(isSent ? "sent" : "given_up", events.Count);
        }
    }

    private List<byte[]> Take()
    {
        var events = new List<byte[]>();
        lock (_lock)
        {
            while (events.Count < MaxTogether && !_stopping.IsCancellationRequested && _waiting.TryDequeue(out var happened)) events.Add(happened);
            _isRunning = events.Count > 0;
        }

        return events;
    }

    private async Task<bool> SendAsync(List<byte[]> events)
    {
        var body = PusherJson.Object(json =>
        {
            json.WriteNumber("time_ms"u8, _clock.GetUtcNow().ToUnixTimeMilliseconds());
            json.WriteStartArray("events"u8);
            foreach (var happened in events) json.WriteRawValue(happened, skipInputValidation: true);
            json.WriteEndArray();
        }).ToArray();

        var (began, pause) = (_clock.GetTimestamp(), FirstPause);
        while (true)
        {
            if (await TryCallAsync(body)) return true;
            if (_stopping.IsCancellationRequested || _clock.GetElapsedTime(began) + pause > RetriesFor)
            {
                Log.GivenUp(_logger, events.Count);
                return false;
            }

            await Task.Delay(pause, _clock, _stopping.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            pause = pause * 2 < LongestPause ? pause * 2 : LongestPause;
        }
    }

    private async Task<bool> TryCallAsync(byte[] body)
    {
        using var timeout = new CancellationTokenSource(CallTimeout, _clock);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(timeout.Token, _stopping.Token);
        try
        {
            using var request = new HttpRequestMessage(HttpMethod.Post, _url) { Content = new ByteArrayContent(body) };
            request.Content.Headers.ContentType = new MediaTypeHeaderValue("application/json"); // with a charset the libraries refuse it
            request.Headers.Add("X-Pusher-Key", _app.Key);
            request.Headers.Add("X-Pusher-Signature", PusherSignature.Digest(_app, body));
            using var response = await _http.SendAsync(request, either.Token);
            if (response.IsSuccessStatusCode) return true;
            Log.Refused(_logger, (int)response.StatusCode);
        }
        catch (Exception exception) when (exception is HttpRequestException or OperationCanceledException or IOException)
        {
            if (!_stopping.IsCancellationRequested) Log.Failed(_logger, exception.Message);
        }

        return false;
    }

    private void Count(string result, int count) => _events.Add(count, new KeyValuePair<string, object?>("result", result));

    private static partial class Log
    {
        [LoggerMessage(1301, LogLevel.Warning, "A webhook was answered with {Status}; it will be repeated")]
        public static partial void Refused(ILogger logger, int status);

        [LoggerMessage(1302, LogLevel.Warning, "A webhook could not be called; it will be repeated: {Reason}")]
        public static partial void Failed(ILogger logger, string reason);

        [LoggerMessage(1303, LogLevel.Error, "A webhook was given up with {Count} events")]
        public static partial void GivenUp(ILogger logger, int count);
    }
}
