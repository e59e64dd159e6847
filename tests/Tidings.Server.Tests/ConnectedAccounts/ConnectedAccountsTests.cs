using System.Net;
using System.Net.Http.Json;
using Shouldly;
using Tidings.Testing.Clients;
using Tidings.Testing.Servers;
using Xunit;

namespace Tidings.Server.Tests.ConnectedAccounts;

/// <summary>Connecting and disconnecting accounts, from outside, on a server that may call private networks.</summary>
public sealed class ConnectedAccountsTests(AccountsServer server) : IClassFixture<AccountsServer>
{
    [Fact]
    public async Task A_webhook_is_connected_with_a_secret_that_is_shown_once()
    {
        using var user = await server.UserAsync("ann");
        await using var client = await NativeClient.ConnectAsync(user);
        await client.SubscribeAsync($"user:{user.Id}");

        using var answer = await user.Http.PostAsJsonAsync("/api/accounts", new { platform = "webhook", handle = "my site", credentials = new { url = "http://127.0.0.1:9/hook" } });
        var body = await Account.ReadAsync(answer, HttpStatusCode.Created);

        var account = body.GetProperty("account");
        account.GetProperty("platform").GetString().ShouldBe("webhook");
        account.GetProperty("handle").GetString().ShouldBe("my site");
        account.GetProperty("status").GetString().ShouldBe("connected");
        var secret = body.GetProperty("secret").GetString()!;
        secret.ShouldStartWith("whsec_");
        var id = account.GetProperty("id").GetString()!;
        await client.WaitForAsync(message => message.IsOfType("account:connected") && message.Text("accountId") == id && message.Text("platform") == "webhook", "it is connected");

        var list = await user.GetAsync("/api/accounts");
        list.GetProperty("accounts").EnumerateArray().Select(one => one.GetProperty("id").GetString()).ShouldBe([id]);
        list.GetRawText().ShouldNotContain(secret);

        (await user.Http.DeleteAsync($"/api/accounts/{id}")).StatusCode.ShouldBe(HttpStatusCode.NoContent);
        await client.WaitForAsync(message => message.IsOfType("account:disconnected") && message.Text("accountId") == id && !string.IsNullOrEmpty(message.Text("reason")), "it is disconnected");
        (await user.Http.DeleteAsync($"/api/accounts/{id}")).StatusCode.ShouldBe(HttpStatusCode.NotFound);
        (await user.GetAsync("/api/accounts")).GetProperty("accounts").GetArrayLength().ShouldBe(0);
    }

    [Fact]
    public async Task The_same_account_again_is_the_same_account()
    {
        using var user = await server.UserAsync("ann");
        var first = await ConnectAsync(user, "http://127.0.0.1:9/same");
        var other = await ConnectAsync(user, "http://127.0.0.1:9/other");
        (await ConnectAsync(user, "http://127.0.0.1:9/same")).ShouldBe(first);
        other.ShouldNotBe(first);
        (await user.GetAsync("/api/accounts")).GetProperty("accounts").GetArrayLength().ShouldBe(2);
    }

    [Fact]
    public async Task Accounts_are_their_users_alone()
    {
        using var user = await server.UserAsync("ann");
        using var other = await server.UserAsync("bob");
        var id = await ConnectAsync(user, "http://127.0.0.1:9/mine");

        (await other.GetAsync("/api/accounts")).GetProperty("accounts").GetArrayLength().ShouldBe(0);
        (await other.Http.DeleteAsync($"/api/accounts/{id}")).StatusCode.ShouldBe(HttpStatusCode.NotFound);
        using var visitor = Account.Connect(server.Process);
        (await visitor.GetAsync("/api/accounts")).StatusCode.ShouldBe(HttpStatusCode.Unauthorized);
        (await visitor.PostAsJsonAsync("/api/accounts", new { platform = "webhook" })).StatusCode.ShouldBe(HttpStatusCode.Unauthorized);
        (await user.GetAsync("/api/accounts")).GetProperty("accounts").GetArrayLength().ShouldBe(1);
    }

    [Theory]
    [InlineData("""{"platform":"nowhere"}""", "platform")]
    [InlineData("""{}""", "platform")]
    [InlineData("""{"platform":7}""", "platform")]
    [InlineData("""{"platform":"webhook","credentials":"text"}""", "credentials")]
    [InlineData("""{"platform":"webhook"}""", "credentials.url")]
    [InlineData("""{"platform":"webhook","credentials":{"url":"ftp://example.org/"}}""", "credentials.url")]
    [InlineData("""{"platform":"webhook","credentials":{"url":"http://user:word@example.org/"}}""", "credentials.url")]
    [InlineData("""{"platform":"webhook","credentials":{"url":"https://example.org/","secret":"short"}}""", "credentials.secret")]
    [InlineData("""{"platform":"webhook","handle":"a\u0000b","credentials":{"url":"https://example.org/"}}""", "handle")]
    [InlineData("""{"platform":"webhook","baseUrl":"not an address","credentials":{"url":"https://example.org/"}}""", "baseUrl")]
    [InlineData("""{"platform":"bluesky"}""", "handle")]
    [InlineData("""{"platform":"bluesky","handle":"ann"}""", "credentials.appPassword")]
    [InlineData("""{"platform":"discord","credentials":{"url":"https://discord.com/"}}""", "credentials.url")]
    [InlineData("""{"platform":"telegram","credentials":{"token":"no token"}}""", "credentials.token")]
    public async Task What_is_wrong_is_said_with_its_field(string body, string field)
    {
        using var user = await server.UserAsync("ann");
        using var answer = await user.Http.PostAsync("/api/accounts", new StringContent(body, System.Text.Encoding.UTF8, "application/json"));
        var problem = await Account.ReadAsync(answer, HttpStatusCode.BadRequest);
        problem.GetProperty("code").GetString().ShouldBe("invalid");
        problem.GetProperty("errors").EnumerateObject().Select(error => error.Name).ShouldContain(field);
    }

    private static async Task<string> ConnectAsync(Account user, string url)
    {
        using var answer = await user.Http.PostAsJsonAsync("/api/accounts", new { platform = "webhook", credentials = new { url } });
        return (await Account.ReadAsync(answer, HttpStatusCode.Created)).GetProperty("account").GetProperty("id").GetString()!;
    }
}

/// <summary>A server that may call private networks.</summary>
public sealed class AccountsServer : IAsyncLifetime
{
    private int _users;

    public ServerProcess Process { get; private set; } = null!;

    public async ValueTask InitializeAsync() => Process = await ProductServer.StartAsync(new() { ["Publishing:AllowPrivateNetworks"] = "true" });

    public ValueTask DisposeAsync() => Process.DisposeAsync();

    /// <summary>Signs somebody up whom no other test knows.</summary>
    public Task<Account> UserAsync(string name) => Account.RegisterAsync(Process, $"{name}{Interlocked.Increment(ref _users)}");
}
