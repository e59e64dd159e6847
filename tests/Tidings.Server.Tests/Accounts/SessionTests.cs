using System.Net;
using System.Net.Http.Json;
using Dapper;
using Shouldly;
using Tidings.Realtime.Connections;
using Tidings.Server.Auth;
using Xunit;

namespace Tidings.Server.Tests.Accounts;

public sealed class SessionTests : IAsyncLifetime
{
    private AccountsApp _app = null!;

    public async ValueTask InitializeAsync() => _app = await AccountsApp.StartAsync();

    public ValueTask DisposeAsync() => _app.DisposeAsync();

    [Fact]
    public async Task The_cookie_signs_in_and_gets_a_short_token()
    {
        var ada = await _app.RegisterAsync();
        using var response = await _app.Browser(ada.Cookie).PostAsync("/api/auth/token", null);

        var body = await AccountsApp.ReadAsync(response);
        body.GetProperty("expiresAt").GetString().ShouldBe("2026-03-01T12:15:00.000Z");
        (await MeAsync(_app.Client(body.GetProperty("token").GetString()))).ShouldBe(HttpStatusCode.OK);
        body.EnumerateObject().Select(property => property.Name).ShouldBe(["token", "expiresAt"]);
    }

    [Fact]
    public async Task Signing_out_ends_the_cookie_the_tokens_and_the_connections_of_that_session_only()
    {
        var ada = await _app.RegisterAsync();
        var elsewhere = await LoginAsync("ada");
        var shortToken = await TokenAsync(_app.Browser(ada.Cookie));
        var ended = new List<Session>();
        _app.Get<Sessions>().Ended += ended.Add;

        using var response = await _app.Browser(ada.Cookie).PostAsync("/api/auth/logout", null);

        response.StatusCode.ShouldBe(HttpStatusCode.NoContent);
        response.Headers.GetValues("Set-Cookie").Single().ShouldContain("expires=Thu, 01 Jan 1970");
        (await MeAsync(_app.Browser(ada.Cookie))).ShouldBe(HttpStatusCode.Unauthorized);
        (await MeAsync(_app.Client(ada.Token))).ShouldBe(HttpStatusCode.Unauthorized);
        (await MeAsync(_app.Client(shortToken))).ShouldBe(HttpStatusCode.Unauthorized);
        (await MeAsync(_app.Browser(elsewhere.Cookie))).ShouldBe(HttpStatusCode.OK);
        (await MeAsync(_app.Client(elsewhere.Token))).ShouldBe(HttpStatusCode.OK);
        ended.ShouldHaveSingleItem().UserId.ShouldBe(ada.Id);

        var verdict = await _app.Get<IConnectionAuthenticator>().AuthenticateAsync(ada.Token, CancellationToken.None);
        verdict.Identity.ShouldBeNull();
        verdict.IsExpired.ShouldBeFalse();
    }

    [Fact]
    public async Task Signing_out_with_the_token_works_too()
    {
        var ada = await _app.RegisterAsync();
        (await _app.Client(ada.Token).PostAsync("/api/auth/logout", null)).StatusCode.ShouldBe(HttpStatusCode.NoContent);
        (await MeAsync(_app.Browser(ada.Cookie))).ShouldBe(HttpStatusCode.Unauthorized);
        (await AccountsApp.ProblemAsync(await _app.Client(ada.Token).PostAsync("/api/auth/logout", null))).ShouldBe((401, "unauthorized"));
    }

    [Fact]
    public async Task A_session_lives_30_days_from_its_last_day_of_use()
    {
        var ada = await _app.RegisterAsync();
        for (var week = 0; week < 8; week++)
        {
            _app.Clock.Advance(TimeSpan.FromDays(7));
            using var me = await _app.Browser(ada.Cookie).GetAsync("/api/auth/me");
            me.StatusCode.ShouldBe(HttpStatusCode.OK);
            me.Headers.GetValues("Set-Cookie").Single().ShouldStartWith(ada.Cookie);
            using var again = await _app.Browser(ada.Cookie).GetAsync("/api/auth/me");
            again.Headers.Contains("Set-Cookie").ShouldBeFalse();
        }

        _app.Clock.Advance(TimeSpan.FromDays(30) - TimeSpan.FromSeconds(1));
        (await _app.Get<Sessions>().FindByCookieAsync(ada.Cookie[(ada.Cookie.IndexOf('=') + 1)..], CancellationToken.None)).ShouldNotBeNull();
        _app.Clock.Advance(TimeSpan.FromSeconds(1));
        (await MeAsync(_app.Browser(ada.Cookie))).ShouldBe(HttpStatusCode.Unauthorized);
    }

    [Fact]
    public async Task The_cookies_value_is_not_in_the_database_and_a_stored_hash_signs_nobody_in()
    {
        var ada = await _app.RegisterAsync();
        var value = ada.Cookie[(ada.Cookie.IndexOf('=') + 1)..];
        var hash = await _app.Store.ReadAsync(connection => connection.QuerySingleAsync<byte[]>("SELECT token_hash FROM sessions"), CancellationToken.None);

        hash.ShouldBe(System.Security.Cryptography.SHA256.HashData(System.Buffers.Text.Base64Url.DecodeFromChars(value)));
        (await MeAsync(_app.Browser($"tidings_session={System.Buffers.Text.Base64Url.EncodeToString(hash)}"))).ShouldBe(HttpStatusCode.Unauthorized);
        foreach (var wrong in (string[])["", "x", value[..^1], value + "A", value + "=", "../../x"])
            (await MeAsync(_app.Browser($"tidings_session={wrong}"))).ShouldBe(HttpStatusCode.Unauthorized);
    }

    [Fact]
    public async Task Most_requests_read_no_session()
    {
        var ada = await _app.RegisterAsync();
        var sessions = _app.Get<Sessions>();
        var value = ada.Cookie[(ada.Cookie.IndexOf('=') + 1)..];
        var id = (await sessions.FindByCookieAsync(value, CancellationToken.None))!.Id;
        await _app.Store.WriteAsync(async write => { await write.ExecuteAsync("DELETE FROM sessions"); }, CancellationToken.None);   // as another node would

        (await sessions.FindByCookieAsync(value, CancellationToken.None)).ShouldNotBeNull();
        (await sessions.FindByIdAsync(id, CancellationToken.None)).ShouldNotBeNull();
        _app.Clock.Advance(TimeSpan.FromSeconds(30));
        (await sessions.FindByCookieAsync(value, CancellationToken.None)).ShouldBeNull();
        (await sessions.FindByIdAsync(id, CancellationToken.None)).ShouldBeNull();
    }

    [Fact]
    public async Task A_user_has_at_most_50_sessions()
    {
        var ada = await _app.RegisterAsync();
        var ended = new List<string>();
        var sessions = _app.Get<Sessions>();
        sessions.Ended += session => ended.Add(session.Id);
        for (var i = 0; i < 50; i++)
        {
            _app.Clock.Advance(TimeSpan.FromSeconds(1));
            await sessions.StartAsync(ada.Id, CancellationToken.None);
        }

        ended.ShouldHaveSingleItem();
        (await MeAsync(_app.Browser(ada.Cookie))).ShouldBe(HttpStatusCode.Unauthorized);
    }

    [Fact]
    public async Task All_sessions_of_a_user_can_be_ended_and_expired_ones_go_by_themselves()
    {
        var ada = await _app.RegisterAsync();
        var bob = await _app.RegisterAsync("bob");
        await _app.Get<Sessions>().EndAllOfAsync(ada.Id, CancellationToken.None);
        (await MeAsync(_app.Browser(ada.Cookie))).ShouldBe(HttpStatusCode.Unauthorized);
        (await MeAsync(_app.Browser(bob.Cookie))).ShouldBe(HttpStatusCode.OK);

        _app.Clock.Advance(TimeSpan.FromDays(31));
        await _app.Get<Sessions>().StartAsync(ada.Id, CancellationToken.None);
        (await _app.Store.ReadAsync(connection => connection.ExecuteScalarAsync<long>("SELECT COUNT(*) FROM sessions"), CancellationToken.None)).ShouldBe(1);
    }

    [Fact]
    public async Task A_token_that_was_got_for_a_token_does_not_outlive_it()
    {
        var token = _app.HostToken(seconds: 120);
        using var response = await _app.Client(token).PostAsync("/api/auth/token", null);
        (await AccountsApp.ReadAsync(response)).GetProperty("expiresAt").GetString().ShouldBe("2026-03-01T12:02:00.000Z");
    }

    [Fact]
    public async Task A_live_connection_ends_with_its_token_and_the_engine_adds_the_grace()
    {
        var verdict = await _app.Get<IConnectionAuthenticator>().AuthenticateAsync(_app.HostToken(seconds: 60), CancellationToken.None);
        verdict.Identity.ShouldBe(new ClientIdentity("42", _app.Clock.GetUtcNow().AddSeconds(60)) { IssuedAt = _app.Clock.GetUtcNow() });

        var expired = await _app.Get<IConnectionAuthenticator>().AuthenticateAsync(_app.HostToken(seconds: -31), CancellationToken.None);
        expired.ShouldBe(new TokenVerdict(null, IsExpired: true));
        (await _app.Get<IConnectionAuthenticator>().AuthenticateAsync("x.y.z", CancellationToken.None)).ShouldBe(new TokenVerdict(null));
    }

    private async Task<Someone> LoginAsync(string login)
    {
        using var response = await _app.Client().PostAsJsonAsync("/api/auth/login", new { login, password = "correct horse battery" });
        var body = await AccountsApp.ReadAsync(response);
        var cookie = response.Headers.GetValues("Set-Cookie").Single();
        return new Someone(body.GetProperty("user").GetProperty("id").GetString()!, body.GetProperty("token").GetString()!, cookie[..cookie.IndexOf(';')]);
    }

    private static async Task<string> TokenAsync(HttpClient client) =>
        (await AccountsApp.ReadAsync(await client.PostAsync("/api/auth/token", null))).GetProperty("token").GetString()!;

    private static async Task<HttpStatusCode> MeAsync(HttpClient client) => (await client.GetAsync("/api/auth/me")).StatusCode;
}
