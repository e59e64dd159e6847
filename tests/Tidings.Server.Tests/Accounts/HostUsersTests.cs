using Dapper;
using Shouldly;
using Tidings.Realtime.Connections;
using Tidings.Server.Features.Accounts;
using Xunit;

namespace Tidings.Server.Tests.Accounts;

public sealed class HostUsersTests : IAsyncLifetime
{
    private AccountsApp _app = null!;

    public async ValueTask InitializeAsync() => _app = await AccountsApp.StartAsync();

    public ValueTask DisposeAsync() => _app.DisposeAsync();

    [Fact]
    public async Task The_first_token_of_an_unknown_user_makes_one_from_its_claims()
    {
        var user = await MeAsync("\"sub\":\"42\",\"nickname\":\"grace\",\"name\":\"Grace Hopper\",\"picture\":\"https://example.com/g.png\"");
        user.GetProperty("id").GetString().ShouldBe("42");
        user.GetProperty("nickname").GetString().ShouldBe("grace");
        user.GetProperty("fullName").GetString().ShouldBe("Grace Hopper");
        user.GetProperty("avatar").GetString().ShouldBe("https://example.com/g.png");

        (await MeAsync("\"sub\":\"42\",\"nickname\":\"changed\"")).GetProperty("nickname").GetString().ShouldBe("grace");
    }

    [Theory]
    [InlineData("\"sub\":\"7\"", "user-7902699b")]
    [InlineData("\"sub\":\"7\",\"name\":\"Grace Brewster Hopper\"", "Grace-Brewster-Hopper")]
    [InlineData("\"sub\":\"7\",\"name\":\"José Ñandú\"", "Jose-Nandu")]
    [InlineData("\"sub\":\"7\",\"nickname\":\"李\"", "user-7902699b")]
    [InlineData("\"sub\":\"7\",\"nickname\":\"x\"", "user-7902699b")]
    [InlineData("\"sub\":\"7\",\"nickname\":\"<script>alert(1)</script>\"", "scriptalert1script")]
    [InlineData("\"sub\":\"7\",\"nickname\":\"a234567890123456789012345678901234567890\"", "a23456789012345678901234567890")]
    public async Task Any_name_becomes_a_nickname(string claims, string nickname) =>
        (await MeAsync(claims)).GetProperty("nickname").GetString().ShouldBe(nickname);

    [Fact]
    public async Task A_nickname_that_is_taken_gets_a_suffix()
    {
        await _app.RegisterAsync("grace");
        var names = new List<string>();
        foreach (var id in (string[])["1", "2", "3"]) names.Add((await MeAsync($"\"sub\":\"{id}\",\"nickname\":\"Grace\"")).GetProperty("nickname").GetString()!);

        names.ShouldAllBe(name => name.StartsWith("Grace-"));
        names.Distinct().Count().ShouldBe(3);
        HostUsers.NicknamesFor("1", new string('a', 30)).ShouldAllBe(name => AccountRules.Nickname(name) == null);
        HostUsers.NicknamesFor("1", null).ShouldAllBe(name => AccountRules.Nickname(name) == null);
    }

    [Theory]
    [InlineData("javascript:alert(1)")]
    [InlineData("data:image/png;base64,AAAA")]
    [InlineData("/relative.png")]
    [InlineData("file:///etc/passwd")]
    public async Task Only_web_addresses_become_avatars(string picture) =>
        (await MeAsync($"\"sub\":\"42\",\"picture\":\"{picture}\"")).GetProperty("avatar").ValueKind.ShouldBe(System.Text.Json.JsonValueKind.Null);

    [Fact]
    public async Task Fifty_first_connections_at_once_make_one_user()
    {
        var authenticator = _app.Get<IConnectionAuthenticator>();
        var token = _app.HostToken("\"sub\":\"42\",\"nickname\":\"grace\"");
        var verdicts = await Task.WhenAll(Enumerable.Range(0, 50).Select(_ => authenticator.AuthenticateAsync(token, CancellationToken.None).AsTask()));

        verdicts.ShouldAllBe(verdict => verdict.Identity!.UserId == "42");
        (await CountAsync()).ShouldBe(1);
    }

    [Fact]
    public async Task A_known_user_is_not_looked_up_again_until_forgotten()
    {
        await MeAsync("\"sub\":\"42\"");
        await _app.Store.WriteAsync(async write => { await write.ExecuteAsync("DELETE FROM users"); }, CancellationToken.None);

        var token = _app.HostToken();
        await _app.Get<IConnectionAuthenticator>().AuthenticateAsync(token, CancellationToken.None);
        (await CountAsync()).ShouldBe(0);
        _app.Get<KnownUsers>().Forget("42");
        await _app.Get<IConnectionAuthenticator>().AuthenticateAsync(token, CancellationToken.None);
        (await CountAsync()).ShouldBe(1);
    }

    [Fact]
    public async Task A_token_that_is_refused_makes_nobody()
    {
        (await _app.Client(_app.HostToken(seconds: -60)).GetAsync("/api/auth/me")).StatusCode.ShouldBe(System.Net.HttpStatusCode.Unauthorized);
        (await CountAsync()).ShouldBe(0);
    }

    private Task<long> CountAsync() => _app.Store.ReadAsync(connection => connection.ExecuteScalarAsync<long>("SELECT COUNT(*) FROM users"), CancellationToken.None);

    private async Task<System.Text.Json.JsonElement> MeAsync(string claims) =>
        (await AccountsApp.ReadAsync(await _app.Client(_app.HostToken(claims)).GetAsync("/api/auth/me"))).GetProperty("user");
}
