using System.Globalization;
using Tidings.Publishing.Tests.Support;
using Tidings.Testing;
using Tidings.Testing.Platforms;

namespace Tidings.Publishing.Tests;

/// <summary>
/// Many targets due in the same second, on a fast platform and on one that takes seconds for each. How late they are is measured by
/// <c>bench/run.sh schedule</c>.
/// </summary>
public sealed class ManyTargetsTests(ITestOutputHelper output)
{
    private const int Accounts = 50;

    [Fact]
    public async Task A_slow_platform_delays_no_other_and_each_account_keeps_its_order()
    {
        await using var nodes = await TestNodes.StartAsync();
        await using var fast = new WebhookDouble();
        await using var slow = new DiscordDouble { Usual = static _ => Fault.Slow, Delay = TimeSpan.FromSeconds(3) };
        await fast.StartAsync();
        await slow.StartAsync();
        var count = TestRun.Number(500, 10_000);

        // Each post goes to a fast account and to one of the slow ones, of which there are more than may be called at once.
        for (var index = 0; index < Accounts; index++)
        {
            using var author = await Author.RegisterAsync(nodes.First, $"author{index}");
            var hook = await author.ConnectAsync(fast, $"hook{index}");
            string[] slowOnes =
            [
                await author.ConnectAsync(new { platform = "discord", credentials = new { url = slow.UrlOf(1_000 + index) } }),
                await author.ConnectAsync(new { platform = "discord", credentials = new { url = slow.UrlOf(2_000 + index) } }),
            ];
            for (var number = 0; number < count / Accounts; number++) await author.ScheduleAsync($"{number}.", TimeSpan.FromDays(1), [hook, slowOnes[number % 2]]);
        }

        var due = await nodes.MakeDueAsync(TimeSpan.FromSeconds(15));
        await Eventually.ReachesAsync(() => fast.Posted.Count, count, "posts of the fast platform", TimeSpan.FromMinutes(TestRun.Number(3, 15)));
        slow.Posted.Count.ShouldBeLessThan(count, "the fast platform did not wait for the slow one");
        (await nodes.CountAsync("SELECT COUNT(*) FROM posts WHERE status = 'published'")).ShouldBe(count, "nor did the feed");
        foreach (var ofAccount in fast.Posted.GroupBy(posted => posted.Account))
            ofAccount.Select(posted => int.Parse(posted.Text.TrimEnd('.'), CultureInfo.InvariantCulture)).ShouldBeInOrder();
        foreach (var ofAccount in slow.Posted.GroupBy(posted => posted.Account))
            ofAccount.Select(posted => int.Parse(posted.Text.TrimEnd('.'), CultureInfo.InvariantCulture)).ShouldBeInOrder();
        fast.Posted.Min(posted => posted.At).ShouldBeGreaterThanOrEqualTo(due - TimeSpan.FromMilliseconds(2), "never early");
        output.WriteLine($"{count} targets on the fast platform when {slow.Posted.Count} were posted on the slow one");
    }
}
