using System.Net;
using System.Net.Http.Json;
using System.Text;
using Shouldly;
using Tidings.Server.Host;
using Xunit;

namespace Tidings.Server.Tests.Accounts;

public sealed class LoginTests : IAsyncLifetime
{
    private AccountsApp _app = null!;

    public async ValueTask InitializeAsync() => _app = await AccountsApp.StartAsync();

    public ValueTask DisposeAsync() => _app.DisposeAsync();

    [Theory]
    [InlineData("ada")]
    [InlineData("ADA")]
    [InlineData("ada@example.com")]
    [InlineData("Ada@Example.COM")]
    public async Task The_nickname_and_the_email_sign_in_in_any_case(string login)
    {
        var ada = await _app.RegisterAsync();
        using var response = await LoginAsync(login, "correct horse battery");

        response.StatusCode.ShouldBe(HttpStatusCode.OK);
        var body = await AccountsApp.ReadAsync(response);
        body.GetProperty("user").GetProperty("id").GetString().ShouldBe(ada.Id);
        body.GetProperty("token").GetString()!.Split('.').Length.ShouldBe(3);
        response.Headers.GetValues("Set-Cookie").Single().ShouldNotContain(ada.Cookie);
    }

    [Fact]
    public async Task A_wrong_password_an_unknown_name_and_a_user_of_the_host_get_the_same_answer()
    {
        await _app.RegisterAsync();
        (await _app.Client(_app.HostToken("\"sub\":\"9\",\"nickname\":\"hosted\"")).GetAsync("/api/auth/me")).StatusCode.ShouldBe(HttpStatusCode.OK);

        var bodies = new List<string>();
        foreach (var login in (string[])["ada", "nobody", "hosted", "nobody@example.com"])
        {
            using var response = await LoginAsync(login, "wrong horse battery");
            (await AccountsApp.ProblemAsync(response)).ShouldBe((401, "invalid_credentials"));
            response.Headers.Contains("Set-Cookie").ShouldBeFalse();
            bodies.Add(await response.Content.ReadAsStringAsync());
        }

        bodies.Distinct().ShouldHaveSingleItem();
    }

    [Fact]
    public async Task Guessing_one_name_is_slowed_down_whether_it_exists_or_not()
    {
        await _app.RegisterAsync();
        foreach (var name in (string[])["ada", "nobody"])
        {
            for (var i = 0; i < 10; i++) (await AccountsApp.ProblemAsync(await LoginAsync(name, "wrong"))).Code.ShouldBe("invalid_credentials");

            using var refused = await LoginAsync(name.ToUpperInvariant(), "correct horse battery");
            (await AccountsApp.ProblemAsync(refused)).ShouldBe((429, "rate_limited"));
            refused.Headers.RetryAfter!.Delta.ShouldBe(TimeSpan.FromSeconds(36));
        }

        _app.Clock.Advance(TimeSpan.FromSeconds(36));
        (await LoginAsync("ada", "correct horse battery")).StatusCode.ShouldBe(HttpStatusCode.OK);
    }

    [Fact]
    public async Task Guessing_many_names_from_one_address_is_slowed_down()
    {
        for (var i = 0; i < 60; i++) (await AccountsApp.ProblemAsync(await LoginAsync($"name{i}", "wrong"))).Code.ShouldBe("invalid_credentials");

        using var refused = await LoginAsync("name61", "wrong");
        (await AccountsApp.ProblemAsync(refused)).ShouldBe((429, "rate_limited"));
        refused.Headers.RetryAfter!.Delta.ShouldBe(TimeSpan.FromSeconds(2));
    }

    [Fact]
    public async Task Signing_in_rightly_is_not_counted()
    {
        await _app.RegisterAsync();
        for (var i = 0; i < 15; i++) (await LoginAsync("ada", "correct horse battery")).StatusCode.ShouldBe(HttpStatusCode.OK);
    }

    [Theory]
    [InlineData("""{"password":"x"}""", "login")]
    [InlineData("""{"login":"ada"}""", "password")]
    [InlineData("""{"login":{"$ne":null},"password":"x"}""", "login")]
    [InlineData("""{"login":"ada","password":true}""", "password")]
    [InlineData("null", null)]
    [InlineData("", null)]
    [InlineData("{", null)]
    public async Task A_bad_body_is_refused(string json, string? field)
    {
        using var response = await _app.Client().PostAsync("/api/auth/login", new StringContent(json, Encoding.UTF8, "application/json"));
        var (status, code) = await AccountsApp.ProblemAsync(response);
        status.ShouldBe(400);
        if (field is null) code.ShouldBeOneOf("malformed_json", "bad_request", "invalid");
        else (await AccountsApp.ReadAsync(response)).GetProperty("errors").TryGetProperty(field, out _).ShouldBeTrue();
    }

    [Fact]
    public async Task A_token_that_is_over_does_not_keep_anybody_from_signing_in()
    {
        await _app.RegisterAsync();
        using var client = _app.Client("not.a.token");
        using var response = await client.PostAsJsonAsync("/api/auth/login", new { login = "ada", password = "correct horse battery" });
        response.StatusCode.ShouldBe(HttpStatusCode.OK);
    }

    private Task<HttpResponseMessage> LoginAsync(string login, string password) =>
        _app.Client().PostAsJsonAsync("/api/auth/login", new { login, password });
}
