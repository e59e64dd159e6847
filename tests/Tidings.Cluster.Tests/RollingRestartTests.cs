using System.Collections.Concurrent;
using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using Tidings.Testing;
using Tidings.Testing.Checks;
using Tidings.Testing.Clients;
using Tidings.Testing.Servers;

namespace Tidings.Cluster.Tests;

/// <summary>F16: nodes behind nginx are restarted one after the other under load, and nobody notices.</summary>
public sealed class RollingRestartTests(ITestOutputHelper output)
{
    private const int MostConnectsPerSecond = 300;

    [Fact]
    public async Task Clients_of_all_transports_and_writers_live_through_a_rolling_restart()
    {
        var clients = TestRun.Number(90, 2_000);
        await using var cluster = await Cluster.StartAsync(2, Bus.Redis, ClusterScenario.LongHistory);
        await using var nginx = await NginxServer.StartAsync(new NginxSettings
        {
            Site = "compose.conf",
            Nodes = [.. cluster.Nodes.Select(node => node.Server.Address)],
            Changes = new Dictionary<string, string> { ["limit_conn tidings_addresses 512;"] = "limit_conn tidings_addresses 8192;" }, // all come from one address here
        });
        using var author = await Account.OfHostAsync(cluster.Nodes[0].Server, "author");
        using var follower = await Account.OfHostAsync(cluster.Nodes[0].Server, "follower");
        await follower.FollowAsync(author);
        var log = new OperationLog();
        string beginning;
        await using (var client = await NativeClient.ConnectAsync(follower)) beginning = (await client.SubscribeAsync(author.Creator)).Text("position")!;

        var readers = new List<ResumingReader>();
        try
        {
            for (var number = 0; number < clients; number++) readers.Add(Reader(number));
            foreach (var some in readers.Chunk(50)) await Task.WhenAll(some.Select(reader => reader.StartAsync()));

            using var stop = new CancellationTokenSource();
            var failures = new ConcurrentQueue<string>();
            var writing = WriteAsync(nginx.Address, author, log, failures, stop.Token);
            foreach (var node in cluster.Nodes)
            {
                await AnsweredAsync(log, 40);
                (await node.Server.StopAsync()).ShouldBe(0, node.Server.Output.ToString());
                await AnsweredAsync(log, 40); // the other one has it all
                await node.Server.StartAgainAsync();
            }

            await AnsweredAsync(log, 40);
            await stop.CancelAsync();
            await writing;
            failures.ShouldBeEmpty();

            await JudgeAsync(log, follower, author.Creator, beginning, readers);
            var peak = PeakOf(readers);
            output.WriteLine($"{clients} clients, {log.AcknowledgedCount} posts, at most {peak} connects in a second");
            peak.ShouldBeLessThanOrEqualTo(MostConnectsPerSecond);
        }
        finally
        {
            await Task.WhenAll(readers.Select(reader => reader.DisposeAsync().AsTask()));
        }

        ResumingReader Reader(int number) => (number % 3) switch
        {
            0 => new NativeReader($"native-{number}", follower, author.Creator, log) { Address = nginx.Address, IsPatient = true },
            1 => new SseReader($"sse-{number}", follower, author.Creator, log) { Address = nginx.Address, IsPatient = true },
            _ => new PollReader($"poll-{number}", follower, author.Creator, log) { Address = nginx.Address, IsPatient = true },
        };
    }

    /// <summary>Posts one after the other, as an app does that asks a second time when it has no answer, and never a third.</summary>
    private static async Task WriteAsync(Uri address, Account author, OperationLog log, ConcurrentQueue<string> failures, CancellationToken stop)
    {
        using var http = new HttpClient(new SocketsHttpHandler { UseProxy = false }) { BaseAddress = address, Timeout = TimeSpan.FromSeconds(15) };
        http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", author.Token);
        for (var number = 1; !stop.IsCancellationRequested; number++)
        {
            var key = $"post-{number}";
            log.Attempted(key);
            var first = await TryAsync(key);
            var second = first is null ? null : await TryAsync(key);
            if (second is not null) failures.Enqueue($"{key}: {first}, then {second}");
            await Task.Delay(20, CancellationToken.None);
        }

        async Task<string?> TryAsync(string key)
        {
            try
            {
                using var request = new HttpRequestMessage(HttpMethod.Post, "/api/posts") { Content = JsonContent.Create(new { content = key }) };
                request.Headers.Add("Idempotency-Key", key);
                using var answer = await http.SendAsync(request, CancellationToken.None);
                if (answer.StatusCode != HttpStatusCode.Created) return $"{(int)answer.StatusCode}";
                var body = await Account.ReadAsync(answer, HttpStatusCode.Created);
                log.Acknowledged(key, body.GetProperty("post").GetProperty("id").GetString()!);
                return null;
            }
            catch (Exception error) when (error is HttpRequestException or OperationCanceledException)
            {
                return error.Message;
            }
        }
    }

    private static Task AnsweredAsync(OperationLog log, int count)
    {
        var goal = log.AcknowledgedCount + count;
        return Eventually.ReachesAsync(() => log.AcknowledgedCount, goal, "acknowledged posts", TimeSpan.FromSeconds(60));
    }

    private static async Task JudgeAsync(OperationLog log, Account follower, string channel, string beginning, IReadOnlyList<ResumingReader> readers)
    {
        foreach (var post in await follower.GetAllPostsAsync($"creatorId={channel.Split(':')[1]}")) log.Stored(post.PostKey()!, post.Text("id")!);
        await using var client = await NativeClient.ConnectAsync(follower);
        var history = await client.GetHistoryAsync(channel, beginning);
        log.History(channel, history.Select(happened => (happened.Text("id")!, happened.PostKey())));
        foreach (var reader in readers)
        {
            await Eventually.ReachesAsync(() => log.ReceivedCount(reader.Name, channel), history.Count, $"events for {reader.Name}", TimeSpan.FromSeconds(60));
            reader.Complaints.ShouldBeEmpty(reader.Name);
            reader.NotRecovered.ShouldBe(0, reader.Name);
        }

        Checker.Verify(log);
    }

    /// <summary>The most connects of any second; polls are requests, not connects.</summary>
    private static int PeakOf(IEnumerable<ResumingReader> readers)
    {
        var times = readers.Where(static reader => reader is not PollReader).SelectMany(static reader => reader.ConnectedAt.Skip(1)).Order().ToList();
        var (peak, from) = (0, 0);
        for (var index = 0; index < times.Count; index++)
        {
            while (TimeProvider.System.GetElapsedTime(times[from], times[index]) >= TimeSpan.FromSeconds(1)) from++;
            peak = Math.Max(peak, index - from + 1);
        }

        return peak;
    }
}
