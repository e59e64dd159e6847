using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Tidings.Testing.Platforms;

/// <summary>A Bot API server with one bot, which is in whichever chat is asked for.</summary>
public sealed class TelegramDouble : PlatformDouble
{
    private readonly string _secret = $"{Guid.NewGuid():N}{Guid.NewGuid():N}"[..35];

    public string Token => $"1234567:{_secret}";

    /// <summary>A group that has become another chat: whoever writes to the first is told of the second.</summary>
    public (string From, string To)? Moved { get; set; }

    /// <inheritdoc />
    protected override IResult TooMany(HttpContext context) =>
        Results.Json(new { ok = false, error_code = 429, description = "Too Many Requests: retry later", parameters = new { retry_after = RetryAfterSeconds } }, statusCode: 429);

    /// <inheritdoc />
    protected override void Map(IEndpointRouteBuilder routes)
    {
        routes.MapPost("/bot{token}/getMe", (string token) => Refusal(token) ?? Ok(new { id = 1_234_567, is_bot = true, username = "double_bot" }));
        routes.MapPost("/bot{token}/getChat", (string token, JsonElement body) =>
        {
            if (Refusal(token) is { } refusal) return refusal;
            var chat = body.GetProperty("chat_id").GetString()!;
            return long.TryParse(chat, out var id) ? Ok(new { id, title = "A group", type = "group" })
                : chat.StartsWith('@') ? Ok(new { id = -100_123L, title = "A channel", username = chat[1..], type = "channel" })
                : Error(400, "Bad Request: chat not found");
        });
        foreach (var method in (string[])["sendMessage", "sendPhoto", "sendVideo", "sendDocument", "sendMediaGroup"])
            routes.MapPost($"/bot{{token}}/{method}", (HttpContext context, string token) => PostAsync(context, body => SendAsync(context, token, body)));
    }

    private async Task<IResult> SendAsync(HttpContext context, string token, byte[] body)
    {
        if (Refusal(token) is { } refusal) return refusal;
        if (IsGone) return Error(403, "Forbidden: bot was kicked from the channel chat");

        string chat, text;
        var (files, most) = (0, 4_096);
        if (context.Request.HasFormContentType)
        {
            var form = await context.Request.ReadFormAsync();
            (chat, text, files, most) = (form["chat_id"].ToString(), form["caption"].ToString(), form.Files.Count, 1_024);
            if (form.ContainsKey("media") && JsonSerializer.Deserialize<JsonElement>(form["media"].ToString())[0].TryGetProperty("caption", out var caption)) text = caption.GetString()!;
        }
        else
        {
            var message = JsonSerializer.Deserialize<JsonElement>(body);
            (chat, text) = (message.GetProperty("chat_id").GetString()!, message.GetProperty("text").GetString()!);
        }

        if (Moved is var (from, to) && chat == from)
            return Results.Json(new { ok = false, error_code = 400, description = "Bad Request: group chat was upgraded to a supergroup chat", parameters = new { migrate_to_chat_id = long.Parse(to) } }, statusCode: 400);
        if (text.Length > most) return Error(400, "Bad Request: message is too long");
        var id = NewId();
        Keep(chat, null, id, text, files);
        object answer = new { message_id = long.Parse(id), chat = new { id = chat } };
        return files > 1 ? Ok(Enumerable.Repeat(answer, files)) : Ok(answer);
    }

    private IResult? Refusal(string token) => RefusesTokens || token != Token ? Error(401, "Unauthorized") : null;

    private static IResult Ok(object result) => Results.Json(new { ok = true, result });

    private static IResult Error(int status, string description) => Results.Json(new { ok = false, error_code = status, description }, statusCode: status);
}
