using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text.Json;
using Tidings.Testing.Checks;
using Tidings.Testing.Servers;

namespace Tidings.Testing.Clients;

/// <summary>A user of a server, over REST.</summary>
public sealed class Account : IDisposable
{
    private Account(ServerProcess server, string id, string nickname, string token)
    {
        Server = server;
        Id = id;
        Nickname = nickname;
        Token = token;
        CanaryWatch.Shared.Know(token, id);
        Http = Connect(server);
        Http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", token);
    }

    public ServerProcess Server { get; }

    public string Id { get; }

    public string Nickname { get; }

    public string Token { get; }

    /// <summary>Signs each request with the account's token.</summary>
    public HttpClient Http { get; }

    /// <summary>The account's own feed channel.</summary>
    public string Feed => $"feed:{Id}";

    /// <summary>The channel of what the account posts.</summary>
    public string Creator => $"creator:{Id}";

    /// <summary>A client without a token. The canary looks through what it gets.</summary>
    public static HttpClient Connect(ServerProcess server) =>
        new(new WatchedHandler(new SocketsHttpHandler { UseProxy = false, UseCookies = false, ConnectTimeout = TimeSpan.FromSeconds(5) }))
        {
            BaseAddress = server.Address,
            Timeout = TimeSpan.FromSeconds(30),
        };

    /// <summary>Signs up.</summary>
    public static async Task<Account> RegisterAsync(ServerProcess server, string nickname)
    {
        using var http = Connect(server);
        using var answer = await http.PostAsJsonAsync(
            "/api/auth/register", new { nickname, email = $"{nickname}@example.org", password = "correct horse battery staple" });
        var body = await ReadAsync(answer, HttpStatusCode.Created);
        return new Account(server, body.GetProperty("user").GetProperty("id").GetString()!, nickname, body.GetProperty("token").GetString()!);
    }

    /// <summary>A user whom a host app vouches for. The server knows them from their first request on.</summary>
    public static async Task<Account> OfHostAsync(ServerProcess server, string userId, TimeSpan? tokenLifetime = null)
    {
        var account = new Account(server, userId, userId, UserToken.For(userId, server.AuthSecret, tokenLifetime));
        await account.GetAsync("/api/auth/me");
        return account;
    }

    /// <summary>Publishes a post and returns it.</summary>
    public async Task<JsonElement> PostAsync(string content, string? key = null)
    {
        using var answer = await TryPostAsync(content, key);
        return (await ReadAsync(answer, HttpStatusCode.Created)).GetProperty("post");
    }

    /// <summary>Asks for a post to be published; the caller judges the answer.</summary>
    public async Task<HttpResponseMessage> TryPostAsync(string content, string? key = null, CancellationToken cancellationToken = default)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, "/api/posts") { Content = JsonContent.Create(new { content }) };
        if (key is not null) request.Headers.Add("Idempotency-Key", key);
        return await Http.SendAsync(request, cancellationToken);
    }

    /// <summary>Follows a creator.</summary>
    public async Task FollowAsync(Account creator)
    {
        using var answer = await Http.PostAsync($"/api/creators/{creator.Id}/follow", content: null);
        await ExpectAsync(answer, HttpStatusCode.NoContent);
    }

    /// <summary>Reads a resource as JSON.</summary>
    public async Task<JsonElement> GetAsync(string path)
    {
        using var answer = await Http.GetAsync(path);
        return await ReadAsync(answer, HttpStatusCode.OK);
    }

    /// <summary>All posts of a listing, newest first, page by page.</summary>
    public async Task<List<JsonElement>> GetAllPostsAsync(string query)
    {
        var posts = new List<JsonElement>();
        for (string? cursor = ""; cursor is not null;)
        {
            var page = await GetAsync($"/api/posts?{query}&limit=100{(cursor.Length > 0 ? $"&cursor={Uri.EscapeDataString(cursor)}" : "")}");
            posts.AddRange(page.GetProperty("posts").EnumerateArray());
            cursor = page.TryGetProperty("nextCursor", out var next) ? next.GetString() : null;
        }

        return posts;
    }

    /// <summary>The body of an answer that must have a status.</summary>
    public static async Task<JsonElement> ReadAsync(HttpResponseMessage answer, HttpStatusCode status)
    {
        await ExpectAsync(answer, status);
        return await answer.Content.ReadFromJsonAsync<JsonElement>();
    }

    /// <inheritdoc />
    public void Dispose() => Http.Dispose();

    private static async Task ExpectAsync(HttpResponseMessage answer, HttpStatusCode status)
    {
        if (answer.StatusCode == status) return;
        var body = await answer.Content.ReadAsStringAsync();
        throw new HttpRequestException(
            $"{answer.RequestMessage?.Method} {answer.RequestMessage?.RequestUri?.PathAndQuery} gave {(int)answer.StatusCode} instead of {(int)status}: {body}", null, answer.StatusCode);
    }
}
