using System.Net;
using System.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Shouldly;
using Tidings.Server.Storage;
using Tidings.Server.Tests.Accounts;
using Xunit;

namespace Tidings.Server.Tests.Host;

public sealed class ErrorAnswersTests : IAsyncLifetime
{
    private AccountsApp _app = null!;

    public sealed record Body(string? Text, int? Number, DateTimeOffset? At, IReadOnlyList<Item>? Items);

    public sealed record Item(decimal? Price);

    public async ValueTask InitializeAsync() => _app = await AccountsApp.StartAsync(app =>
    {
        app.MapPost("/api/body", (Body body) => body);
        app.MapGet("/api/number/{id:int}", (int id, int limit) => id + limit);
        app.MapGet("/api/fault", string () => throw new InvalidOperationException("the password is hunter2"));
        app.MapGet("/api/json-fault", string () => throw new System.Text.Json.JsonException("stored rubbish"));
        app.MapGet("/api/full", string () => throw new StoreUnavailableException("disk full at /var/lib"));
        app.MapGet("/page", () => Results.Text("<h1>x</h1>", "text/html"));
        app.MapGet("/api/cached", (HttpContext context) =>
        {
            context.Response.Headers.CacheControl = "public, max-age=60";
            return "x";
        });
    });

    public ValueTask DisposeAsync() => _app.DisposeAsync();

    [Theory]
    [InlineData("""{"text":7}""", "text")]
    [InlineData("""{"number":"7"}""", "number")]
    [InlineData("""{"number":7.5}""", "number")]
    [InlineData("""{"number":99999999999}""", "number")]
    [InlineData("""{"at":"yesterday"}""", "at")]
    [InlineData("""{"at":"2026-03-01T12:00:00"}""", "at")]
    [InlineData("""{"at":7}""", "at")]
    [InlineData("""{"items":{}}""", "items")]
    [InlineData("""{"items":[{"price":1},{"price":"x"}]}""", "items[1].price")]
    [InlineData("""{"text":"\ud800"}""", "text")]
    [InlineData("""{"text":"a","text":"b"}""", "text")]
    [InlineData("[]", "body")]
    public async Task A_wrong_type_names_the_field(string json, string field)
    {
        using var response = await PostAsync(json);
        (await AccountsApp.ProblemAsync(response)).ShouldBe((400, "invalid"));
        (await AccountsApp.ReadAsync(response)).GetProperty("errors").EnumerateObject().Single().Name.ShouldBe(field);
        (await response.Content.ReadAsStringAsync()).ShouldNotContain("System.");
    }

    [Theory]
    [InlineData("{")]
    [InlineData("x")]
    [InlineData("""{"text":"a",}""")]
    [InlineData("""{"text":'a'}""")]
    [InlineData("""{"text":"a"} {}""")]
    [InlineData("""{"text":"a" /* comment */}""")]
    public async Task What_is_no_JSON_is_malformed(string text) => (await AccountsApp.ProblemAsync(await PostAsync(text))).ShouldBe((400, "malformed_json"));

    [Fact]
    public async Task Deep_nesting_is_refused()
    {
        var deep = string.Concat(Enumerable.Repeat("[", 40)) + string.Concat(Enumerable.Repeat("]", 40));
        ((int)(await PostAsync($$"""{"unknown":{{deep}}}""")).StatusCode).ShouldBe(400);
    }

    [Theory]
    [InlineData("application/json; charset=bogus")]
    [InlineData("application/json; charset=\"\"")]
    [InlineData("application/json; charset=utf-7")]
    public async Task A_charset_that_nobody_knows_is_the_clients_mistake(string contentType)
    {
        using var content = new ByteArrayContent("{}"u8.ToArray());
        content.Headers.TryAddWithoutValidation("Content-Type", contentType);
        using var response = await _app.Client().PostAsync("/api/body", content);
        ((int)response.StatusCode).ShouldBeLessThan(500);
        _app.Logs.Lines.ShouldNotContain(line => line.StartsWith("Error", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Good_bodies_and_instants_go_through()
    {
        using var response = await PostAsync("""{"text":"ü\n","number":7,"at":"2026-03-01T13:30:00.5+01:00","items":[{"price":1.5}],"more":true}""");
        (await response.Content.ReadAsStringAsync()).ShouldBe("""{"text":"ü\n","number":7,"at":"2026-03-01T12:30:00.500Z","items":[{"price":1.5}]}""");
    }

    [Fact]
    public async Task No_body_and_bad_parameters_are_the_clients_mistake()
    {
        ((int)(await PostAsync("")).StatusCode).ShouldBe(400);
        (await AccountsApp.ProblemAsync(await _app.Client().PostAsync("/api/body", null))).Status.ShouldBeOneOf(400, 415);
        (await AccountsApp.ProblemAsync(await _app.Client().GetAsync("/api/number/1?limit=x"))).ShouldBe((400, "bad_request"));
        (await AccountsApp.ProblemAsync(await _app.Client().GetAsync("/api/number/1"))).ShouldBe((400, "bad_request"));
    }

    [Fact]
    public async Task Unknown_addresses_and_methods_are_problems_too()
    {
        (await AccountsApp.ProblemAsync(await _app.Client().GetAsync("/api/nothing"))).ShouldBe((404, "not_found"));
        using var method = await _app.Client().DeleteAsync("/api/body");
        (await AccountsApp.ProblemAsync(method)).ShouldBe((405, "method_not_allowed"));
        method.Content.Headers.Allow.ShouldBe(["POST"]);
    }

    [Theory]
    [InlineData("/api/fault", "hunter2")]
    [InlineData("/api/json-fault", "rubbish")]
    public async Task A_fault_of_ours_shows_no_detail(string path, string detail)
    {
        using var response = await _app.Client().GetAsync(path);
        (await AccountsApp.ProblemAsync(response)).ShouldBe((500, "internal"));
        (await response.Content.ReadAsStringAsync()).ShouldNotContain(detail);
        _app.Logs.Lines.ShouldContain(line => line.StartsWith("Error Tidings.Server.Host.ErrorAnswers 1001", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_store_that_is_out_of_reach_is_503_with_a_time_to_come_back()
    {
        using var response = await _app.Client().GetAsync("/api/full");
        (await AccountsApp.ProblemAsync(response)).ShouldBe((503, "unavailable"));
        response.Headers.RetryAfter!.Delta.ShouldBe(TimeSpan.FromSeconds(2));
        (await response.Content.ReadAsStringAsync()).ShouldNotContain("/var/lib");
    }

    [Theory]
    [InlineData("/api/cached", "public, max-age=60")]
    [InlineData("/api/nothing", "no-store")]
    [InlineData("/API/nothing", "no-store")]
    [InlineData("/api/fault", "no-store")]
    [InlineData("/page", null)]
    [InlineData("/nothing", null)]
    public async Task Every_answer_has_the_headers_of_safety(string path, string? cacheControl)
    {
        using var response = await _app.Client().GetAsync(path);
        response.Headers.GetValues("X-Content-Type-Options").ShouldBe(["nosniff"]);
        response.Headers.GetValues("Content-Security-Policy").Single().ShouldContain("frame-ancestors 'none'");
        response.Headers.Contains("Referrer-Policy").ShouldBeTrue();
        response.Headers.Contains("Server").ShouldBeFalse();
        (response.Headers.CacheControl?.ToString()).ShouldBe(cacheControl);
    }

    private Task<HttpResponseMessage> PostAsync(string json) =>
        _app.Client().PostAsync("/api/body", new StringContent(json, Encoding.UTF8, "application/json"));
}
