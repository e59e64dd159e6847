using System.Runtime.InteropServices;
using Tidings.Publishing.Tests.Support;
using Tidings.Testing;

namespace Tidings.Publishing.Tests;

/// <summary>F11: the server's wall clock jumps by an hour while posts wait. Nothing is published early, nothing twice.</summary>
public sealed class ClockJumpTests
{
    [Fact]
    public async Task A_clock_that_jumps_publishes_nothing_early_and_nothing_twice()
    {
        var folder = Directory.CreateTempSubdirectory("tidings-clock-");
        try
        {
            var clock = Path.Combine(folder.FullName, "time");
            Set(clock, "+0");
            await using var nodes = await TestNodes.StartAsync(variables: new()
            {
                ["LD_PRELOAD"] = Library(),
                ["FAKETIME_TIMESTAMP_FILE"] = clock,
                ["FAKETIME_NO_CACHE"] = "1",
                ["FAKETIME_DONT_FAKE_MONOTONIC"] = "1",
                ["FAKETIME_FORCE_MONOTONIC_FIX"] = "0",
            });
            using var author = await Author.RegisterAsync(nodes.First, "author");
            var before = await author.ScheduleAsync("before", TimeSpan.FromSeconds(1));
            await author.WaitForAsync(before, "published");
            var due = TimeProvider.System.GetUtcNow() + TimeSpan.FromSeconds(25);
            var waiting = await author.ScheduleAsync("waiting", due);

            foreach (var offset in new[] { "+3600", "+0", "-3600", "+0" })
            {
                Set(clock, offset);
                await Task.Delay(TimeSpan.FromSeconds(4), TestContext.Current.CancellationToken); // the fault itself: many looks at the clock
                if (TimeProvider.System.GetUtcNow() < due) (await nodes.CountAsync("SELECT COUNT(*) FROM posts WHERE id = @waiting AND status = 'scheduled'", new { waiting })).ShouldBe(1, $"at {offset}");
            }

            nodes.First.Output.Text.ShouldContain("The wall clock has jumped");
            await author.WaitForAsync(waiting, "published", TimeSpan.FromSeconds(60));
            TimeProvider.System.GetUtcNow().ShouldBeGreaterThanOrEqualTo(due);
            nodes.First.Output.Text.ShouldContain("The wall clock goes on steadily");
            var posts = await author.Account.GetAllPostsAsync($"creatorId={author.Account.Id}");
            posts.Count.ShouldBe(2);
            (await nodes.CountAsync("SELECT COUNT(*) FROM attempts")).ShouldBe(2, "each once");
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    private static void Set(string file, string offset)
    {
        File.WriteAllText($"{file}.new", offset + "\n");
        File.Move($"{file}.new", file, overwrite: true);
    }

    private static string Library()
    {
        var machine = RuntimeInformation.ProcessArchitecture == Architecture.Arm64 ? "aarch64-linux-gnu" : "x86_64-linux-gnu";
        var library = $"/usr/lib/{machine}/faketime/libfaketimeMT.so.1";
        return File.Exists(library) ? library : throw new FileNotFoundException($"Install libfaketime (on Debian: apt-get install faketime): there is no {library}.");
    }
}
