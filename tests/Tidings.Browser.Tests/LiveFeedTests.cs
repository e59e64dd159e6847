using Microsoft.Playwright;
using Tidings.Testing;
using Tidings.Testing.Clients;
using Tidings.Testing.Servers;

namespace Tidings.Browser.Tests;

/// <summary>The main job in a real browser: a post reaches every screen without a refresh.</summary>
public sealed class LiveFeedTests(Browser browser) : IClassFixture<Browser>
{
    [Fact]
    public async Task A_post_is_on_the_authors_other_tab_and_on_the_followers_screen_without_a_refresh()
    {
        await using var server = await ServerProcess.StartAsync();
        await using var ada = await browser.SignUpAsync(server, "ada");
        await using var grace = await browser.SignUpAsync(server, "grace");
        await grace.FollowAsync(ada.Id);
        var writing = await ada.OpenFeedAsync();
        var otherTab = await ada.OpenFeedAsync();
        var follower = await grace.OpenFeedAsync();

        await writing.WriteAsync("The first post of all");

        await writing.ShowsAsync("The first post of all");
        await otherTab.ShowsAfterAskingAsync("The first post of all");
        await follower.ShowsAfterAskingAsync("The first post of all");
        await Assertions.Expect(writing.Page.GetByText("Post published successfully!")).ToBeVisibleAsync();
        await Eventually.HoldsAsync(() => writing.PostRequests.Contains("POST /api/posts"), "the post was sent");
        writing.PostRequests.ShouldBe(["GET /api/posts", "POST /api/posts"]);
        otherTab.PostRequests.ShouldBe(["GET /api/posts"]);
        follower.PostRequests.ShouldBe(["GET /api/posts"]);
    }

    [Fact]
    public async Task Windows_that_were_open_when_the_server_was_killed_miss_nothing_and_show_nothing_twice()
    {
        await using var server = await ServerProcess.StartAsync();
        await using var ada = await browser.SignUpAsync(server, "ada");
        await using var grace = await browser.SignUpAsync(server, "grace");
        using var third = await Account.RegisterAsync(server, "third");
        await ada.FollowAsync(third.Id);
        await grace.FollowAsync(third.Id);
        var windows = new[] { await ada.OpenFeedAsync(), await grace.OpenFeedAsync() };
        await third.PostAsync("before the kill");
        foreach (var window in windows) await window.ShowsAfterAskingAsync("before the kill");

        await server.KillAsync();
        foreach (var window in windows) await window.IsDownAsync();

        // Their browsers are kept off the network until another client has posted: that is what they miss.
        foreach (var window in windows) await window.Page.Context.SetOfflineAsync(true);
        await server.StartAgainAsync();
        for (var number = 1; number <= 5; number++) await third.PostAsync($"while they were away, number {number}");

        foreach (var window in windows) await window.Page.Context.SetOfflineAsync(false);
        foreach (var window in windows)
        {
            await window.IsLiveAsync();
            await window.ShowsAfterAskingAsync("while they were away, number 5");
            for (var number = 1; number <= 5; number++) await window.ShowsAsync($"while they were away, number {number}");
            await window.ShowsAsync("before the kill");
            window.PostRequests.ShouldBe(["GET /api/posts"], "what was missed came over the connection");
        }

        await third.PostAsync("and live again");
        foreach (var window in windows) await window.ShowsAfterAskingAsync("and live again");
    }

    [Fact]
    public async Task A_post_that_is_sent_while_the_connection_is_down_is_followed_by_one_refresh()
    {
        await using var server = await ServerProcess.StartAsync(new ServerSettings { Settings = new Dictionary<string, string> { ["Features:Realtime"] = "false" } });
        await using var ada = await browser.SignUpAsync(server, "ada");
        var tab = new FeedTab(await ada.Context.NewPageAsync());
        await tab.Page.GotoAsync("/feed");
        await tab.IsDownAsync();

        await tab.WriteAsync("Nobody is listening");

        await tab.ShowsAsync("Nobody is listening");
        await Eventually.HoldsAsync(() => tab.PostRequests.Count == 3, "the feed was refreshed");
        tab.PostRequests.ShouldBe(["GET /api/posts", "POST /api/posts", "GET /api/posts"]);
        await tab.ShowsAsync("Nobody is listening");
    }

    [Fact]
    public async Task Posts_of_others_wait_behind_a_button_while_the_reader_reads()
    {
        await using var server = await ServerProcess.StartAsync();
        using var author = await Account.RegisterAsync(server, "author");
        await using var ada = await browser.SignUpAsync(server, "ada");
        await ada.FollowAsync(author.Id);
        for (var number = 0; number < 15; number++) await author.PostAsync($"something to scroll past, number {number}");
        var tab = await ada.OpenFeedAsync();
        await tab.ShowsAsync("something to scroll past, number 14");
        await tab.Page.Mouse.WheelAsync(0, 900);
        await tab.Page.WaitForFunctionAsync("window.scrollY > 300");

        await author.PostAsync("breaking");
        await author.PostAsync("news");

        var button = tab.Page.GetByTestId("new-posts-button");
        await Assertions.Expect(button).ToContainTextAsync("2");
        (await tab.TextsAsync()).ShouldNotContain(text => text.Contains("breaking", StringComparison.Ordinal));
        await button.ClickAsync();
        await tab.ShowsAsync("breaking");
        await tab.ShowsAsync("news");
        await tab.Page.WaitForFunctionAsync("window.scrollY < 50");
    }

    [Fact]
    public async Task Text_is_never_markup()
    {
        const string nasty = "<img src=x onerror=\"document.title='owned'\"><script>document.title='owned'</script> javascript:alert(1)";
        await using var server = await ServerProcess.StartAsync();
        await using var ada = await browser.SignUpAsync(server, "ada");
        var tab = await ada.OpenFeedAsync();
        var complaints = new List<string>();
        tab.Page.Console += (_, message) => { if (message.Type == "error") complaints.Add(message.Text); };

        await tab.WriteAsync(nasty);
        await Assertions.Expect(tab.Post("onerror=")).ToHaveAttributeAsync("data-state", "published");
        await tab.Page.ReloadAsync();
        await tab.ShowsAsync("onerror=");

        (await tab.Page.TitleAsync()).ShouldNotBe("owned");
        (await tab.Page.Locator("[data-post-id] img[src=x], [data-post-id] script, [data-post-id] a[href^=javascript]").CountAsync()).ShouldBe(0);
        complaints.ShouldBeEmpty();
    }
}
