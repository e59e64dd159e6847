using System.Globalization;
using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using Tidings.Testing;
using Tidings.Testing.Clients;
using Tidings.Testing.Platforms;
using Tidings.Testing.Servers;

namespace Tidings.Publishing.Tests.Support;

/// <summary>A user who schedules posts.</summary>
public sealed class Author : IDisposable
{
    private Author(Account account) => Account = account;

    public Account Account { get; }

    public static async Task<Author> RegisterAsync(ServerProcess server, string name) => new(await Account.RegisterAsync(server, name));

    /// <summary>Connects a webhook that leads to a double.</summary>
    /// <returns>The account's id.</returns>
    public Task<string> ConnectAsync(WebhookDouble platform, string name) =>
        ConnectAsync(new { platform = "webhook", handle = name, credentials = new { url = platform.UrlOf(name), secret = platform.Secret } });

    /// <summary>Connects an account.</summary>
    /// <returns>The account's id.</returns>
    public async Task<string> ConnectAsync(object request)
    {
        using var answer = await Account.Http.PostAsJsonAsync("/api/accounts", request);
        return (await Account.ReadAsync(answer, HttpStatusCode.Created)).GetProperty("account").GetProperty("id").GetString()!;
    }

    /// <summary>Schedules a new post for so long from now.</summary>
    /// <returns>The post's id.</returns>
    public Task<string> ScheduleAsync(string content, TimeSpan ahead, params string[] accountIds) =>
        ScheduleAsync(content, TimeProvider.System.GetUtcNow() + ahead, accountIds);

    /// <summary>Schedules a new post.</summary>
    /// <returns>The post's id.</returns>
    public async Task<string> ScheduleAsync(string content, DateTimeOffset at, params string[] accountIds) =>
        (await TryAsync("/api/posts", new { content, status = "scheduled", scheduledAt = Text(at), accountIds }, HttpStatusCode.Created)).GetProperty("post").GetProperty("id").GetString()!;

    /// <summary>Posts a body, and expects a status.</summary>
    public async Task<JsonElement> TryAsync(string path, object? body, HttpStatusCode status)
    {
        using var answer = body is null ? await Account.Http.PostAsync(path, null) : await Account.Http.PostAsJsonAsync(path, body);
        return await Account.ReadAsync(answer, status);
    }

    /// <summary>What became of a post, as its author sees it.</summary>
    public Task<JsonElement> TargetsAsync(string postId) => Account.GetAsync($"/api/posts/{postId}/targets");

    /// <summary>What a post is.</summary>
    public async Task<string> StatusAsync(string postId) => (await TargetsAsync(postId)).GetProperty("status").GetString()!;

    /// <summary>Waits until a post is something.</summary>
    public async Task<JsonElement> WaitForAsync(string postId, string status, TimeSpan? within = null)
    {
        try
        {
            await Eventually.HoldsAsync(async () => await StatusAsync(postId) == status, $"the post is {status}", within);
        }
        catch (TimeoutException late)
        {
            throw new TimeoutException($"{late.Message}; it is {await TargetsAsync(postId)}");
        }

        return await TargetsAsync(postId);
    }

    /// <summary>The target of a platform.</summary>
    public static JsonElement TargetOf(JsonElement targets, string platform) =>
        targets.GetProperty("targets").EnumerateArray().First(target => target.GetProperty("platform").GetString() == platform);

    /// <summary>An instant as requests have it.</summary>
    public static string Text(DateTimeOffset at) => at.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss.fff'Z'", CultureInfo.InvariantCulture);

    /// <inheritdoc />
    public void Dispose() => Account.Dispose();
}
