using Microsoft.Playwright;
using Tidings.Testing;
using Tidings.Testing.Clients;
using Tidings.Testing.Servers;

namespace Tidings.Browser.Tests;

/// <summary>Windows that find their own way back to a server that died, while somebody goes on posting.</summary>
public sealed class KilledServerTests(Browser browser, ITestOutputHelper output) : IClassFixture<Browser>
{
    [Fact]
    public async Task Posts_from_before_during_and_after_the_windows_return_are_all_there_once()
    {
        await using var server = await ServerProcess.StartAsync();
        await using var ada = await browser.SignUpAsync(server, "ada");
        await using var grace = await browser.SignUpAsync(server, "grace");
        using var author = await Account.RegisterAsync(server, "author");
        foreach (var user in new[] { ada, grace }) await user.FollowAsync(author.Id);
        var windows = new[] { await ada.OpenFeedAsync(), await grace.OpenFeedAsync() };
        foreach (var window in windows) await window.Page.EvaluateAsync("window.sameDocument = true");
        var written = new List<string>();
        await WriteAsync();

        for (var kill = 0; kill < TestRun.Number(3, 15); kill++)
        {
            await server.KillAsync();
            foreach (var window in windows) await window.IsDownAsync();
            await server.StartAgainAsync();
            for (var number = 0; number < 3; number++) await WriteAsync();
            while (!await AreLiveAsync(windows) && written.Count < 20 * (kill + 1)) await WriteAsync();
            foreach (var window in windows) await window.IsLiveAsync();
            await WriteAsync();
        }

        output.WriteLine($"{written.Count} posts");
        foreach (var window in windows)
        {
            await window.ShowsAfterAskingAsync(written[^1]);
            foreach (var text in written.TakeLast(90)) await window.ShowsAsync(text); // the page keeps 100
            (await window.Page.EvaluateAsync<bool>("window.sameDocument === true")).ShouldBeTrue("the window was never loaded anew");
            window.PostRequests.ShouldBe(["GET /api/posts"], "what was missed came over the connection");
        }

        async Task WriteAsync()
        {
            written.Add($"news number {written.Count + 1000}");
            await author.PostAsync(written[^1]);
        }
    }

    [Fact]
    public async Task An_own_post_is_there_before_the_server_has_answered_and_only_once_afterwards()
    {
        await using var server = await ServerProcess.StartAsync();
        await using var ada = await browser.SignUpAsync(server, "ada");
        var tab = await ada.OpenFeedAsync();
        var mayLeave = new TaskCompletionSource();
        await tab.Page.RouteAsync("**/api/posts", async route =>
        {
            if (route.Request.Method == "POST") await mayLeave.Task;
            await route.ContinueAsync();
        });

        await tab.WriteAsync("In no time");

        var post = tab.Post("In no time");
        await Assertions.Expect(post).ToHaveCountAsync(1, new() { Timeout = 2_000 });
        await Assertions.Expect(post).ToHaveAttributeAsync("data-state", "sending");
        mayLeave.SetResult();
        await Assertions.Expect(post).ToHaveAttributeAsync("data-state", "published");
        await tab.ShowsAsync("In no time");
    }

    [Fact]
    public async Task A_post_that_is_sent_while_the_server_is_dead_is_not_lost_and_not_published_twice()
    {
        await using var server = await ServerProcess.StartAsync();
        await using var ada = await browser.SignUpAsync(server, "ada");
        var tab = await ada.OpenFeedAsync();
        await server.KillAsync();
        await tab.IsDownAsync();

        await tab.WriteAsync("Into the void");
        await server.StartAgainAsync();
        await tab.IsLiveAsync();
        var post = tab.Post("Into the void");
        await Eventually.HoldsAsync(async () => await post.GetAttributeAsync("data-state") is "published" or "failed", "the page knows what became of it");
        if (await post.GetAttributeAsync("data-state") == "failed") await post.GetByRole(AriaRole.Button, new() { NameRegex = new("again|retry", System.Text.RegularExpressions.RegexOptions.IgnoreCase) }).First.ClickAsync();

        await Assertions.Expect(post).ToHaveAttributeAsync("data-state", "published", new() { Timeout = 20_000 });
        await tab.ShowsAsync("Into the void");
        await tab.Page.ReloadAsync();
        await tab.ShowsAsync("Into the void");
    }

    private static async Task<bool> AreLiveAsync(FeedTab[] windows)
    {
        foreach (var window in windows)
            if (await window.Page.GetByTestId("connection-status").GetAttributeAsync("data-status") != "connected") return false;
        return true;
    }
}
