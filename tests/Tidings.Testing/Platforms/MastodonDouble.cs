using System.Collections.Concurrent;
using System.Net;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.AspNetCore.WebUtilities;

namespace Tidings.Testing.Platforms;

/// <summary>
/// An instance with one account: statuses with keys, files that take a while, OAuth with PKCE whose codes are good once.
/// </summary>
public sealed class MastodonDouble : PlatformDouble
{
    public const string AccountId = "109";
    public const int MaxChars = 480;

    private readonly ConcurrentDictionary<string, object> _byKey = [];
    private readonly ConcurrentDictionary<string, int> _files = [];
    private readonly ConcurrentDictionary<string, (string Challenge, string Redirect)> _codes = [];
    private readonly ConcurrentStack<object> _statuses = [];
    private string _refresh = "";

    public string Token { get; private set; } = $"token-{Guid.NewGuid():N}";

    /// <summary>How often it says that it is still working on a file.</summary>
    public int FilesTakeAsks { get; set; }

    /// <summary>Whether its tokens end, as those of some servers with this API do.</summary>
    public bool TokensEnd { get; set; }

    /// <summary>Whether it gives an empty refresh token when a token is renewed.</summary>
    public bool GivesEmptyRefreshTokens { get; set; }

    /// <summary>Whether it has forgotten all keys, as after an hour.</summary>
    public bool ForgetsKeys { get; set; }

    /// <summary>The token is over.</summary>
    public void ExpireToken() => Token = $"over-{Guid.NewGuid():N}";

    /// <summary>What the user's browser does at the address: agrees, and is sent back.</summary>
    public Uri Agree(Uri authorize)
    {
        var query = QueryHelpers.ParseQuery(authorize.Query);
        if (query["code_challenge_method"] != "S256" || query["client_id"] != "client") throw new InvalidOperationException($"Not as agreed: {authorize}");
        var code = $"code-{Guid.NewGuid():N}";
        _codes[code] = (query["code_challenge"].ToString(), query["redirect_uri"].ToString());
        return new Uri(QueryHelpers.AddQueryString(query["redirect_uri"].ToString(), new Dictionary<string, string?> { ["code"] = code, ["state"] = query["state"] }));
    }

    /// <inheritdoc />
    protected override IResult TooMany(HttpContext context)
    {
        context.Response.Headers["X-RateLimit-Remaining"] = "0";
        context.Response.Headers["X-RateLimit-Reset"] = TimeProvider.System.GetUtcNow().AddSeconds(RetryAfterSeconds).ToString("O");
        return Results.Json(new { error = "Too many requests" }, statusCode: 429);
    }

    /// <inheritdoc />
    protected override void Map(IEndpointRouteBuilder routes)
    {
        routes.MapGet("/api/v2/instance", () => Results.Json(new
        {
            configuration = new
            {
                statuses = new { max_characters = MaxChars, characters_reserved_per_url = 23, max_media_attachments = 2 },
                media_attachments = new { image_size_limit = 1_000_000, video_size_limit = 2_000_000, supported_mime_types = new[] { "image/png", "image/jpeg" } },
            },
        }));
        routes.MapGet("/api/v1/accounts/verify_credentials", (HttpContext context) => Refusal(context) ?? Results.Json(new { id = AccountId, username = "ann" }));
        routes.MapPost("/api/v2/media", async (HttpContext context) =>
        {
            if (Refusal(context) is { } refusal) return refusal;
            var file = (await context.Request.ReadFormAsync()).Files["file"];
            if (file is null) return Results.Json(new { error = "no file" }, statusCode: 422);
            var id = NewId();
            _files[id] = FilesTakeAsks;
            return Results.Json(new { id, url = FilesTakeAsks == 0 ? "https://files.test/1" : null }, statusCode: FilesTakeAsks == 0 ? 200 : 202);
        });
        routes.MapGet("/api/v1/media/{id}", (HttpContext context, string id) =>
        {
            if (Refusal(context) is { } refusal) return refusal;
            if (!_files.TryGetValue(id, out var asks)) return Results.Json(new { error = "Record not found" }, statusCode: 404);
            if (asks > 0) _files[id] = asks - 1;
            return Results.Json(new { id }, statusCode: asks > 0 ? 206 : 200);
        });
        routes.MapPost("/api/v1/statuses", Task<IResult> (HttpContext context) => PostAsync(context, body => Task.FromResult(Refusal(context) ?? Publish(context, JsonSerializer.Deserialize<JsonElement>(body)))));
        routes.MapGet($"/api/v1/accounts/{AccountId}/statuses", (HttpContext context, int limit) => Refusal(context) ?? Results.Json(_statuses.Take(limit)));
        routes.MapPost("/api/v1/apps", () => Results.Json(new { client_id = "client", client_secret = "client-secret" }));
        routes.MapPost("/oauth/token", async Task<IResult> (HttpContext context) => GiveToken(await context.Request.ReadFormAsync()));
    }

    private IResult Publish(HttpContext context, JsonElement body)
    {
        var text = body.GetProperty("status").GetString()!;
        var media = body.TryGetProperty("media_ids", out var ids) ? ids.EnumerateArray().Select(id => id.GetString()!).ToList() : [];
        if (text.Length > MaxChars) return Results.Json(new { error = "Validation failed: Text character limit exceeded" }, statusCode: 422);
        if (media.Exists(id => !_files.TryGetValue(id, out var asks) || asks > 0)) return Results.Json(new { error = "Cannot attach files that have not finished processing" }, statusCode: 422);

        var key = context.Request.Headers["Idempotency-Key"].ToString();
        if (!ForgetsKeys && key.Length > 0 && _byKey.TryGetValue(key, out var before)) return Results.Json(before);
        var id = NewId();
        object status = new
        {
            id,
            url = $"https://instance.test/@ann/{id}",
            created_at = TimeProvider.System.GetUtcNow().ToString("O"),
            content = $"<p>{WebUtility.HtmlEncode(text).Replace("\n\n", "</p><p>", StringComparison.Ordinal).Replace("\n", "<br>", StringComparison.Ordinal)}</p>",
            media_attachments = media,
        };
        if (key.Length > 0) _byKey[key] = status;
        _statuses.Push(status);
        Keep(AccountId, key, id, text, media.Count);
        return Results.Json(status);
    }

    private IResult GiveToken(IFormCollection form)
    {
        if (form["client_secret"] != "client-secret") return Results.Json(new { error = "invalid_client" }, statusCode: 401);
        if (form["grant_type"] == "refresh_token")
        {
            if (RefusesTokens || form["refresh_token"] != _refresh) return Results.Json(new { error = "invalid_grant" }, statusCode: 400);
        }
        else if (!_codes.TryRemove(form["code"].ToString(), out var code) || code.Redirect != form["redirect_uri"]
            || WebEncoders.Base64UrlEncode(SHA256.HashData(Encoding.ASCII.GetBytes(form["code_verifier"].ToString()))) != code.Challenge)
            return Results.Json(new { error = "invalid_grant" }, statusCode: 400);

        Token = $"token-{Guid.NewGuid():N}";
        if (!TokensEnd) return Results.Json(new { access_token = Token, token_type = "Bearer" });
        if (!GivesEmptyRefreshTokens || _refresh.Length == 0) _refresh = $"refresh-{Guid.NewGuid():N}";
        return Results.Json(new { access_token = Token, token_type = "Bearer", refresh_token = GivesEmptyRefreshTokens && form["grant_type"] == "refresh_token" ? "" : _refresh, expires_in = 3_600 });
    }

    private IResult? Refusal(HttpContext context)
    {
        if (IsGone) return Results.Json(new { error = "Your login is currently disabled" }, statusCode: 403);
        return RefusesTokens || context.Request.Headers.Authorization != $"Bearer {Token}" ? Results.Json(new { error = "The access token is invalid" }, statusCode: 401) : null;
    }
}
