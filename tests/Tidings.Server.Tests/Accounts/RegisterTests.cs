using System.Net;
using System.Net.Http.Json;
using System.Text;
using Dapper;
using Shouldly;
using Xunit;

namespace Tidings.Server.Tests.Accounts;

public sealed class RegisterTests : IAsyncLifetime
{
    private AccountsApp _app = null!;

    public async ValueTask InitializeAsync() => _app = await AccountsApp.StartAsync();

    public ValueTask DisposeAsync() => _app.DisposeAsync();

    [Fact]
    public async Task A_new_user_gets_an_account_a_cookie_and_a_token()
    {
        using var client = _app.Client();
        using var response = await client.PostAsJsonAsync(
            "/api/auth/register", new { nickname = "Ada_L", email = "ada@example.com", password = "correct horse", fullName = "Ada Lovelace" });

        response.StatusCode.ShouldBe(HttpStatusCode.Created);
        var body = await AccountsApp.ReadAsync(response);
        var user = body.GetProperty("user");
        user.GetProperty("id").GetString()!.Length.ShouldBe(32);
        user.GetProperty("id").GetString()![12].ShouldBe('7');
        user.GetProperty("nickname").GetString().ShouldBe("Ada_L");
        user.GetProperty("fullName").GetString().ShouldBe("Ada Lovelace");
        user.GetProperty("avatar").ValueKind.ShouldBe(System.Text.Json.JsonValueKind.Null);
        user.GetProperty("isCreator").GetBoolean().ShouldBeFalse();
        user.EnumerateObject().Select(property => property.Name).ShouldBe(["id", "nickname", "fullName", "avatar", "isCreator"]);
        body.GetProperty("expiresAt").GetString().ShouldBe("2026-03-02T00:00:00.000Z");

        var cookie = response.Headers.GetValues("Set-Cookie").Single();
        cookie.ShouldStartWith("tidings_session=");
        foreach (var part in (string[])["httponly", "samesite=lax", "path=/", "max-age=2592000"]) cookie.ToLowerInvariant().ShouldContain(part);
        cookie.ToLowerInvariant().ShouldNotContain("secure");

        using var me = await _app.Client(body.GetProperty("token").GetString()).GetAsync("/api/auth/me");
        (await AccountsApp.ReadAsync(me)).GetProperty("user").GetProperty("nickname").GetString().ShouldBe("Ada_L");
    }

    [Theory]
    [InlineData("ADA", "other@example.com", "nickname_taken")]
    [InlineData("other", "ADA@Example.com", "email_taken")]
    [InlineData("ada", "ada@example.com", "nickname_taken")]
    public async Task Names_and_emails_are_unique_in_any_case(string nickname, string email, string code)
    {
        await _app.RegisterAsync();
        using var response = await _app.Client().PostAsJsonAsync("/api/auth/register", new { nickname, email, password = "correct horse" });
        (await AccountsApp.ProblemAsync(response)).ShouldBe((409, code));
    }

    [Fact]
    public async Task Of_many_who_want_one_name_at_once_one_gets_it()
    {
        var client = _app.Client();
        var responses = await Task.WhenAll(Enumerable.Range(0, 8).Select(i =>
            client.PostAsJsonAsync("/api/auth/register", new { nickname = "same", email = $"a{i}@example.com", password = "correct horse" })));
        responses.Count(response => response.StatusCode == HttpStatusCode.Created).ShouldBe(1);
        responses.Count(response => response.StatusCode == HttpStatusCode.Conflict).ShouldBe(7);
    }

    [Theory]
    [InlineData("nickname", "ab")]
    [InlineData("nickname", "a234567890123456789012345678901")]
    [InlineData("nickname", "a b")]
    [InlineData("nickname", "ädä")]
    [InlineData("nickname", "a@b")]
    [InlineData("nickname", "")]
    [InlineData("email", "nobody")]
    [InlineData("email", "a@b")]
    [InlineData("email", "a@@example.com")]
    [InlineData("email", "@example.com")]
    [InlineData("email", "a@.com")]
    [InlineData("email", "a b@example.com")]
    [InlineData("email", "a@example.com\nBcc: x@example.com")]
    [InlineData("email", "a@-example.com")]
    [InlineData("password", "1234567")]
    [InlineData("fullName", "a\u0007b")]
    public async Task A_bad_field_is_named(string field, string value)
    {
        var body = new Dictionary<string, string> { ["nickname"] = "good", ["email"] = "good@example.com", ["password"] = "correct horse", ["fullName"] = "" };
        body[field] = value;
        using var response = await _app.Client().PostAsJsonAsync("/api/auth/register", body);

        (await AccountsApp.ProblemAsync(response)).ShouldBe((400, "invalid"));
        (await AccountsApp.ReadAsync(response)).GetProperty("errors").EnumerateObject().Select(error => error.Name).ShouldBe([field]);
    }

    [Fact]
    public async Task Long_values_are_refused()
    {
        using var response = await _app.Client().PostAsJsonAsync(
            "/api/auth/register",
            new { nickname = "good", email = new string('a', 250) + "@example.com", password = new string('p', 257), fullName = new string('n', 101) });
        (await AccountsApp.ReadAsync(response)).GetProperty("errors").EnumerateObject().Select(error => error.Name).ShouldBe(["email", "password", "fullName"]);
    }

    [Theory]
    [InlineData("""{"nickname":7,"email":"a@example.com","password":"correct horse"}""", "invalid", "nickname")]
    [InlineData("""{"nickname":"good","email":"a@example.com","password":["x"]}""", "invalid", "password")]
    [InlineData("""{"nickname":"good","email":"a@example.com","password":12345678}""", "invalid", "password")]
    [InlineData("""{"nickname":"good","nickname":"evil","email":"a@example.com","password":"correct horse"}""", "invalid", "nickname")]
    [InlineData("[]", "invalid", "body")]
    [InlineData("\"x\"", "invalid", "body")]
    [InlineData("{}", "invalid", "nickname")]
    [InlineData("""{"nickname":"good""", "malformed_json", null)]
    [InlineData("nickname=good", "malformed_json", null)]
    public async Task A_bad_body_is_refused(string json, string code, string? field)
    {
        using var response = await _app.Client().PostAsync("/api/auth/register", new StringContent(json, Encoding.UTF8, "application/json"));
        (await AccountsApp.ProblemAsync(response)).ShouldBe((400, code));
        if (field is not null) (await AccountsApp.ReadAsync(response)).GetProperty("errors").TryGetProperty(field, out _).ShouldBeTrue(await response.Content.ReadAsStringAsync());
    }

    [Fact]
    public async Task Unknown_fields_are_ignored_and_none_can_be_set_that_way()
    {
        using var content = new StringContent(
            """{"nickname":"good","email":"a@example.com","password":"correct horse","id":"1","isCreator":true,"unknown":{"a":[1]}}""", Encoding.UTF8, "application/json");
        using var response = await _app.Client().PostAsync("/api/auth/register", content);
        var user = (await AccountsApp.ReadAsync(response)).GetProperty("user");
        user.GetProperty("isCreator").GetBoolean().ShouldBeFalse();
        user.GetProperty("id").GetString().ShouldNotBe("1");
    }

    [Fact]
    public async Task Another_content_type_is_415_and_too_much_is_413()
    {
        using var form = await _app.Client().PostAsync("/api/auth/register", new FormUrlEncodedContent([new("nickname", "good")]));
        (await AccountsApp.ProblemAsync(form)).ShouldBe((415, "unsupported_media_type"));

        using var huge = await _app.Client().PostAsync(
            "/api/auth/register", new StringContent($$"""{"nickname":"{{new string('n', 1024 * 1024)}}"}""", Encoding.UTF8, "application/json"));
        (await AccountsApp.ProblemAsync(huge)).ShouldBe((413, "too_large"));
    }

    [Fact]
    public async Task Registration_can_be_closed()
    {
        await using var closed = await AccountsApp.StartAsync(null, ("Auth:Registration", "false"));
        using var response = await closed.Client().PostAsJsonAsync("/api/auth/register", new { nickname = "ada", email = "a@example.com", password = "correct horse" });
        (await AccountsApp.ProblemAsync(response)).ShouldBe((403, "registration_closed"));
    }

    [Fact]
    public async Task The_password_is_nowhere_in_the_database()
    {
        await _app.RegisterAsync(password: "correct horse battery");
        var hash = await _app.Store.ReadAsync(connection => connection.QuerySingleAsync<string>("SELECT password_hash FROM users"), CancellationToken.None);
        hash.ShouldNotContain("horse");
        Convert.FromBase64String(hash).Length.ShouldBeGreaterThan(48);
    }
}
