using Microsoft.Playwright;
using Tidings.Testing.Servers;

namespace Tidings.Browser.Tests;

/// <summary>The system's Chromium. One for all tests; each user has a context, and so cookies, of their own.</summary>
public sealed class Browser : IAsyncLifetime
{
    private IPlaywright? _playwright;
    private IBrowser? _browser;

    private static string Executable => Environment.GetEnvironmentVariable("CHROMIUM") is { Length: > 0 } path ? path : "/usr/bin/chromium";

    public async ValueTask InitializeAsync()
    {
        _playwright = await Playwright.CreateAsync();
        _browser = await _playwright.Chromium.LaunchAsync(new BrowserTypeLaunchOptions
        {
            ExecutablePath = Executable,
            ChromiumSandbox = false,
            Args =
            [
                "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync",
            ],
        });
    }

    public async ValueTask DisposeAsync()
    {
        if (_browser is not null) await _browser.DisposeAsync();
        _playwright?.Dispose();
    }

    /// <summary>A window with cookies of its own.</summary>
    public async Task<IBrowserContext> NewContextAsync(BrowserNewContextOptions options)
    {
        var context = await _browser!.NewContextAsync(options);
        context.SetDefaultTimeout(20_000);
        return context;
    }

    /// <summary>A new user, signed up by the page's own way and signed in in a window of their own.</summary>
    public async Task<User> SignUpAsync(ServerProcess server, string nickname, BrowserNewContextOptions? options = null)
    {
        options ??= new BrowserNewContextOptions();
        options.BaseURL = server.Address.ToString();
        var context = await NewContextAsync(options);
        var answer = await context.APIRequest.PostAsync("/api/auth/register", new APIRequestContextOptions
        {
            DataObject = new { nickname, email = $"{nickname}@example.org", password = "correct horse battery staple" },
            Headers = new Dictionary<string, string> { ["Origin"] = server.Address.GetLeftPart(UriPartial.Authority) },
        });
        answer.Status.ShouldBe(201, await answer.TextAsync());
        var user = (await answer.JsonAsync())!.Value.GetProperty("user");
        return new User(context, user.GetProperty("id").GetString()!, nickname);
    }
}

/// <summary>A signed-in user of the page.</summary>
public sealed record User(IBrowserContext Context, string Id, string Nickname) : IAsyncDisposable
{
    /// <summary>Opens the feed in another tab and waits until it is live.</summary>
    public async Task<FeedTab> OpenFeedAsync(string path = "/feed")
    {
        var tab = new FeedTab(await Context.NewPageAsync());
        await tab.Page.GotoAsync(path);
        await tab.IsLiveAsync();
        return tab;
    }

    /// <summary>Follows a creator, as the page does.</summary>
    public async Task FollowAsync(string creatorId)
    {
        var answer = await Context.APIRequest.PostAsync(
            $"/api/creators/{creatorId}/follow", new() { Headers = new Dictionary<string, string> { ["Sec-Fetch-Site"] = "same-origin" } });
        answer.Status.ShouldBe(204, await answer.TextAsync());
    }

    public async ValueTask DisposeAsync() => await Context.DisposeAsync();
}
