using Microsoft.Playwright;
using Tidings.Testing.Servers;

namespace Tidings.Browser.Tests;

/// <summary>The library's sample in a real browser.</summary>
public sealed class ChatSampleTests(Browser browser) : IClassFixture<Browser>
{
    [Fact]
    public async Task Two_windows_see_each_other_and_what_each_says_and_a_third_what_was_said_before()
    {
        await using var app = await AppProcess.StartChatAsync();
        var ann = await JoinAsync("ann");
        var bob = await JoinAsync("bob");
        await Assertions.Expect(ann.Locator("#here")).ToHaveTextAsync("ann, bob");
        await Assertions.Expect(bob.Locator("#here")).ToContainTextAsync("ann");

        await SayAsync(ann, "Hello <b>Bob</b>");
        await Assertions.Expect(bob.Locator("#messages li")).ToHaveTextAsync(["ann: Hello <b>Bob</b>"]);
        await SayAsync(bob, "Hello Ann");
        await Assertions.Expect(ann.Locator("#messages li")).ToHaveTextAsync(["ann: Hello <b>Bob</b>", "bob: Hello Ann"]);

        var cid = await JoinAsync("cid");
        await Assertions.Expect(cid.Locator("#messages li")).ToHaveTextAsync(["ann: Hello <b>Bob</b>", "bob: Hello Ann"]);

        async Task<IPage> JoinAsync(string name)
        {
            var context = await browser.NewContextAsync(new BrowserNewContextOptions { BaseURL = app.Address.ToString() });
            var page = await context.NewPageAsync();
            await page.GotoAsync("/");
            await page.GetByLabel("Your name").FillAsync(name);
            await page.GetByRole(AriaRole.Button, new() { Name = "Join" }).ClickAsync();
            await Assertions.Expect(page.Locator("#here")).ToContainTextAsync(name);
            return page;
        }
    }

    private static async Task SayAsync(IPage page, string text)
    {
        await page.GetByLabel("Message").FillAsync(text);
        await page.GetByRole(AriaRole.Button, new() { Name = "Send" }).ClickAsync();
    }
}
