using Tidings.Testing;
using Tidings.Testing.Checks;
using Tidings.Testing.Clients;
using Tidings.Testing.Servers;

namespace Tidings.Faults.Tests;

/// <summary>F28: between the page and the events that follow it nothing falls through, and nothing shows twice.</summary>
public sealed class PageLoadTests(ITestOutputHelper output)
{
    private const int PageSize = 20;
    private const int EventsToFollow = 25;

    [Fact]
    public async Task A_page_and_what_follows_it_are_whole_while_somebody_writes_at_full_speed()
    {
        await using var server = await ServerProcess.StartAsync(new ServerSettings { Settings = Scenario.LongHistory });
        using var author = await Account.RegisterAsync(server, "author");
        using var reader = await Account.RegisterAsync(server, "reader");
        await reader.FollowAsync(author);
        await using var witness = await NativeClient.ConnectAsync(reader);
        var beginning = (await witness.SubscribeAsync(author.Creator)).Text("position")!;
        var writer = new KeyedWriter([author], new OperationLog());
        using var stop = new CancellationTokenSource();
        var writing = Enumerable.Range(0, 4).Select(_ => WriteAtFullSpeedAsync(writer, stop.Token)).ToList();
        await Eventually.ReachesAsync(() => writer.Asked, 2 * PageSize, "posts before the first page");

        var loads = new List<PageLoad>();
        var wanted = TestRun.Number(200, 1_000);
        await Parallel.ForEachAsync(Enumerable.Range(0, wanted), new ParallelOptions { MaxDegreeOfParallelism = 4 }, async (_, _) =>
        {
            var load = await LoadAsync(reader);
            lock (loads) loads.Add(load);
        });
        await stop.CancelAsync();
        await Task.WhenAll(writing);

        var history = (await witness.GetHistoryAsync(author.Creator, beginning)).Select(happened => happened.PostId()!).ToList();
        var stored = (await author.GetAllPostsAsync($"creatorId={author.Id}")).Select(post => post.Text("id")!).ToList();
        output.WriteLine($"{loads.Count} pages were loaded while {stored.Count} posts were written");
        history.Order().ShouldBe(stored.Order(), "the log and the table tell the same");
        stored.Reverse();
        foreach (var load in loads) load.ShouldBeWhole(OrderOf(stored), OrderOf(history));
    }

    private static async Task WriteAtFullSpeedAsync(KeyedWriter writer, CancellationToken stop)
    {
        while (!stop.IsCancellationRequested) (await writer.WriteOneAsync()).ShouldBeTrue();
    }

    /// <summary>What the page does: one GET, and then the events since the places that came with it.</summary>
    private static async Task<PageLoad> LoadAsync(Account reader)
    {
        var page = await reader.GetAsync($"/api/posts?limit={PageSize}");
        var since = page.GetProperty("positions").GetProperty(reader.Feed).GetString()!;
        await using var client = await NativeClient.ConnectAsync(reader);
        var answer = await client.SubscribeAsync(reader.Feed, since);
        answer.GetProperty("recovered").GetBoolean().ShouldBeTrue();
        await Eventually.ReachesAsync(() => client.EventsOf(reader.Feed, "post_created").Count, EventsToFollow, "events after the page");
        return new PageLoad(
            [.. page.GetProperty("posts").EnumerateArray().Select(post => post.Text("id")!)],
            [.. client.EventsOf(reader.Feed, "post_created").Select(happened => happened.PostId()!)]);
    }

    private static Dictionary<string, int> OrderOf(List<string> ids) => ids.Select((id, place) => (id, place)).ToDictionary(post => post.id, post => post.place);

    private sealed record PageLoad(List<string> Page, List<string> Events)
    {
        /// <summary>
        /// Posts that were written at the same time may stand in the list, which is ordered by their time, otherwise than in the log. What
        /// must be there is whatever the list has from the page's oldest post on, as far as the log had come at the last event.
        /// </summary>
        public void ShouldBeWhole(Dictionary<string, int> inList, Dictionary<string, int> inLog)
        {
            Events.ShouldBeUnique();
            Events.Select(id => inLog[id]).ShouldBeInOrder();
            var oldest = Page.Min(id => inList[id]);
            var last = Events.Max(id => inLog[id]);
            inList.Keys.Where(id => inList[id] >= oldest && inLog[id] <= last).Except(Page).Except(Events)
                .ShouldBeEmpty($"the page had {Page.Count} posts, {Events.Count} events followed");
        }
    }
}
