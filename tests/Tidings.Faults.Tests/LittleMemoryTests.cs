using System.Globalization;
using Tidings.Testing;
using Tidings.Testing.Clients;
using Tidings.Testing.Network;
using Tidings.Testing.Servers;

namespace Tidings.Faults.Tests;

/// <summary>F10, second half: there is little memory, and many clients who would have the server keep things for them.</summary>
public sealed class LittleMemoryTests(ITestOutputHelper output)
{
    private const int Limit = 256 * 1024 * 1024;
    private const string Groups = "/sys/fs/cgroup/memory";

    [Fact]
    public async Task In_little_memory_a_flood_to_many_who_do_not_read_harms_nobody_else()
    {
        var (crowd, posts) = (TestRun.Number(100, 400), TestRun.Number(1_000, 5_000));
        await using var scenario = await Scenario.StartAsync(InLittleMemory(), padding: new string('x', 8_000));
        var (server, author) = (scenario.Server, scenario.Authors[0]);
        var group = $"{Groups}/tidings-{server.ProcessId}";
        output.WriteLine(Directory.Exists(group) ? "limited by a cgroup" : "limited by the runtime");
        var stalled = new List<RawWebSocket>();
        for (var number = 0; number < crowd; number++)
        {
            stalled.Add(await RawWebSocket.OpenAsync(server.Address, scenario.Follower.Token, receiveBuffer: 4_096));
            await stalled[^1].SendTextAsync($$"""{"type":"subscribe","channel":"{{author.Creator}}"}""");
        }

        double held = 0;
        for (var batch = 0; batch < 10; batch++)
        {
            await Parallel.ForEachAsync(Enumerable.Range(0, posts / 10), new ParallelOptions { MaxDegreeOfParallelism = 4 }, async (_, _) => await scenario.Writer.WriteOneAsync());
            held = Math.Max(held, await server.GetMetricAsync("tidings_outbound_bytes"));
            await scenario.Writer.SettleAsync(); // on a busy machine an answer may come too late for the writer
        }

        await scenario.JudgeAsync();
        output.WriteLine($"{held / crowd / 1024:0} KB waited for each, {server.Status.ResidentBytes / 1024 / 1024} MB resident");
        held.ShouldBeLessThan((crowd + scenario.Readers.Count) * 1.5 * 1024 * 1024);
        await Eventually.HoldsAsync(async () => await server.GetMetricAsync("tidings_slow_readers_total") >= crowd, "who does not read is cut", TimeSpan.FromSeconds(45));
        await Eventually.HoldsAsync(async () => await server.GetMetricAsync("tidings_outbound_bytes") == 0, "nothing is held for them any more");
        foreach (var reader in scenario.Readers.OfType<NativeReader>()) reader.Resumed.ShouldBe(0, $"{reader.Name} was served all the time");
        server.Output.Text.ShouldNotContain("OutOfMemory");
        foreach (var socket in stalled) socket.Dispose();
        await server.KillAsync();
        if (Directory.Exists(group)) await Eventually.HoldsAsync(() => TryRemove(group), "its group is removed");
    }

    private static bool TryRemove(string group)
    {
        try
        {
            Directory.Delete(group);
            return true;
        }
        catch (IOException)
        {
            return false; // the kernel has not taken the process out of it yet
        }
    }

    /// <summary>A group of its own with a limit where that is allowed, otherwise a limit of the runtime.</summary>
    private static ServerSettings InLittleMemory()
    {
        var bytes = Limit.ToString(CultureInfo.InvariantCulture);
        var script = $"g={Groups}/tidings-$$; if mkdir $g && echo {bytes} > $g/memory.limit_in_bytes && echo $$ > $g/cgroup.procs; then :; "
            + $"else export DOTNET_GCHeapHardLimit=0x{Limit / 2:X}; fi 2> /dev/null; exec \"$0\" \"$@\"";
        return new ServerSettings { Launcher = ["sh", "-c", script], Settings = Scenario.LongHistory };
    }
}
