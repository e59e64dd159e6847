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

        var before = server.Status;
        var posts = TestRun.Number(2_000, 10_000);
        await Parallel.ForEachAsync(Enumerable.Range(0, posts), new ParallelOptions { MaxDegreeOfParallelism = 4 }, async (_, _) =>
            (await scenario.Writer.WriteOneAsync()).ShouldBeTrue());

        await scenario.JudgeAsync();
        foreach (var reader in scenario.Readers) reader.Resumed.ShouldBe(reader is PollReader or SseReader ? reader.Resumed : 0, $"{reader.Name} was never cut off");
        await Eventually.HoldsAsync(() => server.Status.Files <= before.Files - stopped.Count + 3, "the server has let the stopped readers go");
        var grown = (server.Status.ResidentBytes - before.ResidentBytes) / Megabyte;
        output.WriteLine($"{posts} posts of 8 KB; the server grew by {grown} MB");
        grown.ShouldBeLessThan(200);

        foreach (var socket in stopped)
        {
            new[] { 4409, WireClose.Broken }.ShouldContain((await socket.ReadToCloseAsync()).Code, "a close frame reaches only those who still read");
            socket.Dispose();
        }
    }

    [Fact]
    public async Task A_reader_that_is_too_slow_is_told_so_and_has_everything_once_it_comes_back()
    {
        await using var server = await ServerProcess.StartAsync();
        using var author = await Account.RegisterAsync(server, "author");
        using var raw = await RawWebSocket.OpenAsync(server.Address, author.Token, receiveBuffer: 4_096);
        await raw.SendTextAsync($$"""{"type":"subscribe","id":1,"channel":"{{author.Creator}}"}""");
        var closing = raw.ReadToCloseAsync(TimeSpan.FromSeconds(60), pause: TimeSpan.FromMilliseconds(50));

        var padding = new string('x', 9_000);
        for (var number = 0; !closing.IsCompleted && number < 900; number++) await author.PostAsync($"{number} {padding}");

        (await closing).Code.ShouldBe(4409);
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
        var padding = new string('x', 9_000);
        for (var number = 0; number < 400; number++) await author.PostAsync($"{number} {padding}"); // 3.6 MB; the limit is 1 MiB

        foreach (var (channel, place) in places)
        {
            var got = new List<string>();
            var since = place;
            for (var attempt = 0; attempt < 20 && got.Count < 400; attempt++)
            {
                await using var again = await NativeClient.ConnectAsync(reader);
                await again.SendAsync(new JsonObject { ["type"] = "subscribe", ["channel"] = channel, ["since"] = since }.ToJsonString());
                await Task.WhenAny(again.Closed, Eventually.ReachesAsync(() => got.Count + again.EventsOf(channel).Count, 400, "events", TimeSpan.FromSeconds(5)));
                var events = again.EventsOf(channel);
                got.AddRange(events.Select(happened => happened.PostKey()!));
                if (events.Count > 0) since = events[^1].Text("position")!;
                if (again.Closed.IsCompleted) output.WriteLine($"{channel}: {await again.Closed} after {events.Count} events");
            }

            got.ShouldBe(Enumerable.Range(0, 400).Select(number => $"{number}"), channel);
        }
    }

    [Fact]
    public async Task A_connection_that_is_dead_without_a_word_is_found_by_its_missing_pong()
    {
        await using var server = await ServerProcess.StartAsync();
        using var account = await Account.RegisterAsync(server, "account");
        await using var proxy = new TcpProxy(server.Port);
        await using var dead = await NativeClient.ConnectAsync(proxy.Address, account.Token);
        await using var alive = await NativeClient.ConnectAsync(account);

        proxy.IsBlackHole = true;
        await Eventually.HoldsAsync(() => proxy.OpenToServer == 0, "the server has ended the dead connection", TimeSpan.FromSeconds(25 + 10 + 10));

        alive.IsOpen.ShouldBeTrue("a client that answers pings stays");
    }

    [Fact]
    public async Task A_client_that_answers_no_pings_is_closed_with_the_code_for_it()
    {
        await using var server = await ServerProcess.StartAsync();
        using var raw = await RawWebSocket.OpenAsync(server.Address, UserToken.For("silent", server.AuthSecret));
        (await raw.ReadToCloseAsync(TimeSpan.FromSeconds(25 + 10 + 10))).Code.ShouldBe(4408);
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
}
