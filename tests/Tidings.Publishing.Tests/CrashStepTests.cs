using Tidings.Publishing.Tests.Support;
using Tidings.Testing;
using Tidings.Testing.Clients;
using Tidings.Testing.Platforms;

namespace Tidings.Publishing.Tests;

/// <summary>kill -9 at every step of an attempt, the first, second and third time that it gets there. Only Debug builds have the steps.</summary>
public sealed class CrashStepTests
{
    private static readonly TimeSpan Reached = TimeSpan.FromSeconds(60);

    /// <summary>The feed passes the steps of claiming and ending too, in a lane of its own; only what goes out passes the others.</summary>
    [Theory]
    [InlineData("target-claimed", 2)]
    [InlineData("attempt-begun", 1)]
    [InlineData("attempt-sent", 1)]
    [InlineData("target-ended", 2)]
    public async Task Wherever_the_server_dies_what_has_a_key_is_posted_once(string step, int hits)
    {
        await using var nodes = await TestNodes.StartAsync();
        await using var hook = new WebhookDouble();
        await hook.StartAsync();
        using var author = await Author.RegisterAsync(nodes.First, "author");
        var account = await author.ConnectAsync(hook, "hook");
        for (var hit = 1; hit <= hits; hit++)
        {
            var post = await DieAsync(nodes, author, account, step, hit);
            await author.WaitForAsync(post, "published");
            hook.Posted.Count(posted => posted.Text == $"{step} {hit}.").ShouldBe(1);
        }

        await JudgeFeedAsync(nodes, author, hits);
    }

    [Theory]
    [InlineData("target-claimed", 2, -1)]
    [InlineData("attempt-begun", 1, 0)]
    [InlineData("attempt-sent", 1, 1)]
    [InlineData("target-ended", 2, -1)]
    public async Task Wherever_the_server_dies_what_has_no_key_is_posted_at_most_once_or_said_to_be_unknown(string step, int hits, int postedWhenUnknown)
    {
        await using var nodes = await TestNodes.StartAsync();
        await using var discord = new DiscordDouble();
        await discord.StartAsync();
        using var author = await Author.RegisterAsync(nodes.First, "author");
        var account = await author.ConnectAsync(new { platform = "discord", credentials = new { url = discord.UrlOf(1) } });
        for (var hit = 1; hit <= hits; hit++)
        {
            var post = await DieAsync(nodes, author, account, step, hit);
            await Eventually.HoldsAsync(async () => await author.StatusAsync(post) is "published" or "partially_published", "it is settled");
            var status = Author.TargetOf(await author.TargetsAsync(post), "discord").Text("status");
            var posted = discord.Posted.Count(one => one.Text.Contains($"{step} {hit}.", StringComparison.Ordinal));

            // At the steps of an attempt the outcome is never known; at the others it is, unless the attempt was on its way while the feed's lane died.
            if (postedWhenUnknown >= 0) (status, posted).ShouldBe(("unknown", postedWhenUnknown));
            else if (status == "unknown") posted.ShouldBeLessThanOrEqualTo(1);
            else (status, posted).ShouldBe(("succeeded", 1));
        }

        await JudgeFeedAsync(nodes, author, hits);
    }

    /// <summary>Lets a post become due at the start of a server that dies at a step, and starts it again.</summary>
    private static async Task<string> DieAsync(TestNodes nodes, Author author, string account, string step, int hit)
    {
        var post = await author.ScheduleAsync($"{step} {hit}.", TimeSpan.FromDays(1), account);
        await nodes.First.KillAsync();
        await nodes.ExecuteAsync(
            "UPDATE targets SET due_at = @now, next_at = @now, miss_at = @now + 3600000, give_up_at = @now + 7200000 WHERE state = 'pending'",
            new { now = TimeProvider.System.GetUtcNow().ToUnixTimeMilliseconds() });
        nodes.First.NextVariables["TIDINGS_CRASH_AT"] = $"{step}:{hit}";
        nodes.First.Launch();
        (await nodes.First.WaitForExitAsync(Reached)).ShouldNotBe(0, step);
        nodes.First.Output.Text.ShouldContain($"Crash point {step} reached {hit} times");
        await nodes.First.StartAgainAsync();
        return post;
    }

    private static async Task JudgeFeedAsync(TestNodes nodes, Author author, int posts)
    {
        (await author.Account.GetAllPostsAsync($"creatorId={author.Account.Id}")).Count.ShouldBe(posts);
        (await nodes.CountAsync("SELECT posts_count FROM users WHERE id = @Id", new { author.Account.Id })).ShouldBe(posts, "the feed has each once");
    }
}
