using System.Buffers.Text;
using System.Net.Http.Headers;
using System.Net.Mime;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Tidings.Server.Publishing.Outgoing;

namespace Tidings.Server.Publishing.Connectors.Bluesky;

/// <summary>Calls of a personal data server, and the sessions that they take. Sessions are kept: a server gives few of them a day.</summary>
internal sealed class BlueskySession(OutgoingHttp http, TimeProvider clock)
{
    private static readonly TimeSpan UsualLife = TimeSpan.FromHours(2);

    /// <summary>Errors by which a server says that a token is no longer good; it says them with 400 as often as with 401.</summary>
    public static bool IsAboutToken(OutgoingAnswer answer) =>
        answer.Status == 401 || (answer.Status == 400 && answer.Json.Text("error") is "ExpiredToken" or "InvalidToken" or "AuthMissing");

    public static bool IsAccountGone(OutgoingAnswer answer) =>
        answer.Json.Text("error") is "AccountTakedown" or "AccountDeactivated" or "AccountSuspended" or "RepoTakendown" or "RepoDeactivated" or "RepoSuspended" or "RepoNotFound";

    /// <summary>A call with a body of JSON, or, with <paramref name="body"/> null, one that asks.</summary>
    public Task<OutgoingAnswer> CallAsync(Uri server, string method, JsonObject? body, string? token, CancellationToken cancellationToken) =>
        CallAsync(server, method, body is null ? null : new StringContent(body.ToJsonString(), Encoding.UTF8, MediaTypeNames.Application.Json), token, cancellationToken, isQuery: body is null);

    /// <inheritdoc cref="CallAsync(Uri, string, JsonObject?, string?, CancellationToken)" />
    public async Task<OutgoingAnswer> CallAsync(Uri server, string method, HttpContent? body, string? token, CancellationToken cancellationToken, bool isQuery = false)
    {
        using var request = new HttpRequestMessage(isQuery ? HttpMethod.Get : HttpMethod.Post, Credentials.Under(server, $"xrpc/{method}")) { Content = body };
        if (token is not null) request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", token);
        return await http.SendAsync(request, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Begins a session with the app password.</summary>
    public Task<OutgoingAnswer> BeginAsync(Uri server, string identifier, string password, CancellationToken cancellationToken) =>
        CallAsync(server, "com.atproto.server.createSession", new JsonObject { ["identifier"] = identifier, ["password"] = password }, token: null, cancellationToken);

    /// <summary>Goes on with a session.</summary>
    public Task<OutgoingAnswer> RefreshAsync(Uri server, string refreshToken, CancellationToken cancellationToken) =>
        CallAsync(server, "com.atproto.server.refreshSession", (HttpContent?)null, refreshToken, cancellationToken);

    /// <summary>What is kept of a session; null if the answer has none. An empty refresh token never takes the place of one that is kept.</summary>
    public (string Secrets, DateTimeOffset ExpiresAt)? Keep(OutgoingAnswer answer, string identifier, string password, string? oldRefreshToken)
    {
        if (answer.Json.Text("accessJwt") is not { } access) return null;
        var secrets = Credentials.Keep(("identifier", identifier), ("password", password), ("access", access), ("refresh", answer.Json.Text("refreshJwt") ?? oldRefreshToken));
        return (secrets, EndOf(access));
    }

    /// <summary>When a token ends, as it says itself. It is the server's, not ours to check.</summary>
    private DateTimeOffset EndOf(string token)
    {
        var now = clock.GetUtcNow();
        if (token.Split('.') is [_, var payload, _] && Base64Url.IsValid(payload)
            && JsonFields.Parse(Encoding.UTF8.GetString(Base64Url.DecodeFromChars(payload))).Whole("exp") is { } seconds
            && seconds > now.ToUnixTimeSeconds() && seconds < now.AddDays(1).ToUnixTimeSeconds())
            return DateTimeOffset.FromUnixTimeSeconds(seconds);
        return now + UsualLife;
    }
}
