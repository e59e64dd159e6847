using System.Net;
using System.Runtime.InteropServices;
using Tidings.Testing;
using Tidings.Testing.Clients;
using Tidings.Testing.Servers;

namespace Tidings.Faults.Tests;

/// <summary>F11: the wall clock jumps and drifts under load. Only the server's: the machine's is never touched.</summary>
public sealed class ClockTests
{
    [Fact]
    public async Task A_clock_that_jumps_and_drifts_costs_no_event_and_no_connection_and_ends_only_tokens()
    {
        using var folder = new TemporaryFolder();
        var clock = new FakeClockFile(Path.Combine(folder.Path, "time"));
        await using var scenario = await Scenario.StartAsync(clock.Settings(), tokenLifetime: TimeSpan.FromDays(1));
        var (server, author) = (scenario.Server, scenario.Authors[0]);
        using var passer = await Account.OfHostAsync(server, "passer", TimeSpan.FromDays(1));
        using var brief = new PollClient(server.Address, UserToken.For("brief", server.AuthSecret, TimeSpan.FromMinutes(30)), author.Creator);
        using var stop = new CancellationTokenSource();
        var writing = scenario.Writer.WriteAsync(50, stop.Token);

        foreach (var (offset, hours, isValid) in new[] { ("+0", 0, true), ("+3600", 1, false), ("+0", 0, true), ("-3600", -1, true), ("+3600", 1, false), ("-3600", -1, true), ("+0", 0, true) })
        {
            clock.Set(offset);
            var post = await passer.PostAsync("what time is it");
            var difference = post.GetProperty("metadata").GetProperty("createdAt").GetDateTimeOffset() - TimeProvider.System.GetUtcNow();
            difference.TotalHours.ShouldBe(hours, 0.5, "the server's clock has jumped");
            (await brief.PollAsync(0)).Status.ShouldBe(isValid ? HttpStatusCode.OK : HttpStatusCode.Unauthorized, $"a token of 30 minutes at {offset}");
            var before = scenario.Log.AcknowledgedCount;
            await Eventually.HoldsAsync(() => scenario.Log.AcknowledgedCount > before + 50, $"posts go on at {offset}");
        }

        for (var drift = 0; drift < 40; drift++)
        {
            clock.Set($"+{drift}"); // far faster than it could drift by itself
            var before = scenario.Log.AcknowledgedCount;
            await Eventually.HoldsAsync(() => scenario.Log.AcknowledgedCount > before, "posts go on while it drifts");
        }

        await stop.CancelAsync();
        await writing;
        await scenario.JudgeAsync();
        foreach (var reader in scenario.Readers) reader.NotRecovered.ShouldBe(0, reader.Name);
        foreach (var reader in scenario.Readers.OfType<NativeReader>()) reader.Resumed.ShouldBe(0, $"{reader.Name} was never cut off");
        (await server.GetMetricAsync("tidings_refusals_total", "rate")).ShouldBe(0);
        (await server.StopAsync()).ShouldBe(0, "timers go on to the end");
    }

    /// <summary>The file in which libfaketime looks up the time whenever somebody asks for it.</summary>
    private sealed class FakeClockFile
    {
        private readonly string _path;

        public FakeClockFile(string path)
        {
            _path = path;
            Set("+0");
        }

        public void Set(string offset)
        {
            File.WriteAllText($"{_path}.new", offset + "\n");
            File.Move($"{_path}.new", _path, overwrite: true);
        }

        /// <summary>The wall clock alone is false, or waiting would never end.</summary>
        public ServerSettings Settings() => new()
        {
            Settings = Scenario.LongHistory,
            Variables = new Dictionary<string, string>
            {
                ["LD_PRELOAD"] = Library(),
                ["FAKETIME_TIMESTAMP_FILE"] = _path,
                ["FAKETIME_NO_CACHE"] = "1",
                ["FAKETIME_DONT_FAKE_MONOTONIC"] = "1",
                ["FAKETIME_FORCE_MONOTONIC_FIX"] = "0",
            },
        };

        private static string Library()
        {
            var machine = RuntimeInformation.ProcessArchitecture == Architecture.Arm64 ? "aarch64-linux-gnu" : "x86_64-linux-gnu";
            var library = $"/usr/lib/{machine}/faketime/libfaketimeMT.so.1";
            return File.Exists(library) ? library : throw new FileNotFoundException($"Install libfaketime (on Debian: apt-get install faketime): there is no {library}.");
        }
    }
}
