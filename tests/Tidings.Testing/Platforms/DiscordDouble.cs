using System.Globalization;
using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Tidings.Testing.Platforms;

/// <summary>A server with webhooks as Discord's: each number is one, with the same secret.</summary>
public sealed class DiscordDouble : PlatformDouble
{
    public string Token { get; } = $"discord-{Guid.NewGuid():N}";

    /// <summary>The address of a webhook, as its user copies it.</summary>
    public Uri UrlOf(int webhook) => new(Address, $"/api/webhooks/{webhook}/{Token}");

    /// <summary>Whether the next refusals for too many requests are for the whole of Discord.</summary>
    public bool IsGlobal { get; set; }

    /// <inheritdoc />
    protected override IResult TooMany(HttpContext context)
    {
        context.Response.Headers["X-RateLimit-Bucket"] = "bucket";
        context.Response.Headers["X-RateLimit-Remaining"] = "0";
        context.Response.Headers["X-RateLimit-Reset-After"] = RetryAfterSeconds.ToString(CultureInfo.InvariantCulture);
        return Results.Json(new { message = "You are being rate limited.", retry_after = RetryAfterSeconds + 0.25, global = IsGlobal }, statusCode: 429);
    }

    /// <inheritdoc />
    protected override void Map(IEndpointRouteBuilder routes)
    {
        routes.MapGet("/api/v10/webhooks/{id}/{token}", (string id, string token) =>
            Refusal(token) ?? Results.Json(new { id, name = "Double", guild_id = "42", channel_id = "43", token }));
        routes.MapPost("/api/v10/webhooks/{id}/{token}", (HttpContext context, string id, string token) => PostAsync(context, async body =>
        {
            if (Refusal(token) is { } refusal) return refusal;
            var files = 0;
            JsonElement message;
            if (context.Request.HasFormContentType)
            {
                var form = await context.Request.ReadFormAsync();
                message = JsonSerializer.Deserialize<JsonElement>(form["payload_json"].ToString());
                files = form.Files.Count;
                if (form.Files.Select(file => file.Name).Where((name, i) => name != $"files[{i}]").Any()) return Results.Json(new { message = "Invalid Form Body", code = 50035 }, statusCode: 400);
            }
            else
            {
                message = JsonSerializer.Deserialize<JsonElement>(body);
            }

            var text = message.GetProperty("content").GetString()!;
            if (message.GetProperty("allowed_mentions").GetProperty("parse").GetArrayLength() != 0) throw new InvalidOperationException("It mentions people.");
            if (text.Length > 2_000) return Results.Json(new { message = "Invalid Form Body", code = 50035 }, statusCode: 400);
            var messageId = NewId();
            Keep(id, null, messageId, text, files);
            if (context.Request.Query["wait"] != "true") return Results.NoContent();
            context.Response.Headers["X-RateLimit-Bucket"] = "bucket";
            context.Response.Headers["X-RateLimit-Remaining"] = "4";
            context.Response.Headers["X-RateLimit-Reset-After"] = "2.5";
            return Results.Json(new { id = messageId, channel_id = "43", content = text });
        }));
    }

    private IResult? Refusal(string token)
    {
        if (RefusesTokens || token != Token) return Results.Json(new { message = "Invalid Webhook Token", code = 50027 }, statusCode: 401);
        return IsGone ? Results.Json(new { message = "Unknown Webhook", code = 10015 }, statusCode: 404) : null;
    }
}
