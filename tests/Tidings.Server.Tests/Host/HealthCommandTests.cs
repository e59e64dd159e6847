using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Configuration;
using Shouldly;
using Tidings.Server.Host;
using Xunit;

namespace Tidings.Server.Tests.Host;

public sealed class HealthCommandTests : IDisposable
{
    private readonly StringWriter _output = new();
    private readonly StringWriter _errors = new();

    public void Dispose()
    {
        _output.Dispose();
        _errors.Dispose();
    }

    [Fact]
    public async Task A_server_that_is_ready_is_code_0()
    {
        await using var server = await AnswerAsync(200, """{"status":"ready","realtime":"on"}""");
        (await RunAsync("health", "--url", UrlOf(server))).ShouldBe(0);
        _output.ToString().Trim().ShouldBe("ready");
        _errors.ToString().ShouldBeEmpty();
    }

    [Fact]
    public async Task A_server_that_is_not_ready_is_code_1_and_its_reasons()
    {
        await using var server = await AnswerAsync(503, """{"status":"not_ready","reasons":["The database does not take writes.","The server is shutting down."]}""");
        (await RunAsync("health", "--url", UrlOf(server))).ShouldBe(1);
        _errors.ToString().Trim().ShouldBe("not ready The database does not take writes. The server is shutting down.");
        _output.ToString().ShouldBeEmpty();
    }

    [Theory]
    [InlineData(404, "<html>")]
    [InlineData(200, "<html>")]
    [InlineData(200, "[]")]
    [InlineData(200, """{"status":"fine"}""")]
    [InlineData(200, """{"status":7}""")]
    [InlineData(302, "")]
    public async Task Whatever_else_answers_is_code_1(int status, string body)
    {
        await using var server = await AnswerAsync(status, body);
        (await RunAsync("health", "--url", UrlOf(server))).ShouldBe(1);
        _errors.ToString().ShouldContain($"answered {status}, and not as a Tidings server does");
    }

    [Fact]
    public async Task An_error_status_is_never_ready_whatever_the_body_says()
    {
        await using var server = await AnswerAsync(500, """{"status":"ready"}""");
        (await RunAsync("health", "--url", UrlOf(server))).ShouldBe(1);
    }

    [Fact]
    public async Task An_endless_answer_is_code_1()
    {
        await using var server = await AnswerAsync(200, new string(' ', 1024 * 1024));
        (await RunAsync("health", "--url", UrlOf(server))).ShouldBe(1);
        _errors.ToString().ShouldContain("/health/ready does not answer");
    }

    [Fact]
    public async Task No_server_is_code_1()
    {
        await using var server = await AnswerAsync(200, "");
        var url = UrlOf(server);
        await server.StopAsync();
        (await RunAsync("health", "--url", url)).ShouldBe(1);
        _errors.ToString().ShouldContain($"{url}/health/ready does not answer");
    }

    [Fact]
    public async Task A_server_that_is_silent_is_code_1_after_the_deadline()
    {
        await using var server = await AnswerAsync(async context => await Task.Delay(Timeout.Infinite, context.RequestAborted));
        (await RunAsync("health", "--url", UrlOf(server))).ShouldBe(1);
        _errors.ToString().ShouldContain("did not answer within 5 s");
    }

    [Fact]
    public async Task With_wait_it_asks_again_until_the_server_is_ready()
    {
        var asked = 0;
        await using var server = await AnswerAsync(async context =>
        {
            var isReady = ++asked > 2;
            context.Response.StatusCode = isReady ? 200 : 503;
            await context.Response.WriteAsync(isReady ? """{"status":"ready"}""" : """{"status":"not_ready","reasons":["Not yet."]}""");
        });
        (await RunAsync("health", "--wait", "60", "--url", UrlOf(server))).ShouldBe(0);
        asked.ShouldBe(3);
        _errors.ToString().ShouldBeEmpty();
    }

    [Fact]
    public async Task With_wait_it_gives_up_in_the_end()
    {
        await using var server = await AnswerAsync(503, """{"status":"not_ready","reasons":["Never."]}""");
        (await RunAsync("health", "--wait", "1", "--url", UrlOf(server))).ShouldBe(1);
        _errors.ToString().Trim().ShouldBe("not ready Never.");
    }

    [Theory]
    [InlineData("http://127.0.0.1:{0}")]
    [InlineData("http://localhost:{0};http://localhost:1")]
    [InlineData("http://0.0.0.0:{0}")]
    [InlineData("http://*:{0}")]
    [InlineData("http://+:{0}")]
    [InlineData("http://[::]:{0}")]
    public async Task Without_an_address_it_asks_where_the_server_listens_by_the_same_configuration(string urls)
    {
        await using var server = await AnswerAsync(200, """{"status":"ready"}""");
        (await RunConfiguredAsync(new() { ["urls"] = urls.Replace("{0}", $"{new Uri(UrlOf(server)).Port}", StringComparison.Ordinal) }, "health")).ShouldBe(0);
    }

    [Theory]
    [InlineData("--url must be an address", "--url", "127.0.0.1:5000")]
    [InlineData("--url must be an address", "--url", "http://127.0.0.1:5000/health/ready")]
    [InlineData("--url must be an address", "--url", "http://user:password@127.0.0.1:5000")]
    [InlineData("--url must be an address", "--url", "ftp://127.0.0.1")]
    [InlineData("--wait must be", "--wait", "0")]
    [InlineData("'--port' is not known", "--port", "5000")]
    public async Task Wrong_use_is_explained_with_code_2(string part, params string[] arguments)
    {
        (await RunAsync(["health", .. arguments])).ShouldBe(2);
        _errors.ToString().ShouldContain(part);
        _errors.ToString().ShouldContain("Usage: tidings health");
        _errors.ToString().ShouldNotContain("password@");
    }

    [Fact]
    public async Task Wrong_urls_of_the_server_are_explained_with_code_2()
    {
        (await RunConfiguredAsync(new() { ["urls"] = "5000" }, "health")).ShouldBe(2);
        _errors.ToString().ShouldContain("The server's address '5000' cannot be read");
    }

    private static string UrlOf(WebApplication server) => server.Urls.Single();

    private static Task<WebApplication> AnswerAsync(int status, string body) => AnswerAsync(async context =>
    {
        context.Response.StatusCode = status;
        await context.Response.WriteAsync(body);
    });

    private static async Task<WebApplication> AnswerAsync(RequestDelegate answer)
    {
        var builder = WebApplication.CreateEmptyBuilder(new());
        builder.WebHost.UseKestrelCore().UseUrls("http://127.0.0.1:0");
        var server = builder.Build();
        server.Run(answer);
        await server.StartAsync();
        return server;
    }

    private Task<int?> RunAsync(params string[] args) => RunConfiguredAsync([], args);

    private Task<int?> RunConfiguredAsync(Dictionary<string, string?> settings, params string[] args) =>
        CommandLine.TryRunAsync(args, () => new ConfigurationBuilder().AddInMemoryCollection(settings).Build(), _output, _errors);
}
