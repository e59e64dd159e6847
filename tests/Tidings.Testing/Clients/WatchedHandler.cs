using System.Text;
using System.Text.Json;
using Tidings.Testing.Checks;

namespace Tidings.Testing.Clients;

/// <summary>
/// Lets the canary look through each answer, headers and body, and insists that whatever a test locks away has a text that the canary knows
/// (<see cref="LockedText"/>): otherwise there would be nothing to find. Who writes such a text may read it.
/// </summary>
public sealed class WatchedHandler : DelegatingHandler
{
    private readonly Func<HttpRequestMessage, string?> _tokenOf;

    /// <param name="inner">What sends.</param>
    /// <param name="tokenOf">Who asks; null: whom the bearer token is of.</param>
    public WatchedHandler(HttpMessageHandler inner, Func<HttpRequestMessage, string?>? tokenOf = null)
        : base(inner) => _tokenOf = tokenOf ?? (static request => request.Headers.Authorization?.Parameter);

    /// <inheritdoc />
    protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        var token = _tokenOf(request);
        var asked = request.Content is { Headers.ContentType.MediaType: "application/json" } content ? await content.ReadAsStringAsync(cancellationToken) : null;
        if (asked is not null && token is not null && CanaryWatch.Shared.Find(asked) is { } own) own.Allow(CanaryWatch.Shared.ReaderOf(token));

        var answer = await base.SendAsync(request, cancellationToken);
        if (answer.Content.Headers.ContentType?.MediaType == "text/event-stream") return answer; // whoever reads the stream looks
        await answer.Content.LoadIntoBufferAsync(cancellationToken);
        var body = await answer.Content.ReadAsByteArrayAsync(cancellationToken);
        var way = $"{request.Method} {request.RequestUri?.PathAndQuery}";
        CanaryWatch.Shared.Look(token, way, body);
        CanaryWatch.Shared.Look(token, $"{way}'s head", $"{answer.Headers}{answer.Content.Headers}");
        if (asked is not null && answer.IsSuccessStatusCode && IsOfPosts(request)) Insist(asked, body);
        return answer;
    }

    private static bool IsOfPosts(HttpRequestMessage request) =>
        (request.Method == HttpMethod.Post || request.Method == HttpMethod.Patch) && request.RequestUri?.AbsolutePath is { } path
        && (path == "/api/posts" || (request.Method == HttpMethod.Patch && path.StartsWith("/api/posts/", StringComparison.Ordinal) && path.Count('/') == 3));

    /// <summary>A locked post has a text that is watched.</summary>
    private static void Insist(string asked, byte[] answered)
    {
        using var document = JsonDocument.Parse(answered);
        if (!document.RootElement.TryGetProperty("post", out var post)) return;
        if (post.GetProperty("access").GetProperty("isLocked").GetBoolean() && CanaryWatch.Shared.Find(Encoding.UTF8.GetString(answered)) is null)
            throw new InvalidOperationException($"A post was locked whose text no canary knows; take LockedText.New() for it: {asked}");
    }
}
