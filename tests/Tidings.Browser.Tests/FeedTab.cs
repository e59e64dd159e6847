using System.Collections.Concurrent;
using Microsoft.Playwright;

namespace Tidings.Browser.Tests;

/// <summary>One tab with the feed, and what it asked the server for.</summary>
public sealed class FeedTab
{
    private readonly ConcurrentQueue<string> _requests = new();

    public FeedTab(IPage page)
    {
        Page = page;
        page.Request += (_, request) => _requests.Enqueue($"{request.Method} {new Uri(request.Url).AbsolutePath}");
    }

    public IPage Page { get; }

    /// <summary>The requests for posts, in order.</summary>
    public IReadOnlyList<string> PostRequests => [.. _requests.Where(request => request.EndsWith(" /api/posts", StringComparison.Ordinal))];

    /// <summary>The texts of the posts that are on the page, from the top.</summary>
    public async Task<IReadOnlyList<string>> TextsAsync()
    {
        var texts = await Page.Locator("[data-post-id]").AllInnerTextsAsync();
        return [.. texts];
    }

    public Task IsLiveAsync() => Assertions.Expect(Page.GetByTestId("connection-status")).ToHaveAttributeAsync("data-status", "connected", new() { Timeout = 30_000 });

    public Task IsDownAsync() => Assertions.Expect(Page.GetByTestId("connection-status")).Not.ToHaveAttributeAsync("data-status", "connected", new() { Timeout = 30_000 });

    public async Task WriteAsync(string text)
    {
        await Page.GetByTestId("create-post-button").ClickAsync();
        await Page.GetByTestId("post-content").FillAsync(text);
        await Page.GetByTestId("submit-post").ClickAsync();
    }

    /// <summary>Waits until a post with this text is on the page, exactly once; behind the "new posts" button is not on the page.</summary>
    public Task ShowsAsync(string text) => Assertions.Expect(Post(text)).ToHaveCountAsync(1, new() { Timeout = 20_000 });

    /// <summary>Shows what waits behind the "new posts" button, if there is one, until a text is there.</summary>
    public async Task ShowsAfterAskingAsync(string text)
    {
        var button = Page.GetByTestId("new-posts-button");
        await Assertions.Expect(Post(text).Or(button).First).ToBeVisibleAsync(new() { Timeout = 30_000 });
        if (await button.IsVisibleAsync()) await button.ClickAsync();
        await ShowsAsync(text);
    }

    /// <summary>The post with this text.</summary>
    public ILocator Post(string text) => Page.Locator("[data-post-id]").Filter(new() { HasText = text });
}
