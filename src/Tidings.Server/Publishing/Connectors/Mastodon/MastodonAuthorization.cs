using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Tidings.Server.Publishing.Outgoing;

namespace Tidings.Server.Publishing.Connectors.Mastodon;

/// <summary>
/// OAuth with an instance: an app is registered there for each time that somebody agrees (a forgotten one is swept away by the instance), with PKCE, so
/// that a code which somebody else sees is worth nothing.
/// </summary>
internal sealed class MastodonAuthorization(OutgoingHttp http, TimeProvider clock)
{
    private const string Scopes = "read:accounts read:statuses write:statuses write:media";

    public async Task<AuthorizationAnswer> BeginAsync(Uri baseUrl, Uri callback, string state, CancellationToken cancellationToken)
    {
        var registered = await PostAsync(baseUrl, "api/v1/apps", cancellationToken, ("client_name", "Tidings"), ("redirect_uris", callback.AbsoluteUri), ("scopes", Scopes)).ConfigureAwait(false);
        if (!registered.IsSuccess || registered.Json.Text("client_id") is not { } id || registered.Json.Text("client_secret") is not { } secret)
            return AuthorizationAnswer.Refused("baseUrl", registered.Problem ?? $"This does not answer as Mastodon does ({registered.Status}).");

        var verifier = Base64Url.EncodeToString(RandomNumberGenerator.GetBytes(48));
        var challenge = Base64Url.EncodeToString(SHA256.HashData(Encoding.ASCII.GetBytes(verifier)));
        var query = Query(
            ("response_type", "code"), ("client_id", id), ("redirect_uri", callback.AbsoluteUri), ("scope", Scopes), ("state", state),
            ("code_challenge", challenge), ("code_challenge_method", "S256"));
        var kept = Credentials.Keep(("clientId", id), ("clientSecret", secret), ("verifier", verifier));
        return new AuthorizationAnswer(new Uri($"{Credentials.Under(baseUrl, "oauth/authorize")}?{query}"), baseUrl, kept, null);
    }

    /// <summary>The secrets that a code is worth; null with the answer that refused it.</summary>
    public async Task<(string? Secrets, DateTimeOffset? ExpiresAt, OutgoingAnswer Answer)> FinishAsync(JsonElement kept, Uri baseUrl, Uri callback, string code, CancellationToken cancellationToken)
    {
        var (id, secret) = (kept.Text("clientId") ?? "", kept.Text("clientSecret") ?? "");
        var answer = await PostAsync(
            baseUrl, "oauth/token", cancellationToken, ("grant_type", "authorization_code"), ("code", code), ("client_id", id), ("client_secret", secret),
            ("redirect_uri", callback.AbsoluteUri), ("code_verifier", kept.Text("verifier") ?? ""), ("scope", Scopes)).ConfigureAwait(false);
        var (secrets, expiresAt) = Keep(answer, id, secret, oldRefreshToken: null);
        return (secrets, expiresAt, answer);
    }

    /// <summary>Renews a token, on servers of this API whose tokens end.</summary>
    public async Task<RenewAnswer> RenewAsync(JsonElement secrets, Uri baseUrl, string refreshToken, CancellationToken cancellationToken)
    {
        var (id, secret) = (secrets.Text("clientId") ?? "", secrets.Text("clientSecret") ?? "");
        var answer = await PostAsync(
            baseUrl, "oauth/token", cancellationToken, ("grant_type", "refresh_token"), ("refresh_token", refreshToken), ("client_id", id), ("client_secret", secret)).ConfigureAwait(false);
        if (Keep(answer, id, secret, refreshToken) is ({ } kept, var expiresAt)) return new RenewAnswer(kept, expiresAt, false, null);
        return answer.Json.Text("error") is "invalid_grant" or "invalid_client" or "unauthorized_client" or "invalid_token"
            ? RenewAnswer.Refused("The instance no longer renews its token.")
            : RenewAnswer.Later(answer.Problem ?? $"The token could not be renewed ({answer.Status}).");
    }

    /// <summary>What is kept of a token. An empty refresh token never takes the place of one that is kept.</summary>
    private (string? Secrets, DateTimeOffset? ExpiresAt) Keep(OutgoingAnswer answer, string id, string secret, string? oldRefreshToken)
    {
        if (!answer.IsSuccess || answer.Json.Text("access_token") is not { } token) return (null, null);
        var refresh = answer.Json.Text("refresh_token") ?? oldRefreshToken;
        DateTimeOffset? expiresAt = refresh is not null && answer.Json.Whole("expires_in") is > 0 and < 1_000_000_000 and var seconds ? clock.GetUtcNow().AddSeconds(seconds) : null;
        return (Credentials.Keep(("token", token), ("refresh", refresh), ("clientId", id), ("clientSecret", secret)), expiresAt);
    }

    private async Task<OutgoingAnswer> PostAsync(Uri baseUrl, string path, CancellationToken cancellationToken, params (string Name, string Value)[] fields)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, Credentials.Under(baseUrl, path))
        {
            Content = new FormUrlEncodedContent(fields.Select(static field => KeyValuePair.Create(field.Name, field.Value))),
        };
        return await http.SendAsync(request, cancellationToken).ConfigureAwait(false);
    }

    private static string Query(params (string Name, string Value)[] fields) => string.Join('&', fields.Select(static field => $"{field.Name}={Uri.EscapeDataString(field.Value)}"));
}
