using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json;
using Microsoft.Data.Sqlite;
using Shouldly;
using Tidings.Testing;
using Tidings.Testing.Clients;
using Tidings.Testing.Platforms;
using Tidings.Testing.Servers;
using Xunit;

namespace Tidings.Server.Tests.ConnectedAccounts;

/// <summary>Secrets of accounts are in no file, log, answer, event or export; and connecting by a platform's page is the user's own doing.</summary>
public sealed class AccountSecrecyTests(AccountsServer server) : IClassFixture<AccountsServer>
{
    [Fact]
    [Trait("Database", "SQLite")]
    public async Task No_secret_is_in_the_database_the_log_an_answer_an_event_or_an_export()
    {
        using var user = await server.UserAsync("ann");
        await using var client = await NativeClient.ConnectAsync(user);
        await client.SubscribeAsync($"user:{user.Id}");
        await using var bluesky = new BlueskyDouble();
        await using var mastodon = new MastodonDouble();
        await using var discord = new DiscordDouble();
        await using var telegram = new TelegramDouble();
        await using var webhook = new WebhookDouble();
        foreach (var platform in (PlatformDouble[])[bluesky, mastodon, discord, telegram]) await platform.StartAsync();
        var heard = new StringBuilder();

        foreach (var body in (object[])
        [
            new { platform = "webhook", handle = "canary-handle", credentials = new { url = $"{webhook.UrlOf("canary-path-secret")}", secret = webhook.Secret } },
            new { platform = "bluesky", handle = BlueskyDouble.Handle, baseUrl = bluesky.Address, credentials = new { appPassword = bluesky.Password } },
            new { platform = "bluesky", handle = BlueskyDouble.Handle, baseUrl = bluesky.Address, credentials = new { appPassword = "canary-wrong-password" } },
            new { platform = "mastodon", baseUrl = mastodon.Address, credentials = new { token = mastodon.Token } },
            new { platform = "mastodon", baseUrl = mastodon.Address, credentials = new { token = "canary-wrong-token" } },
            new { platform = "discord", credentials = new { url = discord.UrlOf(7) } },
            new { platform = "discord", credentials = new { url = $"{discord.UrlOf(7)}-canary-wrong" } },
            new { platform = "telegram", baseUrl = telegram.Address, credentials = new { token = telegram.Token, chat = "-77" } },
            new { platform = 7, credentials = new { token = "canary-wrong-type" } },
        ])
        {
            using var answer = await user.Http.PostAsJsonAsync("/api/accounts", body);
            heard.AppendLine(await answer.Content.ReadAsStringAsync());
        }

        var list = await user.GetAsync("/api/accounts");
        list.GetProperty("accounts").GetArrayLength().ShouldBe(5);
        heard.AppendLine(list.GetRawText()).AppendLine(await user.Http.GetStringAsync("/api/user/export"));
        using var backend = Account.Connect(server.Process);
        backend.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", server.Process.AppSecret);
        heard.AppendLine(await backend.GetStringAsync($"/api/realtime/channels/user:{user.Id}/history"));

        var files = Directory.EnumerateFiles(server.Process.DataDirectory, "tidings.db*").Select(ReadShared).ToList();
        files.Count.ShouldBeGreaterThan(1); // with the write-ahead log
        files.ShouldContain(bytes => Encoding.UTF8.GetString(bytes).Contains("canary-handle", StringComparison.Ordinal)); // so the search finds what is there
        heard.ToString().ShouldContain("canary-handle");
        var secrets = new[] { webhook.Secret, "canary-path-secret", bluesky.Password, mastodon.Token, discord.Token, telegram.Token, "canary-wrong" };
        foreach (var secret in secrets)
        {
            files.Exists(bytes => bytes.AsSpan().IndexOf(Encoding.UTF8.GetBytes(secret)) >= 0).ShouldBeFalse(secret);
            heard.ToString().ShouldNotContain(secret);
            server.Process.Output.Text.ShouldNotContain(secret);
        }
    }

    [Fact]
    [Trait("Database", "SQLite")]
    public async Task Who_leaves_leaves_no_account()
    {
        using var user = await server.UserAsync("leaver");
        using var connected = await user.Http.PostAsJsonAsync("/api/accounts", new { platform = "webhook", credentials = new { url = "http://127.0.0.1:9/" } });
        connected.StatusCode.ShouldBe(HttpStatusCode.Created);
        Rows(user.Id).ShouldBe(1);

        using var leave = new HttpRequestMessage(HttpMethod.Delete, "/api/user") { Content = JsonContent.Create(new { password = "correct horse battery staple" }) };
        (await user.Http.SendAsync(leave)).StatusCode.ShouldBe(HttpStatusCode.NoContent);
        await Eventually.HoldsAsync(() => Rows(user.Id) == 0, "the account is gone");
    }

    [Fact]
    public async Task An_account_is_connected_on_its_platforms_page_once_and_in_the_sign_in_that_began_it()
    {
        await using var mastodon = new MastodonDouble();
        await mastodon.StartAsync();
        using var user = await server.UserAsync("ann");
        using var other = await server.UserAsync("bob");
        var back = mastodon.Agree(await BeginAsync(user, mastodon));
        back.AbsolutePath.ShouldBe("/api/accounts/callback");
        back.Port.ShouldBe(server.Process.Port);

        (await ReturnAsync(null, back)).StatusCode.ShouldBe(HttpStatusCode.Unauthorized);
        (await ReturnAsync(other.Token, back)).StatusCode.ShouldBe(HttpStatusCode.BadRequest);
        (await user.GetAsync("/api/accounts")).GetProperty("accounts").GetArrayLength().ShouldBe(0); // one that is only begun is not shown
        var done = await ReturnAsync(user.Token, back);
        done.StatusCode.ShouldBe(HttpStatusCode.Found);
        done.Headers.Location!.OriginalString.ShouldBe("/feed?connected=mastodon");
        (await ReturnAsync(user.Token, back)).StatusCode.ShouldBe(HttpStatusCode.BadRequest);
        var account = (await user.GetAsync("/api/accounts")).GetProperty("accounts").EnumerateArray().ShouldHaveSingleItem();
        account.GetProperty("handle").GetString().ShouldBe("@ann@127.0.0.1");

        // The same user in another sign-in.
        var second = mastodon.Agree(await BeginAsync(user, mastodon));
        using var visitor = Account.Connect(server.Process);
        using var login = await visitor.PostAsJsonAsync("/api/auth/login", new { login = user.Nickname, password = "correct horse battery staple" });
        var token = (await Account.ReadAsync(login, HttpStatusCode.OK)).GetProperty("token").GetString()!;
        (await ReturnAsync(token, second)).StatusCode.ShouldBe(HttpStatusCode.BadRequest);
        (await ReturnAsync(user.Token, second)).StatusCode.ShouldBe(HttpStatusCode.BadRequest); // that was its one use

        // The user says no.
        var refused = new UriBuilder(mastodon.Agree(await BeginAsync(user, mastodon)));
        refused.Query = $"error=access_denied&state={System.Web.HttpUtility.ParseQueryString(refused.Query)["state"]}";
        (await ReturnAsync(user.Token, refused.Uri)).Headers.Location!.OriginalString.ShouldBe("/feed?not-connected=mastodon");
    }

    [Fact]
    public async Task Private_networks_are_closed_unless_they_are_opened()
    {
        await using var process = await ProductServer.StartAsync([]);
        await using var mastodon = new MastodonDouble();
        await mastodon.StartAsync();
        using var user = await Account.RegisterAsync(process, "ann");
        foreach (var body in (object[])
        [
            new { platform = "webhook", credentials = new { url = "https://127.0.0.1/hook" } },
            new { platform = "webhook", credentials = new { url = "http://example.org/hook" } },
            new { platform = "mastodon", baseUrl = mastodon.Address, credentials = new { token = "token" } },
            new { platform = "mastodon", baseUrl = "https://localhost", credentials = new { token = "token" } },
            new { platform = "telegram", baseUrl = "https://[::1]", credentials = new { token = "1:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", chat = "1" } },
            new { platform = "discord", credentials = new { url = "https://169.254.169.254/api/webhooks/1/x" } },
        ])
        {
            using var answer = await user.Http.PostAsJsonAsync("/api/accounts", body);
            answer.StatusCode.ShouldBe(HttpStatusCode.BadRequest, JsonSerializer.Serialize(body));
        }

        mastodon.Requests.ShouldBeEmpty();
    }

    private static async Task<Uri> BeginAsync(Account user, MastodonDouble mastodon)
    {
        using var answer = await user.Http.PostAsJsonAsync("/api/accounts", new { platform = "mastodon", baseUrl = mastodon.Address });
        return new Uri((await Account.ReadAsync(answer, HttpStatusCode.Accepted)).GetProperty("authorization").GetProperty("url").GetString()!);
    }

    private static async Task<HttpResponseMessage> ReturnAsync(string? token, Uri url)
    {
        using var http = new HttpClient(new SocketsHttpHandler { UseProxy = false, AllowAutoRedirect = false });
        if (token is not null) http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", token);
        return await http.GetAsync(url);
    }

    private long Rows(string userId)
    {
        using var database = new SqliteConnection($"Data Source={server.Process.DatabaseFile};Mode=ReadOnly;Pooling=False");
        database.Open();
        using var count = database.CreateCommand();
        count.CommandText = "SELECT COUNT(*) FROM connected_accounts WHERE user_id = $user";
        count.Parameters.AddWithValue("$user", userId);
        return (long)count.ExecuteScalar()!;
    }

    private static byte[] ReadShared(string path)
    {
        using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
        using var bytes = new MemoryStream();
        file.CopyTo(bytes);
        return bytes.ToArray();
    }
}
