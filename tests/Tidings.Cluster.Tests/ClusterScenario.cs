using Tidings.Testing;
using Tidings.Testing.Checks;
using Tidings.Testing.Clients;

namespace Tidings.Cluster.Tests;

/// <summary>
/// An author on each of two nodes, a follower of both with readers on both nodes over every transport, and a log of what they did and saw, which is
/// judged at the end.
/// </summary>
internal sealed class ClusterScenario : IAsyncDisposable
{
    private readonly List<ResumingReader> _readers = [];
    private readonly Dictionary<string, string> _beginnings = [];

    private ClusterScenario(Cluster cluster, IReadOnlyList<Account> authors, IReadOnlyList<Account> followers)
    {
        Cluster = cluster;
        Authors = authors;
        Followers = followers;
        Writer = new KeyedWriter(authors, Log);
    }

    public Cluster Cluster { get; }

    /// <summary>One on each node.</summary>
    public IReadOnlyList<Account> Authors { get; }

    /// <summary>The same user, by way of each node.</summary>
    public IReadOnlyList<Account> Followers { get; }

    public OperationLog Log { get; } = new();

    public KeyedWriter Writer { get; }

    public IReadOnlyList<ResumingReader> Readers => _readers;

    /// <summary>A long history, so that a reader who is away for a while is never told that it is too late.</summary>
    public static Dictionary<string, string> LongHistory { get; } = new() { ["Channels:creator:History"] = "100000", ["Channels:feed:History"] = "100000" };

    /// <summary>Starts it all, with every reader subscribed.</summary>
    /// <param name="bus">What carries.</param>
    /// <param name="address">Where the readers on a node connect; null: at the node itself.</param>
    public static async Task<ClusterScenario> StartAsync(Bus bus = Bus.Redis, Func<Node, Uri>? address = null)
    {
        var cluster = await Cluster.StartAsync(2, bus, LongHistory);
        try
        {
            var authors = new List<Account>();
            foreach (var node in cluster.Nodes) authors.Add(await Account.OfHostAsync(node.Server, $"author-{node.Number}"));
            var followers = new List<Account>();
            foreach (var node in cluster.Nodes) followers.Add(await Account.OfHostAsync(node.Server, "follower"));
            foreach (var author in authors) await followers[0].FollowAsync(author);

            var scenario = new ClusterScenario(cluster, authors, followers);
            await scenario.JoinAsync(address ?? (node => node.Server.Address));
            return scenario;
        }
        catch (Exception error)
        {
            var said = string.Join('\n', cluster.Nodes.Select(node => node.Server.Output.Text));
            await cluster.DisposeAsync();
            throw new InvalidOperationException($"The scenario could not begin; the nodes said:\n{said}", error);
        }
    }

    /// <summary>Waits until all outcomes are known and every reader has everything, writes down what the database holds, and judges.</summary>
    public async Task JudgeAsync()
    {
        var patience = TimeSpan.FromSeconds(60);
        await Writer.SettleAsync(patience);
        Writer.Unexpected.ShouldBeEmpty(Said());

        foreach (var author in Authors)
            foreach (var post in await Followers[0].GetAllPostsAsync($"creatorId={author.Id}"))
                Log.Stored(post.PostKey()!, post.Text("id")!);

        await using (var client = await NativeClient.ConnectAsync(Followers[1]))
        {
            foreach (var (channel, since) in _beginnings)
            {
                var history = await client.GetHistoryAsync(channel, since);
                Log.History(channel, history.Select(happened => (happened.Text("id")!, happened.PostKey())));
                foreach (var reader in _readers.Where(reader => reader.Channel == channel))
                    await Eventually.ReachesAsync(() => Log.ReceivedCount(reader.Name, channel), history.Count, $"events of {channel} for {reader.Name}", patience);
            }
        }

        foreach (var reader in _readers) reader.Complaints.ShouldBeEmpty($"{reader.Name}; the nodes said:\n{Said()}");
        foreach (var reader in _readers) reader.NotRecovered.ShouldBe(0, reader.Name);
        Checker.Verify(Log);
    }

    /// <inheritdoc />
    public async ValueTask DisposeAsync()
    {
        foreach (var reader in _readers) await reader.DisposeAsync();
        foreach (var account in Authors.Concat(Followers)) account.Dispose();
        await Cluster.DisposeAsync();
    }

    private async Task JoinAsync(Func<Node, Uri> address)
    {
        await using (var client = await NativeClient.ConnectAsync(Followers[0]))
            foreach (var author in Authors)
                _beginnings[author.Creator] = (await client.SubscribeAsync(author.Creator)).Text("position")!;

        foreach (var node in Cluster.Nodes)
        {
            var (follower, where) = (Followers[node.Number], address(node));
            _readers.AddRange(
            [
                new NativeReader($"native-{node.Number}", follower, Authors[1 - node.Number].Creator, Log) { Address = where },
                new SseReader($"sse-{node.Number}", follower, Authors[0].Creator, Log) { Address = where },
                new PollReader($"poll-{node.Number}", follower, Authors[1].Creator, Log) { Address = where },
                new NativeReader($"feed-{node.Number}", follower, follower.Feed, Log) { Address = where },
            ]);
        }

        foreach (var reader in _readers) await reader.StartAsync();
    }

    private string Said() => string.Join('\n', Cluster.Nodes.Select(node => node.Server.Output.Text));
}
