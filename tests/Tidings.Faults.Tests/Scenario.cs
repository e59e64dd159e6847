using Tidings.Testing;
using Tidings.Testing.Checks;
using Tidings.Testing.Clients;
using Tidings.Testing.Servers;

namespace Tidings.Faults.Tests;

/// <summary>
/// Two authors, a follower of both, readers on every transport, and a log of what they did and saw, which is judged at the end.
/// </summary>
internal sealed class Scenario : IAsyncDisposable
{
    private readonly List<ResumingReader> _readers = [];
    private readonly Dictionary<string, string> _beginnings = [];

    private Scenario(ServerProcess server, Account first, Account second, Account follower, string padding, int mostWaiting)
    {
        Server = server;
        Authors = [first, second];
        Follower = follower;
        Writer = new KeyedWriter(Authors, Log) { Padding = padding, MostWaiting = mostWaiting };
    }

    public ServerProcess Server { get; }

    public IReadOnlyList<Account> Authors { get; }

    public Account Follower { get; }

    public OperationLog Log { get; } = new();

    public KeyedWriter Writer { get; }

    public IReadOnlyList<ResumingReader> Readers => _readers;

    /// <summary>A long history, so that a reader who is away for a while is never told that it is too late.</summary>
    public static Dictionary<string, string> LongHistory { get; } = new() { ["Channels:creator:History"] = "100000", ["Channels:feed:History"] = "100000" };

    /// <summary>Starts it all, with every reader subscribed.</summary>
    /// <param name="settings">Of the server.</param>
    /// <param name="padding">Added to each post.</param>
    /// <param name="tokenLifetime">If set, the accounts are a host app's, whose tokens live so long.</param>
    /// <param name="mostWaiting">How many posts may wait for their answers at once.</param>
    public static async Task<Scenario> StartAsync(ServerSettings? settings = null, string padding = "", TimeSpan? tokenLifetime = null, int mostWaiting = int.MaxValue)
    {
        var server = await ServerProcess.StartAsync(settings ?? new ServerSettings { Settings = LongHistory });
        try
        {
            var (first, second, follower) = (await EnterAsync("first"), await EnterAsync("second"), await EnterAsync("follower"));
            await follower.FollowAsync(first);
            await follower.FollowAsync(second);

            var scenario = new Scenario(server, first, second, follower, padding, mostWaiting);
            await scenario.JoinAsync();
            return scenario;
        }
        catch (Exception error)
        {
            await server.DisposeAsync();
            throw new InvalidOperationException($"The scenario could not begin; the server said:\n{server.Output}", error);
        }

        Task<Account> EnterAsync(string name) => tokenLifetime is null ? Account.RegisterAsync(server, name) : Account.OfHostAsync(server, name, tokenLifetime);
    }

    /// <summary>
    /// Waits until all outcomes are known and every reader has everything, writes down what the server holds, and judges.
    /// </summary>
    public async Task JudgeAsync()
    {
        await Writer.SettleAsync();
        Writer.Unexpected.ShouldBeEmpty(Server.Output.Text);

        foreach (var author in Authors)
            foreach (var post in await author.GetAllPostsAsync($"creatorId={author.Id}"))
                Log.Stored(post.PostKey()!, post.Text("id")!);

        await using (var client = await NativeClient.ConnectAsync(Follower))
        {
            foreach (var (channel, since) in _beginnings)
            {
                var history = await client.GetHistoryAsync(channel, since);
                Log.History(channel, history.Select(happened => (happened.Text("id")!, happened.PostKey())));
                foreach (var reader in _readers.Where(reader => reader.Channel == channel))
                    await Eventually.ReachesAsync(() => Log.ReceivedCount(reader.Name, channel), history.Count, $"events of {channel} for {reader.Name}");
            }
        }

        foreach (var reader in _readers) reader.Complaints.ShouldBeEmpty($"{reader.Name}; the server said:\n{Server.Output}");
        Checker.Verify(Log);
    }

    /// <summary>Lets another reader join. Nothing may have been posted yet.</summary>
    public async Task AddAsync(Func<Account, OperationLog, ResumingReader> create)
    {
        var reader = create(Follower, Log);
        _readers.Add(reader);
        await reader.StartAsync();
    }

    /// <inheritdoc />
    public async ValueTask DisposeAsync()
    {
        foreach (var reader in _readers) await reader.DisposeAsync();
        foreach (var author in Authors) author.Dispose();
        Follower.Dispose();
        await Server.DisposeAsync();
    }

    private async Task JoinAsync()
    {
        await using (var client = await NativeClient.ConnectAsync(Follower))
            foreach (var channel in new[] { Authors[0].Creator, Authors[1].Creator, Follower.Feed })
                _beginnings[channel] = (await client.SubscribeAsync(channel)).Text("position")!;

        _readers.AddRange(
        [
            new NativeReader("native", Follower, Authors[0].Creator, Log),
            new SseReader("sse", Follower, Authors[1].Creator, Log),
            new PollReader("poll", Follower, Authors[0].Creator, Log),
            new NativeReader("feed", Follower, Follower.Feed, Log),
        ]);
        foreach (var reader in _readers) await reader.StartAsync();
    }
}
