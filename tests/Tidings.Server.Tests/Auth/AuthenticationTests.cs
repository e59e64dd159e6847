using System.Net;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Shouldly;
using Tidings.Server.Auth;
using Tidings.Server.Tests.Accounts;
using Xunit;

namespace Tidings.Server.Tests.Auth;

public sealed class AuthenticationTests : IAsyncLifetime
{
    private AccountsApp _app = null!;

    public async ValueTask InitializeAsync() => _app = await AccountsApp.StartAsync(
        app =>
        {
            app.MapGet("/api/open", (Viewer viewer) => viewer.UserId ?? "nobody");
            app.MapPost("/api/open", (Viewer viewer) => viewer.UserId ?? "nobody");
            app.MapGet("/api/mine", (CurrentUser user) => user.Id).RequireAuthorization();
            app.MapPost("/api/mine", (CurrentUser user) => user.Id).RequireAuthorization();
            app.MapPost("/api/hook", () => "taken").IgnoreCredentials();
            app.MapPost("/api/realtime/publish", () => "published").RequireAuthorization(AuthSetup.Backend);
        },
        ("AllowedOrigins", "https://app.example.com,http://localhost:3000"));

    public ValueTask DisposeAsync() => _app.DisposeAsync();

    [Fact]
    public async Task Our_tokens_and_the_host_apps_work_alike()
    {
        var ada = await _app.RegisterAsync();
        (await _app.Client(ada.Token).GetStringAsync("/api/mine")).ShouldBe(ada.Id);
        (await _app.Client(_app.HostToken("\"id\":42")).GetStringAsync("/api/mine")).ShouldBe("42");
        (await _app.Client(_app.Minted("43", TimeSpan.FromMinutes(1))).PostAsync("/api/mine", null)).StatusCode.ShouldBe(HttpStatusCode.OK);
    }

    [Fact]
    public async Task Who_shows_nothing_is_told_to_sign_in()
    {
        using var response = await _app.Client().GetAsync("/api/mine");
        (await AccountsApp.ProblemAsync(response)).ShouldBe((401, "unauthorized"));
        response.Headers.WwwAuthenticate.ToString().ShouldBe("Bearer");
        (await _app.Client().GetStringAsync("/api/open")).ShouldBe("nobody");
    }

    [Fact]
    public async Task A_token_that_is_refused_is_refused_where_none_is_needed_too()
    {
        foreach (var token in (string[])["x", "a.b.c", _app.HostToken(seconds: -31), _app.HostToken() + "A"])
        {
            foreach (var path in (string[])["/api/mine", "/api/open"])
            {
                using var response = await _app.Client(token).GetAsync(path);
                (await AccountsApp.ProblemAsync(response)).ShouldBe((401, "unauthorized"));
                response.Headers.WwwAuthenticate.ToString().ShouldBe("Bearer error=\"invalid_token\"");
            }

            (await _app.Client(token).PostAsync("/api/hook", null)).StatusCode.ShouldBe(HttpStatusCode.OK);
        }
    }

    [Fact]
    public async Task An_old_cookie_makes_a_visitor_of_its_browser()
    {
        var old = $"tidings_session={new string('A', 43)}";
        (await _app.Browser(old).GetStringAsync("/api/open")).ShouldBe("nobody");
        (await AccountsApp.ProblemAsync(await _app.Browser(old).GetAsync("/api/mine"))).ShouldBe((401, "unauthorized"));
    }

    [Theory]
    [InlineData(null, null, false)]
    [InlineData("own", null, true)]
    [InlineData("https://app.example.com", null, true)]
    [InlineData("http://localhost:3000", null, true)]
    [InlineData(null, "same-origin", true)]
    [InlineData(null, "same-site", false)]
    [InlineData(null, "cross-site", false)]
    [InlineData(null, "none", false)]
    [InlineData("null", null, false)]
    [InlineData("null", "same-origin", false)]
    [InlineData("https://evil.example", "same-origin", false)]
    [InlineData("https://app.example.com:444", null, false)]
    [InlineData("http://app.example.com", null, false)]
    [InlineData("https://APP.example.com", null, false)]
    [InlineData("https://app.example.com.", null, false)]
    [InlineData("https://app.example.com/", null, false)]
    [InlineData("https://app.example.com.evil.tld", null, false)]
    [InlineData("https://evilapp.example.com", null, false)]
    [InlineData("https://evil.example#https://app.example.com", null, false)]
    [InlineData("https://app.example.com@evil.example", null, false)]
    public async Task An_unsafe_request_by_cookie_needs_a_page_of_ours(string? origin, string? site, bool isAllowed)
    {
        var ada = await _app.RegisterAsync();
        using var client = _app.Browser(ada.Cookie, withOrigin: false);
        if (origin is not null) client.DefaultRequestHeaders.TryAddWithoutValidation("Origin", origin == "own" ? _app.Url : origin);
        if (site is not null) client.DefaultRequestHeaders.Add("Sec-Fetch-Site", site);

        foreach (var path in (string[])["/api/mine", "/api/open"])
        {
            using var post = await client.PostAsync(path, null);
            if (isAllowed) post.StatusCode.ShouldBe(HttpStatusCode.OK);
            else (await AccountsApp.ProblemAsync(post)).ShouldBe((403, "origin_required"));
        }

        (await client.GetStringAsync("/api/mine")).ShouldBe(ada.Id);
    }

    [Theory]
    [InlineData("POST", true)]
    [InlineData("PUT", true)]
    [InlineData("PATCH", true)]
    [InlineData("DELETE", true)]
    [InlineData("post", true)]
    [InlineData("GET", false)]
    public async Task Every_unsafe_method_is_checked(string method, bool isChecked)
    {
        var ada = await _app.RegisterAsync();
        using var client = _app.Browser(ada.Cookie, withOrigin: false);
        using var response = await client.SendAsync(new HttpRequestMessage(new HttpMethod(method), "/api/mine"));
        if (isChecked && method is "POST" or "post") ((int)response.StatusCode).ShouldBe(403);
        else if (isChecked) response.StatusCode.ShouldBeOneOf(HttpStatusCode.MethodNotAllowed, HttpStatusCode.Forbidden);
        else response.StatusCode.ShouldBe(HttpStatusCode.OK);
    }

    [Fact]
    public async Task A_bearer_needs_no_origin_and_goes_before_the_cookie()
    {
        var ada = await _app.RegisterAsync();
        using var client = _app.Browser(ada.Cookie, withOrigin: false);
        client.DefaultRequestHeaders.Authorization = new("Bearer", _app.HostToken());
        (await (await client.PostAsync("/api/mine", null)).Content.ReadAsStringAsync()).ShouldBe("42");
    }

    [Fact]
    public async Task Another_scheme_in_front_leaves_the_cookie_alone_and_two_bearers_are_none()
    {
        var ada = await _app.RegisterAsync();
        using var basic = _app.Browser(ada.Cookie);
        basic.DefaultRequestHeaders.Authorization = new("Basic", "YTpi");
        (await basic.GetStringAsync("/api/mine")).ShouldBe(ada.Id);

        using var two = _app.Client();
        two.DefaultRequestHeaders.TryAddWithoutValidation("Authorization", [$"Bearer {_app.HostToken()}", "Bearer x"]);
        (await two.GetAsync("/api/mine")).StatusCode.ShouldBe(HttpStatusCode.Unauthorized);
    }

    [Fact]
    public async Task The_apps_secret_opens_backends_endpoints_and_nothing_else()
    {
        using var backend = _app.Client(AccountsApp.AppSecret);
        (await backend.PostAsync("/api/realtime/publish", null)).StatusCode.ShouldBe(HttpStatusCode.OK);
        (await AccountsApp.ProblemAsync(await backend.GetAsync("/api/mine"))).ShouldBe((403, "forbidden"));

        (await AccountsApp.ProblemAsync(await _app.Client(_app.HostToken()).PostAsync("/api/realtime/publish", null))).ShouldBe((403, "forbidden"));
        foreach (var wrong in (string[])[AccountsApp.AppSecret[..^1], AccountsApp.AppSecret + "x", AccountsApp.AppSecret.ToLowerInvariant(), TokenForge.Secret, new string('x', 5_000)])
            (await AccountsApp.ProblemAsync(await _app.Client(wrong).PostAsync("/api/realtime/publish", null))).ShouldBe((401, "unauthorized"));
        (await AccountsApp.ProblemAsync(await _app.Client().PostAsync("/api/realtime/publish", null))).ShouldBe((401, "unauthorized"));
    }

    [Fact]
    public async Task The_cookie_is_secure_behind_a_trusted_proxy_that_speaks_https()
    {
        using var client = _app.Client();
        client.DefaultRequestHeaders.Add("X-Forwarded-Proto", "https");
        client.DefaultRequestHeaders.Add("X-Forwarded-For", "203.0.113.7");
        using var content = new StringContent("""{"nickname":"ada","email":"a@example.com","password":"correct horse"}""", System.Text.Encoding.UTF8, "application/json");
        using var response = await client.PostAsync("/api/auth/register", content);
        response.Headers.GetValues("Set-Cookie").Single().ToLowerInvariant().ShouldContain("; secure");
    }

    [Fact]
    public async Task Pages_of_allowed_origins_may_read_answers_and_others_may_not()
    {
        using var client = _app.Client();
        client.DefaultRequestHeaders.Add("Origin", "https://app.example.com");
        using var allowed = await client.GetAsync("/api/mine");
        allowed.StatusCode.ShouldBe(HttpStatusCode.Unauthorized);
        allowed.Headers.GetValues("Access-Control-Allow-Origin").ShouldBe(["https://app.example.com"]);
        allowed.Headers.GetValues("Access-Control-Allow-Credentials").ShouldBe(["true"]);

        using var evil = _app.Client();
        evil.DefaultRequestHeaders.Add("Origin", "https://evil.example");
        (await evil.GetAsync("/api/open")).Headers.Contains("Access-Control-Allow-Origin").ShouldBeFalse();
    }
}
