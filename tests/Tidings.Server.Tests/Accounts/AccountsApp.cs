using System.Net.Http.Json;
using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Logging;
using Shouldly;
using Tidings.Server.Auth;
using Tidings.Server.Auth.Jwt;
using Tidings.Server.Features.Accounts;
using Tidings.Server.Host;
using Tidings.Server.Storage;
using Tidings.Server.Storage.Postgres;
using Tidings.Server.Storage.Sqlite;
using Tidings.Server.Tests.Auth;

namespace Tidings.Server.Tests.Accounts;

/// <summary>A server with accounts alone, on a free port, with a database of its own and a clock that stands still.</summary>
internal sealed class AccountsApp : IAsyncDisposable
{
    public const string AppSecret = "u8Jd2kQm5TzXc0Rw7LbVn3HsYf6GpEa9iOqW1tKr";

    private readonly string _folder = Directory.CreateTempSubdirectory("tidings-accounts-").FullName;
    private readonly WebApplication _app;

    private AccountsApp(string? database, Action<WebApplication>? map, (string Key, string Value)[] settings)
    {
        var builder = WebApplication.CreateBuilder(new WebApplicationOptions { EnvironmentName = "Production" });
        builder.Configuration.Sources.Clear();   // neither this machine's environment nor the server's own log levels
        builder.Configuration.AddInMemoryCollection(new Dictionary<string, string?>
        {
            ["Tidings:DataDirectory"] = _folder,
            ["Tidings:Auth:Secret"] = TokenForge.Secret,
            ["Tidings:App:Secret"] = AppSecret,
            ["Tidings:Limits:RequestsPerSecondPerAddress"] = "100000",
        });
        foreach (var (key, value) in settings) builder.Configuration[$"Tidings:{key}"] = value;
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        builder.Logging.ClearProviders().AddProvider(Logs).SetMinimumLevel(LogLevel.Trace);

        using var errors = new StringWriter();
        if (!builder.TryAddHost(errors, out _)) throw new InvalidOperationException(errors.ToString());
        builder.Services.AddSingleton<TimeProvider>(Clock);
        builder.Services.AddSingleton<Store>(provider => database is null
            ? new SqliteStore(_folder, TimeProvider.System, provider.GetRequiredService<ILoggerFactory>())
            : new PostgresStore(database, TimeProvider.System, provider.GetRequiredService<ILoggerFactory>()));
        builder.Services.AddTidingsAuthentication().AddAccounts();
        builder.Services.AddSingleton(provider => new Suspensions( // of nobody, so that no engine is needed to disconnect them
            provider.GetRequiredService<Store>(), null!, provider.GetRequiredService<TimeProvider>(), provider.GetRequiredService<ILogger<Suspensions>>()));
        builder.Services.Replace(ServiceDescriptor.Singleton(provider => new KnownUsers(provider.GetRequiredService<Store>(), TimeProvider.System))); // it waits for company
        builder.Services.AddSingleton(new PasswordHashing(iterations: 1_000));

        _app = builder.Build();
        _app.UseHost();
        _app.MapAccounts();
        map?.Invoke(_app);
    }

    public FakeClock Clock { get; } = new();

    public CapturedLogs Logs { get; } = new();

    public string Url => _app.Urls.Single();

    public Store Store => Get<Store>();

    public static async Task<AccountsApp> StartAsync(Action<WebApplication>? map = null, params (string Key, string Value)[] settings)
    {
        var app = new AccountsApp(await TestDatabase.NewAsync(), map, settings);
        await app._app.StartAsync();
        return app;
    }

    public T Get<T>() where T : notnull => _app.Services.GetRequiredService<T>();

    /// <summary>A client without cookies of its own.</summary>
    public HttpClient Client(string? bearer = null)
    {
        var client = new HttpClient(new SocketsHttpHandler { UseCookies = false, AllowAutoRedirect = false }) { BaseAddress = new Uri(Url) };
        if (bearer is not null) client.DefaultRequestHeaders.Authorization = new("Bearer", bearer);
        return client;
    }

    /// <summary>A client that sends a session's cookie and, as a page of the server does, its origin.</summary>
    public HttpClient Browser(string cookie, bool withOrigin = true)
    {
        var client = Client();
        client.DefaultRequestHeaders.Add("Cookie", cookie);
        if (withOrigin) client.DefaultRequestHeaders.Add("Origin", Url);
        return client;
    }

    /// <summary>A token as a host app signs it.</summary>
    public string HostToken(string claims = "\"sub\":\"42\"", int seconds = 3_600) => TokenForge.Token(Clock, claims, seconds: seconds);

    public string Minted(string user, TimeSpan lifetime) => Get<JwtMinter>().Mint(user, lifetime).Token;

    /// <summary>Signs a user up.</summary>
    public async Task<Someone> RegisterAsync(string nickname = "ada", string password = "correct horse battery")
    {
        using var client = Client();
        using var response = await client.PostAsJsonAsync("/api/auth/register", new { nickname, email = $"{nickname}@example.com", password });
        response.StatusCode.ShouldBe(System.Net.HttpStatusCode.Created, await response.Content.ReadAsStringAsync());
        var body = await ReadAsync(response);
        var cookie = response.Headers.GetValues("Set-Cookie").Single();
        return new Someone(body.GetProperty("user").GetProperty("id").GetString()!, body.GetProperty("token").GetString()!, cookie[..cookie.IndexOf(';')]);
    }

    public static async Task<JsonElement> ReadAsync(HttpResponseMessage response) =>
        JsonDocument.Parse(await response.Content.ReadAsStringAsync()).RootElement;

    /// <summary>The status, and the code of the problem.</summary>
    public static async Task<(int Status, string? Code)> ProblemAsync(HttpResponseMessage response)
    {
        response.Content.Headers.ContentType?.MediaType.ShouldBe("application/problem+json");
        return ((int)response.StatusCode, (await ReadAsync(response)).GetProperty("code").GetString());
    }

    public async ValueTask DisposeAsync()
    {
        await _app.StopAsync();
        await _app.DisposeAsync();
        Directory.Delete(_folder, recursive: true);
    }
}

/// <summary>A user who has signed up: the id, the token of the answer, and the cookie as <c>name=value</c>.</summary>
internal sealed record Someone(string Id, string Token, string Cookie);
