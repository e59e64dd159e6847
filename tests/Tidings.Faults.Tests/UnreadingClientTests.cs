using System.Text.Json.Nodes;
using Tidings.Testing;
using Tidings.Testing.Clients;
using Tidings.Testing.Network;
using Tidings.Testing.Servers;

namespace Tidings.Faults.Tests;

/// <summary>F19 and F20: readers that stop reading, lines that are dead without a word.</summary>
public sealed class UnreadingClientTests(ITestOutputHelper output)
{
    private const int Megabyte = 1024 * 1024;

    [Fact]
    public async Task A_reader_that_stops_reading_is_cut_off_and_others_notice_nothing()
    {
        await using var scenario = await Scenario.StartAsync(padding: new string('x', 8_000));
        var (server, author) = (scenario.Server, scenario.Authors[0]);
        var stopped = new List<RawWebSocket>();
        for (var number = 0; number < 5; number++)
        {
            var socket = await RawWebSocket.OpenAsync(server.Address, scenario.Follower.Token, receiveBuffer: 4_096);
            await socket.SendTextAsync($$"""{"type":"subscribe","channel":"{{author.Creator}}"}""");
            stopped.Add(socket);
        }

        await Eventually.HoldsAsync(async () => await OpenSocketsAsync(server) == 2 + stopped.Count, "all are connected");
        var before = server.Status;
        var posts = TestRun.Number(2_000, 10_000);
        await Parallel.ForEachAsync(Enumerable.Range(0, posts), new ParallelOptions { MaxDegreeOfParallelism = 4 }, async (_, _) =>
            (await scenario.Writer.WriteOneAsync()).ShouldBeTrue());

        await scenario.JudgeAsync();
        foreach (var reader in scenario.Readers.OfType<NativeReader>()) reader.Resumed.ShouldBe(0, $"{reader.Name} was never cut off");
        await Eventually.HoldsAsync(async () => await OpenSocketsAsync(server) == 2, "the server has let the stopped readers go");
        var grown = (server.Status.ResidentBytes - before.ResidentBytes) / Megabyte;
        output.WriteLine($"{posts} posts of 8 KB; the server grew by {grown} MB");
        grown.ShouldBeLessThan(300); // most of it is the ring that answers reconnects
        (await server.GetMetricAsync("tidings_outbound_bytes")).ShouldBe(0);

        foreach (var socket in stopped)
        {
            new[] { 4409, WireClose.Broken }.ShouldContain((await socket.ReadToCloseAsync()).Code, "a close frame reaches only those who still read");
            socket.Dispose();
        }
    }

    [Fact]
    public async Task A_reader_that_was_too_slow_is_told_so_if_it_reads_on()
    {
        await using var server = await ServerProcess.StartAsync();
        using var author = await Account.RegisterAsync(server, "author");
        using var raw = await RawWebSocket.OpenAsync(server.Address, author.Token, receiveBuffer: 4_096);
        await raw.SendTextAsync($$"""{"type":"subscribe","id":1,"channel":"{{author.Creator}}"}""");

        var padding = new string('x', 9_000);
        for (var number = 0; await server.GetMetricAsync("tidings_slow_readers_total") == 0 && number < 2_000; number++)
            await author.PostAsync($"{number} {padding}");

        (await raw.ReadToCloseAsync()).ShouldBe(new WireClose(4409, "too_slow"));
    }

    [Fact]
    public async Task Whoever_missed_more_than_may_wait_for_one_connection_still_gets_it_all()
    {
        await using var server = await ServerProcess.StartAsync();
        using var author = await Account.RegisterAsync(server, "author");
        using var reader = await Account.RegisterAsync(server, "reader");
        await reader.FollowAsync(author);
        await using var first = await NativeClient.ConnectAsync(reader);
        var places = new Dictionary<string, string>();
        foreach (var channel in new[] { author.Creator, reader.Feed }) places[channel] = (await first.SubscribeAsync(channel)).Text("position")!;
        await first.DisposeAsync();
        var written = new List<string>();
        for (var number = 0; number < 400; number++) await WriteAsync(); // 3.6 MB; the limit is 1 MiB

        foreach (var (channel, place) in places)
        {
            await using var again = await NativeClient.ConnectAsync(reader);
            (await again.SubscribeAsync(channel, place)).GetProperty("recovered").GetBoolean().ShouldBeTrue();
            await WriteAsync();

            await again.WaitForAsync(message => message.PostKey() == written[^1], "what is live, after the replay");
            again.EventsOf(channel).Select(happened => happened.PostKey()).ShouldBe(written, channel);
        }

        async Task WriteAsync()
        {
            written.Add($"{written.Count}");
            await author.PostAsync($"{written[^1]} {new string('x', 9_000)}");
        }
    }

    [Fact]
    public async Task A_bad_line_costs_reconnects_and_nothing_else()
    {
        await using var scenario = await Scenario.StartAsync();
        await using var proxy = new TcpProxy(scenario.Server.Port) { CutAfterBytes = 20_000, Delay = TimeSpan.FromMilliseconds(2) };
        await scenario.AddAsync((account, log) => new NativeReader("cut", account, scenario.Authors[0].Creator, log) { Address = proxy.Address });
        await scenario.AddAsync((account, log) => new SseReader("cut stream", account, scenario.Authors[0].Creator, log) { Address = proxy.Address });

        for (var number = 0; number < TestRun.Number(600, 6_000); number++)
        {
            (await scenario.Writer.WriteOneAsync()).ShouldBeTrue();
            if (number % 100 == 99) proxy.Reset();
        }

        await scenario.JudgeAsync();
        foreach (var reader in scenario.Readers) reader.NotRecovered.ShouldBe(0, reader.Name);
        scenario.Readers.Single(reader => reader.Name == "cut").Resumed.ShouldBeGreaterThan(5);
    }

    private static Task<double> OpenSocketsAsync(ServerProcess server) => server.GetMetricAsync("tidings_connections", "websocket");
}
