using System.Collections.Concurrent;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Tidings.Testing.Platforms;

/// <summary>
/// A personal data server with one account: sessions that end, records under keys (put where one is already, it is refused unless it is the same), blobs
/// that are gone soon unless a record names them.
/// </summary>
public sealed class BlueskyDouble : PlatformDouble
{
    public const string Did = "did:plc:double";
    public const string Handle = "ann.double.test";
    public const string MentionedHandle = "bob.double.test";
    public const string MentionedDid = "did:plc:bob";

    private const int MaxGraphemes = 300;

    private readonly ConcurrentDictionary<string, JsonElement> _records = [];
    private readonly ConcurrentDictionary<string, byte[]> _blobs = [];
    private string _access = "";
    private string _refresh = "";
    private int _sessions;

    public string Password { get; } = $"app-{Guid.NewGuid():N}";

    /// <summary>How many sessions were begun with the password.</summary>
    public int Sessions => _sessions;

    /// <summary>Whether it gives an empty refresh token when a session is renewed.</summary>
    public bool GivesEmptyRefreshTokens { get; set; }

    /// <summary>The records, by their keys.</summary>
    public IReadOnlyDictionary<string, JsonElement> Records => _records;

    /// <summary>Ends the session, as time does.</summary>
    public void ExpireSession() => _access = $"over-{Guid.NewGuid():N}";

    /// <summary>Ends the refresh token too.</summary>
    public void ForgetSessions() => (_access, _refresh) = ($"over-{Guid.NewGuid():N}", $"over-{Guid.NewGuid():N}");

    /// <inheritdoc />
    protected override IResult TooMany(HttpContext context)
    {
        context.Response.Headers["RateLimit-Remaining"] = "0";
        context.Response.Headers["RateLimit-Reset"] = TimeProvider.System.GetUtcNow().AddSeconds(RetryAfterSeconds).ToUnixTimeSeconds().ToString(CultureInfo.InvariantCulture);
        return Error(429, "RateLimitExceeded");
    }

    /// <inheritdoc />
    protected override void Map(IEndpointRouteBuilder routes)
    {
        routes.MapPost("/xrpc/com.atproto.server.createSession", (JsonElement body) =>
        {
            if (RefusesTokens || body.GetProperty("password").GetString() != Password) return Error(401, "AuthenticationRequired");
            Interlocked.Increment(ref _sessions);
            return Session(isEmpty: false);
        });
        routes.MapPost("/xrpc/com.atproto.server.refreshSession", (HttpContext context) =>
            RefusesTokens || Bearer(context) != _refresh ? Error(400, "ExpiredToken") : Session(GivesEmptyRefreshTokens));
        routes.MapGet("/xrpc/com.atproto.identity.resolveHandle", (string handle) =>
            handle == MentionedHandle ? Results.Json(new { did = MentionedDid }) : Error(400, "InvalidRequest"));
        routes.MapPost("/xrpc/com.atproto.repo.uploadBlob", async (HttpContext context) =>
        {
            if (Refusal(context) is { } refusal) return refusal;
            using var bytes = new MemoryStream();
            await context.Request.Body.CopyToAsync(bytes);
            var link = Convert.ToHexStringLower(SHA256.HashData(bytes.ToArray()));
            _blobs[link] = bytes.ToArray();
            return Results.Json(new { blob = new JsonObject { ["$type"] = "blob", ["ref"] = new JsonObject { ["$link"] = link }, ["mimeType"] = context.Request.ContentType, ["size"] = bytes.Length } });
        });
        routes.MapGet("/xrpc/com.atproto.repo.getRecord", (string repo, string collection, string rkey) =>
            _records.TryGetValue(rkey, out var record) ? Results.Json(new { uri = $"at://{repo}/{collection}/{rkey}", value = record }) : Error(400, "RecordNotFound"));
        routes.MapPost("/xrpc/com.atproto.repo.putRecord", Task<IResult> (HttpContext context) => PostAsync(context, body => Task.FromResult(Refusal(context) ?? Put(JsonSerializer.Deserialize<JsonElement>(body)))));
    }

    private IResult Put(JsonElement body)
    {
        var (key, record) = (body.GetProperty("rkey").GetString()!, body.GetProperty("record"));
        var text = record.GetProperty("text").GetString()!;
        if (key.Length != 13 || !key.All("234567abcdefghijklmnopqrstuvwxyz".Contains)) return Error(400, "InvalidRequest");
        if (new StringInfo(text).LengthInTextElements > MaxGraphemes) return Error(400, "InvalidRecord");
        var images = record.TryGetProperty("embed", out var embed) ? embed.GetProperty("images").EnumerateArray().ToList() : [];
        if (images.Exists(image => !_blobs.ContainsKey(image.GetProperty("image").GetProperty("ref").GetProperty("$link").GetString()!))) return Error(400, "BlobNotFound");
        if (record.TryGetProperty("facets", out var facets) && facets.EnumerateArray().Any(facet => !IsInText(facet.GetProperty("index"), text))) return Error(400, "InvalidRecord");

        if (_records.TryAdd(key, record)) Keep(Did, key, key, text, images.Count);
        else if (!JsonElement.DeepEquals(_records[key], record) && body.GetProperty("swapRecord").ValueKind == JsonValueKind.Null) return Error(400, "InvalidSwap");
        return Results.Json(new { uri = $"at://{Did}/app.bsky.feed.post/{key}", cid = "cid" });
    }

    /// <summary>Whether a facet begins and ends between characters.</summary>
    private static bool IsInText(JsonElement index, string text)
    {
        var bytes = Encoding.UTF8.GetBytes(text);
        var (start, end) = (index.GetProperty("byteStart").GetInt32(), index.GetProperty("byteEnd").GetInt32());
        return start >= 0 && end > start && end <= bytes.Length && IsBoundary(start) && IsBoundary(end);

        bool IsBoundary(int at) => at == bytes.Length || (bytes[at] & 0xC0) != 0x80;
    }

    private IResult? Refusal(HttpContext context)
    {
        if (IsGone) return Error(400, "AccountDeactivated");
        return RefusesTokens || Bearer(context) != _access ? Error(400, "ExpiredToken") : null;
    }

    private IResult Session(bool isEmpty)
    {
        (_access, var refresh) = ($"access-{Guid.NewGuid():N}", isEmpty ? "" : $"refresh-{Guid.NewGuid():N}");
        if (!isEmpty) _refresh = refresh;
        return Results.Json(new { did = Did, handle = Handle, accessJwt = _access, refreshJwt = refresh });
    }

    private static string Bearer(HttpContext context) => context.Request.Headers.Authorization.ToString().Replace("Bearer ", "", StringComparison.Ordinal);

    private static IResult Error(int status, string error) => Results.Json(new { error, message = $"The double says {error}." }, statusCode: status);
}
