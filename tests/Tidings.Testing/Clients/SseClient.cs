using System.Net;
using System.Net.Http.Headers;
using System.Runtime.CompilerServices;
using System.Text;
using System.Text.Json;
using Tidings.Testing.Checks;

namespace Tidings.Testing.Clients;

/// <summary>One event of a stream as a browser's <c>EventSource</c> would give it.</summary>
/// <param name="Type">The <c>event:</c> line; <c>message</c> without one.</param>
/// <param name="LastId">The last <c>id:</c> so far.</param>
/// <param name="Data">The <c>data:</c> lines.</param>
public sealed record SseEvent(string Type, string? LastId, string Data)
{
    /// <summary>The data as JSON.</summary>
    public JsonElement Json => JsonSerializer.Deserialize<JsonElement>(Data);
}

/// <summary>One request for an event stream, read by the rules of the HTML standard.</summary>
public sealed class SseClient : IDisposable
{
    private readonly HttpClient _http;
    private readonly HttpResponseMessage _answer;

    private readonly string? _token;

    private SseClient(HttpClient http, HttpResponseMessage answer, string? token)
    {
        _token = token;
        _http = http;
        _answer = answer;
    }

    public HttpStatusCode Status => _answer.StatusCode;

    public HttpResponseMessage Answer => _answer;

    /// <summary>The last <c>id:</c>, to resume with.</summary>
    public string? LastEventId { get; private set; }

    /// <summary>The last <c>retry:</c>, in milliseconds.</summary>
    public int? Retry { get; private set; }

    /// <summary>Comment lines so far.</summary>
    public int Comments { get; private set; }

    /// <summary>Asks for a stream, with more of a query (<c>&amp;name=value</c>) if given. The caller judges the status.</summary>
    public static async Task<SseClient> OpenAsync(
        Uri server, string? token, string channels, string? lastEventId = null, string query = "", CancellationToken cancellationToken = default)
    {
        var http = new HttpClient(new SocketsHttpHandler { UseProxy = false, UseCookies = false }) { Timeout = Timeout.InfiniteTimeSpan };
        try
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, new Uri(server, $"/sse?channels={Uri.EscapeDataString(channels)}{query}"));
            request.Headers.Accept.Add(new MediaTypeWithQualityHeaderValue("text/event-stream"));
            if (token is not null) request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", token);
            if (lastEventId is not null) request.Headers.TryAddWithoutValidation("Last-Event-ID", lastEventId);
            return new SseClient(http, await http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, cancellationToken), token) { LastEventId = lastEventId };
        }
        catch
        {
            http.Dispose();
            throw;
        }
    }

    /// <summary>The events until the stream ends or breaks.</summary>
    public async IAsyncEnumerable<SseEvent> ReadAsync([EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        using var reader = new StreamReader(await _answer.Content.ReadAsStreamAsync(cancellationToken), Encoding.UTF8);
        var (type, data) = ("", new StringBuilder());
        while (await reader.ReadLineAsync(cancellationToken) is { } line)
        {
            CanaryWatch.Shared.Look(_token, "event stream", line);
            if (line.Length == 0)
            {
                if (data.Length > 0) yield return new SseEvent(type.Length > 0 ? type : "message", LastEventId, data.ToString(0, data.Length - 1));
                (type, data) = ("", new StringBuilder());
                continue;
            }

            var colon = line.IndexOf(':', StringComparison.Ordinal);
            if (colon == 0)
            {
                Comments++;
                continue;
            }

            var (field, value) = colon < 0 ? (line, "") : (line[..colon], line[(colon + 1)..]);
            if (value.StartsWith(' ')) value = value[1..];
            switch (field)
            {
                case "event": type = value; break;
                case "data": data.Append(value).Append('\n'); break;
                case "id": LastEventId = value; break;
                case "retry": Retry = int.Parse(value, System.Globalization.CultureInfo.InvariantCulture); break;
            }
        }
    }

    /// <summary>The first event that fits.</summary>
    public async Task<SseEvent> WaitForAsync(Func<SseEvent, bool> fits, string what, TimeSpan? within = null)
    {
        using var deadline = new CancellationTokenSource(within ?? Eventually.Patience);
        try
        {
            await foreach (var happened in ReadAsync(deadline.Token))
                if (fits(happened)) return happened;
        }
        catch (OperationCanceledException)
        {
            throw new TimeoutException($"Not on the stream in time: {what}");
        }

        throw new IOException($"The stream ended before: {what}");
    }

    /// <inheritdoc />
    public void Dispose()
    {
        _answer.Dispose();
        _http.Dispose();
    }
}
