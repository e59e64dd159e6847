using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Tidings.Testing;
using Tidings.Testing.Checks;
using Tidings.Testing.Clients;
using Tidings.Testing.Servers;

namespace Tidings.Faults.Tests.Access;

/// <summary>All tests of the matrix share one world, one after the other.</summary>
[CollectionDefinition(nameof(AccessWorld))]
public sealed class SharedAccessWorld : ICollectionFixture<AccessWorld>;

/// <summary>
/// A server with an author, each kind of reader and each kind of post of <see cref="AccessTable"/>. Readers who may subscribe listened from
/// before the posts were made. Whatever reaches anybody is noted.
/// </summary>
public sealed class AccessWorld : IAsyncLifetime
{
    private const string AppKey = "key";

    private readonly List<IAsyncDisposable> _listening = [];

    internal Canary Canary { get; } = new();

    internal Provider Provider { get; } = new();

    internal ServerProcess Server { get; private set; } = null!;

    internal Dictionary<string, Account?> Readers { get; } = [];

    internal Dictionary<string, string> Ids { get; } = [];

    /// <summary>What each post says, and the bytes of its file end with: those may read it of whom the table says so.</summary>
    internal Dictionary<string, LockedText> Texts { get; } = AccessTable.Objects.ToDictionary(name => name, name => name == "open" ? LockedText.NewOpen() : LockedText.New());

    /// <summary>What its author has said below each post, which is for those who see all of the post.</summary>
    internal Dictionary<string, LockedText> Said { get; } = AccessTable.Objects.ToDictionary(name => name, name => name == "open" ? LockedText.NewOpen() : LockedText.New());

    /// <summary>The file of each post.</summary>
    internal Dictionary<string, string> Files { get; } = [];

    /// <summary>The author's comment on each post that has been published.</summary>
    internal Dictionary<string, string> Comments { get; } = [];

    /// <summary>Where the author's channel, and each reader's feed, stood before there was any post.</summary>
    internal Dictionary<(string Reader, string Channel), string> Before { get; } = [];

    /// <summary>The same for whoever polls.</summary>
    internal Dictionary<(string Reader, string Channel), string> BeforePolling { get; } = [];

    internal Account Author => Readers[AccessTable.Author]!;

    public async ValueTask InitializeAsync()
    {
        Server = await ServerProcess.StartAsync(new ServerSettings { Settings = { ["Payments:WebhookSecret"] = Provider.Secret, ["App:Key"] = AppKey } });
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
        return (await Account.ReadAsync(answer, HttpStatusCode.Created)).GetProperty("post").Text("id")!;
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
    internal Task<HttpResponseMessage> AskAsync(string name, HttpMethod method, string path, JsonNode? body = null, Action<HttpRequestHeaders>? change = null)
    {
        var request = new HttpRequestMessage(method, path) { Content = body is null ? null : JsonContent.Create(body) };
        change?.Invoke(request.Headers);
        return SendAsync(name, $"{method} {path.Split('?')[0]}", request);
    }

    /// <summary>Sends a request; what comes back is noted.</summary>
    internal async Task<HttpResponseMessage> SendAsync(string name, string way, HttpRequestMessage request)
    {
        using var anonymous = Readers[name] is null ? Account.Connect(Server) : null;
        var answer = await (Readers[name]?.Http ?? anonymous!).SendAsync(request);
        await answer.Content.LoadIntoBufferAsync();
        Canary.Note(name, way, Encoding.Latin1.GetString(await answer.Content.ReadAsByteArrayAsync()));
        return answer;
    }

    /// <summary>Reads an event stream, all of which is noted.</summary>
    internal async Task<IAsyncDisposable> ListenToStreamAsync(string name, string path, string channel, string? since = null)
    {
        var stream = await SseClient.OpenAsync(Server.Address, Readers[name]!.Token, channel, query: since is null ? "" : $"&since={Uri.EscapeDataString(since)}");
        return new Reading(ReadAsync(name, path, stream), stream);
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

            _listening.Add(await ListenToStreamAsync(name, $"live {kind} (sse)", channel));
            if (kind == "public") continue;
            Action<string> Note(string way) => text => Canary.Note(name, $"live {kind} ({way})", text);
            _listening.Add(await ListeningSocket.SocketIoAsync(Server.Address, reader.Token, channel, null, Note("Socket.IO")));
            _listening.Add(await ListeningSocket.SignalRAsync(Server.Address, reader.Token, channel, null, Note("SignalR")));
            _listening.Add(await ListeningSocket.PusherAsync(Server.Address, reader.Token, channel, AppKey, Note("Pusher")));
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
        foreach (var (name, reader) in Readers)
            foreach (var post in AccessTable.Objects)
                if (reader is not null && AccessTable.Of(name, post is "deleted" or "hidden" ? "tier" : post) == Sight.Full)
                    foreach (var text in (LockedText[])[Texts[post], Said[post]]) text.Allow(reader.Id);
        foreach (var text in (LockedText[])[Texts["open"], Said["open"]]) text.Forbid(Readers[AccessTable.Blocked]!.Id);

        foreach (var post in AccessTable.Objects)
        {
            (var text, Files[post]) = (Texts[post].Text, await UploadAsync(Texts[post].Text));
            Ids[post] = await PostAsync(Author, post switch
            {
                "open" => new { content = text, mediaId = Files[post] },
                "priced" => new { content = text, mediaId = Files[post], price = 3 },
                "draft" => new { content = text, mediaId = Files[post], status = "draft" },
                _ => (object)new { content = text, mediaId = Files[post], tier = "Gold" },
            });
            if (post == "draft") continue;
            using var comment = await Author.Http.PostAsJsonAsync($"/api/posts/{Ids[post]}/comments", new { content = Said[post].Text });
            Comments[post] = (await Account.ReadAsync(comment, HttpStatusCode.Created)).GetProperty("comment").Text("id")!;
        }

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

        // The last event of the author's channel has reached everybody who reads it, and every feed in which the first was.
        await Eventually.HoldsAsync(
            () => Readers.Where(reader => reader.Value is not null).All(reader => PathsOf(reader.Key, $"\"{Ids["open"]}\"").All(path => PathsOf(reader.Key, $"\"postId\":\"{Ids["hidden"]}\"", isEscaped: true).Contains(path))),
            "the deletion everywhere");
        string[] others = [.. Readers.Values.Where(reader => reader is not null && reader != Author).Select(reader => reader!.Id)];
        foreach (var post in (string[])["deleted", "hidden"])
            foreach (var text in (LockedText[])[Texts[post], Said[post]]) text.Forbid(others);
        Texts["deleted"].Forbid(Author.Id); // but what the author said below it is still the author's own

        IEnumerable<string> PathsOf(string reader, string text, bool isEscaped = false) =>
            Canary.PathsOf(reader, text).Concat(isEscaped || text.Contains('"') ? Canary.PathsOf(reader, text.Replace("\"", "\\\"", StringComparison.Ordinal)) : [])
                .Where(path => path.StartsWith("live ", StringComparison.Ordinal) && !path.Contains("public", StringComparison.Ordinal));
    }

    /// <summary>A picture, as far as the server looks, with a text at its end.</summary>
    private async Task<string> UploadAsync(string text)
    {
        using var content = new ByteArrayContent([.. "GIF89a"u8, 8, 0, 9, 0, .. Encoding.ASCII.GetBytes(text)]) { Headers = { ContentType = new MediaTypeHeaderValue("application/octet-stream") } };
        using var answer = await Author.Http.PostAsync("/api/media", content);
        return (await Account.ReadAsync(answer, HttpStatusCode.Created)).Text("id")!;
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
