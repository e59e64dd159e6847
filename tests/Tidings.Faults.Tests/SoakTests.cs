using System.Globalization;
using Tidings.Testing;
using Tidings.Testing.Clients;
using Tidings.Testing.Network;
using Tidings.Testing.Servers;

namespace Tidings.Faults.Tests;

/// <summary>
/// A random fault every few seconds under keyed load, and the checker at the end: <c>./test.sh --soak [minutes]</c>, and shorter in every run.
/// </summary>
public sealed class SoakTests(ITestOutputHelper output)
{
    private const int PostsPerSecond = 50;

    // What the server holds beside connections that somebody else holds too (about 40: its console's pipes, the database, timers) hardly
    // moves: a reader of the database more or less, a connection at its end. Every fault but a kill leaves behind more than this if it leaks at all.
    private const int FilesThatComeAndGo = 10;
    private const double Megabyte = 1024 * 1024;

    private static TimeSpan Length { get; } =
        double.TryParse(Environment.GetEnvironmentVariable("TIDINGS_SOAK_MINUTES"), NumberStyles.Float, CultureInfo.InvariantCulture, out var minutes)
            ? TimeSpan.FromMinutes(minutes)
            : TimeSpan.FromSeconds(TestRun.Number(25, 180));

    [Fact]
    public async Task Faults_of_every_kind_for_a_while_lose_nothing_and_leave_nothing_behind()
    {
        var chance = TestRun.Chance();
        output.WriteLine($"seed {TestRun.Seed}, {Length.TotalMinutes:0.#} minutes");
        await using var scenario = await Scenario.StartAsync(padding: new string('x', 1_000), mostWaiting: 2 * PostsPerSecond);
        await using var proxy = new TcpProxy(scenario.Server.Port);
        await scenario.AddAsync((account, log) => new NativeReader("far", account, scenario.Authors[0].Creator, log) { Address = proxy.Address });
        await scenario.AddAsync((account, log) => new SseReader("far stream", account, scenario.Authors[1].Creator, log) { Address = proxy.Address });
        await using var faults = new Faults(scenario, proxy, chance);
        using var stop = new CancellationTokenSource();
        var writing = scenario.Writer.WriteAsync(PostsPerSecond, stop.Token);

        // A killed process takes what it leaked with it: in the second half none is killed, and what it holds is watched.
        var half = Length / 2;
        await faults.GoOnAsync(Deadline.In(half), withKills: true);
        var early = await QuietStatusAsync(scenario);
        await faults.GoOnAsync(Deadline.In(half), withKills: false);
        var late = await QuietStatusAsync(scenario, mostFiles: Own(early) + FilesThatComeAndGo);

        await stop.CancelAsync();
        await writing;
        await scenario.JudgeAsync();
        foreach (var reader in scenario.Readers) reader.NotRecovered.ShouldBe(0, reader.Name);
        var grown = (late.ResidentBytes - early.ResidentBytes) / Megabyte;
        output.WriteLine($"{scenario.Writer.Asked} posts; {faults.Summary}");
        output.WriteLine($"memory {early.ResidentBytes / Megabyte:0} → {late.ResidentBytes / Megabyte:0} MB ({grown / half.TotalMinutes:0.0} MB/min), files {Own(early)} → {Own(late)} and {early.Connections} → {late.Connections} connections, threads {early.Threads} → {late.Threads}");
        grown.ShouldBeLessThan(96 + (4 * half.TotalMinutes), "memory");
        Own(late).ShouldBeLessThanOrEqualTo(Own(early) + FilesThatComeAndGo, "files");
        late.Threads.ShouldBeLessThan(early.Threads + 24, "threads");
    }

    /// <summary>Files without the connections that the other side holds too: the writer opens as many as a standstill makes it, and keeps them for a minute.</summary>
    private static int Own(ProcessStatus status) => status.Files - status.Connections;

    /// <summary>What the server holds when the faults' connections are gone and only the scenario's readers are left.</summary>
    private static async Task<ProcessStatus> QuietStatusAsync(Scenario scenario, int mostFiles = int.MaxValue)
    {
        var readers = scenario.Readers.OfType<NativeReader>().Count();
        await Eventually.HoldsAsync(
            async () => await scenario.Server.GetMetricAsync("tidings_connections", "websocket") <= readers && await scenario.Server.GetMetricAsync("tidings_outbound_bytes") < Megabyte,
            "the connections of the faults are gone",
            TimeSpan.FromSeconds(60));

        // One look may meet connections in the middle of ending; what leaks is there at every look.
        var status = scenario.Server.Status;
        for (var deadline = Deadline.In(Eventually.Patience); Own(status) > mostFiles && !deadline.IsOver; status = scenario.Server.Status) await Task.Delay(50);
        return status;
    }

    private sealed class Faults(Scenario scenario, TcpProxy proxy, Random chance) : IAsyncDisposable
    {
        private readonly SortedDictionary<string, int> _done = [];
        private readonly List<RawWebSocket> _stalled = [];
        private readonly List<Task> _retries = [];

        public string Summary => string.Join(", ", _done.Select(kind => $"{kind.Value} × {kind.Key}"));

        /// <summary>Makes one fault after the other until the time is up, and puts everything right then.</summary>
        public async Task GoOnAsync(Deadline until, bool withKills)
        {
            Func<Task<string>>[] kinds = [PauseAsync, StallAsync, StormAsync, CutAsync, BlackHoleAsync, .. withKills ? (Func<Task<string>>[])[KillAsync] : []];
            while (!until.IsOver)
            {
                var kind = await kinds[chance.Next(kinds.Length)]();
                _done[kind] = _done.GetValueOrDefault(kind) + 1;
                await Task.Delay(chance.Next(200, 2_000));
                _retries.Add(scenario.Writer.RetryUnknownAsync());
            }

            await DisposeAsync();
        }

        /// <inheritdoc />
        public async ValueTask DisposeAsync()
        {
            foreach (var socket in _stalled) socket.Dispose();
            _stalled.Clear();
            await Task.WhenAll(_retries);
            _retries.Clear();
        }

        private async Task<string> KillAsync()
        {
            await scenario.Server.KillAsync();
            await scenario.Server.StartAgainAsync();
            return "kill -9";
        }

        private async Task<string> PauseAsync()
        {
            scenario.Server.Pause();
            await Task.Delay(chance.Next(100, 2_000));
            scenario.Server.Resume();
            return "standstill";
        }

        private async Task<string> StallAsync()
        {
            for (var number = 0; number < 3; number++)
            {
                var socket = await RawWebSocket.OpenAsync(scenario.Server.Address, scenario.Follower.Token, receiveBuffer: 4_096);
                await socket.SendTextAsync($$"""{"type":"subscribe","channel":"{{scenario.Authors[number % 2].Creator}}"}""");
                _stalled.Add(socket);
            }

            return "stalled readers";
        }

        private async Task<string> StormAsync()
        {
            await Parallel.ForEachAsync(Enumerable.Range(0, 100), new ParallelOptions { MaxDegreeOfParallelism = 16 }, async (_, _) =>
            {
                using var client = await RawWebSocket.OpenAsync(scenario.Server.Address, scenario.Follower.Token);
                await client.SendTextAsync($$"""{"type":"subscribe","channel":"{{scenario.Follower.Feed}}"}""");
            });
            return "storm";
        }

        private Task<string> CutAsync()
        {
            proxy.Reset();
            return Task.FromResult("cut links");
        }

        private async Task<string> BlackHoleAsync()
        {
            proxy.IsBlackHole = true;
            await Task.Delay(chance.Next(100, 2_000));
            proxy.Reset();
            proxy.IsBlackHole = false;
            proxy.Reset(); // whoever came in between has said things that nobody heard
            return "black hole";
        }
    }
}
