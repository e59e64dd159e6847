using Shouldly;
using Xunit;

namespace Tidings.Server.Tests.Storage;

/// <summary>F1, F2, F3: what is answered is on disk, whole, and reaches the publisher, wherever the process ends.</summary>
[Trait("Database", "SQLite")]
public sealed class CrashTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("tidings-crash-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Theory]
    [InlineData("unit-run")]
    [InlineData("before-commit")]
    [InlineData("after-commit")]
    [InlineData("after-complete")]
    [InlineData("before-carry")]
    [InlineData("after-carry")]
    [InlineData("before-mark")]
    [InlineData("after-mark")]
    public async Task F2_a_crash_at_any_step_loses_nothing(string point)
    {
        // Far more units than it takes: on a busy machine many of them pass between one sweep and the next.
        using (var process = StorageProcess.Start(_folder, 1_000, $"{point}:5"))
        {
            await process.WaitForExitAsync();
            process.ExitCode.ShouldBe(128 + 6, "the crash point was not reached");
        }

        await CheckAsync();
    }

    [Fact]
    public async Task F1_a_kill_in_the_middle_loses_nothing()
    {
        for (var time = 0; time < 3; time++)
        {
            foreach (var file in Directory.GetFiles(_folder)) File.Delete(file);
            using var process = StorageProcess.Start(_folder, 1_000_000);
            await Until(() => process.HasExited || StorageProcess.Noted(_folder, "answers").Length > 20 * (time + 1));
            process.Kill();
            await process.WaitForExitAsync();

            await CheckAsync();
        }
    }

    [Fact]
    public async Task F3_an_answer_is_given_only_after_the_log_was_synced()
    {
        const int Units = 20;
        var trace = Path.Combine(_folder, "trace");
        Assert.SkipUnless(File.Exists("/usr/bin/strace"), "needs strace");
        using (var process = StorageProcess.Start(_folder, Units, "", "/usr/bin/strace", "-f", "-y", "-qq", "-e", "trace=fsync,fdatasync,pwrite64,write", "-o", trace))
        {
            await process.WaitForExitAsync();
            Assert.SkipWhen(process.ExitCode != 0 && StorageProcess.Noted(_folder, "answers").Length == 0, "strace may not trace here");
        }

        var (answers, syncs, isDirty) = (0, 0, true);
        var syncing = new HashSet<string>();
        foreach (var line in await File.ReadAllLinesAsync(trace))
        {
            var thread = line.Split(' ', 2)[0];
            if (line.Contains("pwrite64(", StringComparison.Ordinal) && line.Contains("tidings.db-wal>", StringComparison.Ordinal))
            {
                isDirty = true;
            }
            else if (line.Contains("sync(", StringComparison.Ordinal) && line.Contains("tidings.db-wal>", StringComparison.Ordinal))
            {
                if (line.Contains("unfinished", StringComparison.Ordinal)) syncing.Add(thread);
                else Synced();
            }
            else if (line.Contains("sync resumed", StringComparison.Ordinal) && syncing.Remove(thread))
            {
                Synced();
            }
            else if (line.Contains("write", StringComparison.Ordinal) && line.Contains("/answers>", StringComparison.Ordinal))
            {
                isDirty.ShouldBeFalse($"answer {answers + 1} was given before its data was synced");
                answers++;
            }

            void Synced()
            {
                isDirty = false;
                syncs++;
            }
        }

        answers.ShouldBe(Units);
        syncs.ShouldBeGreaterThanOrEqualTo(Units);
    }

    private static async Task Until(Func<bool> condition)
    {
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(60));
        while (!condition())
        {
            limit.Token.ThrowIfCancellationRequested();
            await Task.Yield();
        }
    }

    /// <summary>Opens what is left: everything answered is there, nothing is half there, and everything reaches the publisher.</summary>
    private async Task CheckAsync()
    {
        var answered = StorageProcess.Noted(_folder, "answers");
        var carried = StorageProcess.Noted(_folder, "carried").ToHashSet();

        answered.ShouldNotBeEmpty();
        using var temp = new TempStore(_folder);
        temp.Ask<long>($"SELECT count(*) FROM things WHERE id <= {answered.LastOrDefault()}").ShouldBe(answered.Length, "an answered write is lost");
        temp.Ask<long>("SELECT (SELECT count(*) FROM things) - (SELECT count(*) FROM events)").ShouldBe(0, "a unit is half there");
        temp.Ask<long>("SELECT count(*) FROM channels c WHERE last_offset <> (SELECT count(*) FROM events WHERE channel_id = c.id)").ShouldBe(0, "offsets have holes");
        temp.Ask<long>("SELECT coalesce(max(seq), 0) - count(*) FROM events").ShouldBe(0, "the sequence has holes");

        var received = new HashSet<long>();
        temp.Store.Carrier.DeliverTo(publications => received.UnionWith(publications.Select(publication => publication.Sequence)));
        await temp.Store.Carrier.SweepAsync();
        carried.Union(received).Order().ShouldBe(Enumerable.Range(1, (int)temp.Store.CommittedSequence).Select(sequence => (long)sequence), "an event never reached the publisher");

        (await temp.AppendAsync("post:1")).Sequence.ShouldBe(temp.Store.CommittedSequence);
        (await temp.Store.CheckIntegrityAsync()).ShouldBeNull();
    }
}
