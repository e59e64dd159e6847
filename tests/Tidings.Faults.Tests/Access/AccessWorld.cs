using System.Net.Http.Json;
using System.Text.Json;
using System.Text.Json.Nodes;
using Tidings.Testing;
using Tidings.Testing.Checks;
using Tidings.Testing.Clients;
using Tidings.Testing.Servers;

namespace Tidings.Faults.Tests.Access;

/// <summary>
/// A server with an author, each kind of reader and each kind of post of <see cref="AccessTable"/>. Readers who may subscribe listened from
/// before the posts were made. Whatever reaches anybody is noted.
/// </summary>
public sealed class AccessWorld : IAsyncLifetime
{
    private readonly List<IAsyncDisposable> _listening = [];

    internal Canary Canary { get; } = new();

    internal Provider Provider { get; } = new();

    internal ServerProcess Server { get; private set; } = null!;

    internal Dictionary<string, Account?> Readers { get; } = [];

    internal Dictionary<string, string> Ids { get; } = [];

    internal Dictionary<string, string> Markers { get; } = AccessTable.Objects.ToDictionary(name => name, _ => Testing.Checks.Canary.NewMarker());

    /// <summary>Where the author's channel, and each reader's feed, stood before there was any post.</summary>
    internal Dictionary<(string Reader, string Channel), string> Before { get; } = [];

    /// <summary>The same for whoever polls.</summary>
    internal Dictionary<(string Reader, string Channel), string> BeforePolling { get; } = [];

    internal Account Author => Readers[AccessTable.Author]!;

    public async ValueTask InitializeAsync()
    {
        Server = await ServerProcess.StartAsync(new ServerSettings { Settings = { ["Payments:WebhookSecret"] = Provider.Secret } });
        foreach (var name in AccessTable.Rows.Keys)
            Readers[name] = name == AccessTable.Anonymous ? null : await Account.OfHostAsync(Server, name.Replace(' ', '-'));

        await MakeCreatorAsync(Author);
        await Provider.SubscribeAsync(Readers["subscriber"]!, Author, "Gold", 5);
        await Provider.SubscribeAsync(Readers["too low"]!, Author, "Silver", 1);
        await Provider.RefundAsync(Server, await Provider.SubscribeAsync(Readers["refunded"]!, Author, "Gold", 5));
        await Readers["follower"]!.FollowAsync(Author);
        using (var block = await Author.Http.PostAsync($"/api/users/{Readers[AccessTable.Blocked]!.Id}/block", null)) block.EnsureSuccessStatusCode();

        foreach (var (name, reader) in Readers)
            if (reader is not null) await ListenAsync(name, reader, name == AccessTable.Blocked ? ["public:posts", reader.Feed] : [Author.Creator, "public:posts", reader.Feed]);

        await MakePostsAsync();
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var listener in _listening) await listener.DisposeAsync();
        foreach (var reader in Readers.Values) reader?.Dispose();
        await Server.DisposeAsync();
    }

    /// <summary>Two tiers: Silver for 1, Gold for 5.</summary>
    internal static async Task MakeCreatorAsync(Account creator)
    {
        using var answer = await creator.Http.PutAsJsonAsync(
            "/api/creators/me/tiers", new object[] { new { name = "Silver", level = 1, price = 1 }, new { name = "Gold", level = 2, price = 5 } });
        answer.EnsureSuccessStatusCode();
    }

    /// <summary>Makes a post of any shape.</summary>
    internal static async Task<string> PostAsync(Account author, object post)
    {
        using var answer = await author.Http.PostAsJsonAsync("/api/posts", post);
        return (await Account.ReadAsync(answer, System.Net.HttpStatusCode.Created)).GetProperty("post").Text("id")!;
    }

    /// <summary>Changes a post.</summary>
    internal static async Task EditAsync(Account author, string id, object change)
    {
        using var answer = await author.Http.PatchAsJsonAsync($"/api/posts/{id}", change);
        answer.EnsureSuccessStatusCode();
    }

    /// <summary>Connects a reader, all of whose messages are noted.</summary>
    internal Task<NativeClient> ConnectAsync(string name, string path) => NativeClient.ConnectAsync(
        Server.Address, Readers[name]!.Token, onMessage: message => Canary.Note(name, path, message.GetRawText()));

    /// <summary>Asks a route; what comes back is noted.</summary>
    internal async Task<HttpResponseMessage> AskAsync(string name, HttpMethod method, string path, JsonNode? body = null, string? notedAs = null)
    {
        using var anonymous = Readers[name] is null ? Account.Connect(Server) : null;
        using var request = new HttpRequestMessage(method, path) { Content = body is null ? null : JsonContent.Create(body) };
        var answer = await (Readers[name]?.Http ?? anonymous!).SendAsync(request);
        await answer.Content.LoadIntoBufferAsync();
        Canary.Note(name, notedAs ?? $"{method} {path.Split('?')[0]}", await answer.Content.ReadAsStringAsync());
        return answer;
    }

    private async Task ListenAsync(string name, Account reader, string[] channels)
    {
        foreach (var channel in channels)
        {
            var kind = channel.Split(':')[0];
            var client = await ConnectAsync(name, $"live {kind} (ws)");
            _listening.Add(client);
            Before[(name, kind)] = (await client.SubscribeAsync(channel)).Text("position")!;
            using var poll = new PollClient(Server.Address, reader.Token, channel);
            BeforePolling[(name, kind)] = (await poll.PollAsync(timeoutSeconds: 1)).Since!;

            var stream = await SseClient.OpenAsync(Server.Address, reader.Token, channel);
            _listening.Add(new Reading(ReadAsync(name, $"live {kind} (sse)", stream), stream));
        }
    }

    private async Task ReadAsync(string name, string path, SseClient stream)
    {
        try
        {
            await foreach (var happened in stream.ReadAsync()) Canary.Note(name, path, happened.Data);
        }
        catch (Exception exception) when (exception is IOException or HttpRequestException or ObjectDisposedException or OperationCanceledException)
        {
            // The end of the test, or of the server.
        }
    }

    private async Task MakePostsAsync()
    {
        Ids["open"] = await PostAsync(Author, new { content = Markers["open"] });
        Ids["tier"] = await PostAsync(Author, new { content = Markers["tier"], tier = "Gold" });
        Ids["priced"] = await PostAsync(Author, new { content = Markers["priced"], price = 3 });
        Ids["draft"] = await PostAsync(Author, new { content = Markers["draft"], status = "draft" });
        Ids["deleted"] = await PostAsync(Author, new { content = Markers["deleted"], tier = "Gold" });
        Ids["hidden"] = await PostAsync(Author, new { content = Markers["hidden"], tier = "Gold" });
        await Provider.BuyAsync(Readers["buyer"]!, Ids["priced"], 3);
        foreach (var name in (string[])["open", "tier", "priced"]) await EditAsync(Author, Ids[name], new { title = $"edited {name}" });
        using (var deletion = await Author.Http.DeleteAsync($"/api/posts/{Ids["deleted"]}")) deletion.EnsureSuccessStatusCode();

        using (var backend = Account.Connect(Server))
        {
            backend.DefaultRequestHeaders.Authorization = new("Bearer", Server.AppSecret);
            using var making = await backend.PutAsync($"/api/moderation/moderators/{Readers["moderator"]!.Id}", null);
            making.EnsureSuccessStatusCode();
        }

        using (var hiding = await Readers["moderator"]!.Http.PostAsJsonAsync($"/api/moderation/posts/{Ids["hidden"]}/hide", new { note = "for the test" }))
            hiding.EnsureSuccessStatusCode();

        // The last event of the author's channel has reached everybody who reads it.
        await Eventually.HoldsAsync(
            () => Readers.Where(reader => reader.Value is not null && reader.Key != AccessTable.Blocked)
                .All(reader => ((string[])["live creator (ws)", "live creator (sse)"]).All(path => Canary.PathsOf(reader.Key, $"\"postId\":\"{Ids["hidden"]}\"").Contains(path))),
            "the deletion everywhere");
    }

    private sealed class Reading(Task reading, SseClient stream) : IAsyncDisposable
    {
        public async ValueTask DisposeAsync()
        {
            stream.Dispose();
            await reading;
        }
    }
}
