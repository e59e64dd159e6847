using System.Net;
using System.Net.Http.Headers;
using System.Text.Json;

namespace Tidings.Testing.Clients;

/// <summary>What one long poll answered.</summary>
public sealed record PollAnswer(HttpStatusCode Status, JsonElement Body)
{
    /// <summary>The events, oldest first.</summary>
    public IEnumerable<JsonElement> Events => Body.GetProperty("events").EnumerateArray();

    /// <summary>The token for the next poll.</summary>
    public string? Since => Body.Text("since");

    /// <summary>Channels whose history no longer reached back.</summary>
    public IEnumerable<string> Gaps => Body.TryGetProperty("gaps", out var gaps) ? gaps.EnumerateArray().Select(gap => gap.GetString()!) : [];
}

/// <summary>A client that asks again and again.</summary>
public sealed class PollClient : IDisposable
{
    private readonly HttpClient _http;
    private readonly string _channels;
    private readonly string _query;

    /// <summary>Makes one, with more of a query (<c>&amp;name=value</c>) if given.</summary>
    public PollClient(Uri server, string? token, string channels, string query = "")
    {
        _query = query;
        _http = new HttpClient(new WatchedHandler(new SocketsHttpHandler { UseProxy = false, UseCookies = false })) { BaseAddress = server, Timeout = TimeSpan.FromSeconds(60) };
        if (token is not null) _http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", token);
        _channels = Uri.EscapeDataString(channels);
    }

    /// <summary>The place to go on from.</summary>
    public string? Since { get; set; }

    /// <summary>Asks once. An answer with a place moves <see cref="Since"/>.</summary>
    public async Task<PollAnswer> PollAsync(int timeoutSeconds = 25, CancellationToken cancellationToken = default)
    {
        var since = Since is null ? "" : $"&since={Uri.EscapeDataString(Since)}";
        using var answer = await _http.GetAsync($"/poll?channels={_channels}{since}&timeout={timeoutSeconds}{_query}", cancellationToken);
        var text = await answer.Content.ReadAsStringAsync(cancellationToken);
        var body = text.Length > 0 ? JsonSerializer.Deserialize<JsonElement>(text) : default;
        var poll = new PollAnswer(answer.StatusCode, body);
        if (answer.IsSuccessStatusCode) Since = poll.Since ?? Since;
        return poll;
    }

    /// <inheritdoc />
    public void Dispose() => _http.Dispose();
}
