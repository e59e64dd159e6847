using System.Text.RegularExpressions;
using Microsoft.Playwright;
using Tidings.Testing.Platforms;
using Tidings.Testing.Servers;

namespace Tidings.Browser.Tests;

/// <summary>Scheduled posts on the page: each step of each place is seen live, in every tab.</summary>
public sealed class ScheduleTests(Browser browser) : IClassFixture<Browser>
{
    [Fact]
    public async Task Two_tabs_see_a_post_go_from_its_plan_to_its_end_and_a_place_that_failed_tried_again()
    {
        await using var server = await ServerProcess.StartAsync(
            new ServerSettings { Settings = new Dictionary<string, string> { ["Publishing:AllowPrivateNetworks"] = "true" } });
        await using var blog = new WebhookDouble { IsGone = true };
        await blog.StartAsync();
        await using var ada = await browser.SignUpAsync(server, "ada");
        await ConnectAsync(ada, blog);
        var (writing, watching) = (await OpenAsync(ada), await OpenAsync(ada));

        await writing.GetByTestId("schedule-content").FillAsync("In five seconds");
        await writing.GetByTestId("schedule-at").FillAsync(await writing.EvaluateAsync<string>(
            "() => { const at = new Date(Date.now() + 5000); return new Date(at - at.getTimezoneOffset() * 60000).toISOString().slice(0, 19).replace(/:00$/, ''); }"));
        await writing.GetByRole(AriaRole.Checkbox).CheckAsync();
        await writing.GetByTestId("schedule-submit").ClickAsync();

        foreach (var tab in (IPage[])[writing, watching]) await IsAsync(Row(tab), "scheduled");
        foreach (var tab in (IPage[])[writing, watching])
        {
            await IsAsync(Row(tab), "partially_published");
            await IsAsync(Row(tab).GetByTestId("target-tidings"), "succeeded");
            await IsAsync(Row(tab).GetByTestId("target-webhook"), "failed");
            await Assertions.Expect(Row(tab).GetByTestId("target-webhook")).ToContainTextAsync("gone");
        }

        blog.IsGone = false;
        await ConnectAsync(ada, blog);
        await Row(writing).GetByTestId("retry-target").ClickAsync();
        foreach (var tab in (IPage[])[writing, watching]) await IsAsync(Row(tab), "published");
        blog.Posted.ShouldHaveSingleItem().Text.ShouldBe("In five seconds");
    }

    [Fact]
    public async Task A_time_that_has_gone_is_refused_beside_its_field_and_a_plan_can_be_called_off()
    {
        await using var server = await ServerProcess.StartAsync();
        await using var ada = await browser.SignUpAsync(server, "ada");
        var page = await OpenAsync(ada);
        await page.GetByTestId("schedule-content").FillAsync("Some day");
        await page.GetByTestId("schedule-at").FillAsync("2020-01-01T10:00");
        await page.GetByTestId("schedule-submit").ClickAsync();
        await Assertions.Expect(page.GetByRole(AriaRole.Alert)).Not.ToBeEmptyAsync();
        await Assertions.Expect(page.GetByTestId("schedule-content")).ToHaveValueAsync("Some day");

        await page.GetByTestId("schedule-at").FillAsync("2027-01-01T10:00");
        await page.GetByTestId("schedule-submit").ClickAsync();
        await IsAsync(Row(page), "scheduled");
        await Row(page).GetByRole(AriaRole.Button, new() { Name = "Cancel" }).ClickAsync();
        await IsAsync(Row(page), "canceled");
    }

    private static async Task<IPage> OpenAsync(User user) => (await user.OpenFeedAsync("/schedule")).Page;

    private static ILocator Row(IPage page) => page.GetByTestId(new Regex("^scheduled-"));

    private static Task IsAsync(ILocator place, string status) => Assertions.Expect(place).ToHaveAttributeAsync("data-status", status, new() { Timeout = 30_000 });

    private static async Task ConnectAsync(User user, WebhookDouble platform)
    {
        var answer = await user.Context.APIRequest.PostAsync("/api/accounts", new()
        {
            DataObject = new { platform = "webhook", handle = "blog", credentials = new { url = platform.UrlOf("blog"), secret = platform.Secret } },
            Headers = new Dictionary<string, string> { ["Sec-Fetch-Site"] = "same-origin" },
        });
        answer.Status.ShouldBe(201, await answer.TextAsync());
    }
}
