using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text.Json;
using Tidings.Testing.Servers;

namespace Tidings.Testing.Clients;

/// <summary>The host app's backend, which holds the app secret.</summary>
public sealed class Backend : IDisposable
{
    private readonly ServerProcess _server;
    private readonly HttpClient _http;

    public Backend(ServerProcess server)
    {
        _server = server;
        _http = Account.Connect(server);
        _http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", server.AppSecret);
    }

    /// <summary>Posts to an endpoint under <c>/api/realtime</c>; anything but 200 is a failure.</summary>
    public async Task<JsonElement> PostAsync(string path, object body)
    {
        using var answer = await _http.PostAsJsonAsync($"/api/realtime{path}", body);
        return await Account.ReadAsync(answer, HttpStatusCode.OK);
    }

    /// <summary>Reads from an endpoint under <c>/api/realtime</c>.</summary>
    public async Task<JsonElement> GetAsync(string path)
    {
        using var answer = await _http.GetAsync($"/api/realtime{path}");
        return await Account.ReadAsync(answer, HttpStatusCode.OK);
    }

    /// <summary>Publishes an event with an id of the backend's own.</summary>
    public Task PublishAsync(string channel, string id) => PostAsync("/publish", new { channel, @event = "note", data = new { }, id });

    /// <summary>A token that lets a user (or <c>*</c>) into a channel.</summary>
    public string SubscriptionToken(string userId, string channel, TimeSpan? lifetime = null, bool withIssue = true)
    {
        var now = TimeProvider.System.GetUtcNow();
        var expires = now + (lifetime ?? TimeSpan.FromHours(1));
        var issued = withIssue ? $",\"iat\":{now.ToUnixTimeSeconds()}" : "";
        return UserToken.Sign("""{"alg":"HS256"}""", $$"""{"sub":"{{userId}}","channel":"{{channel}}","exp":{{expires.ToUnixTimeSeconds()}}{{issued}}}""", _server.AppSecret);
    }

    /// <inheritdoc />
    public void Dispose() => _http.Dispose();
}
