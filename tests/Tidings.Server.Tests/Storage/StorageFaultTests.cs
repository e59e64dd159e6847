using System.Diagnostics;
using Dapper;
using Shouldly;
using Tidings.Server.Storage;
using Tidings.Server.Storage.Sqlite;
using Xunit;

namespace Tidings.Server.Tests.Storage;

/// <summary>F5, F6: the store under long readers, other programs' locks and a full disk.</summary>
[Trait("Database", "SQLite")]
public sealed class StorageFaultTests
{
    private const string InsertBody = "INSERT INTO things (id, name, body) VALUES (@Id, @Name, zeroblob(@Size))";

    private static CancellationToken None => CancellationToken.None;

    [Fact]
    public async Task F5_readers_that_stay_hold_up_no_write_and_the_log_does_not_grow_for_ever()
    {
        using var temp = new TempStore();
        await temp.AppendAsync("post:1");
        var release = new TaskCompletionSource();
        var reading = Enumerable.Range(0, 8).Select(_ => temp.Store.ReadAsync(
            async connection =>
            {
                var before = await connection.ExecuteScalarAsync<long>("SELECT count(*) FROM events");
                await release.Task;
                return (before, After: await connection.ExecuteScalarAsync<long>("SELECT count(*) FROM events"));
            },
            None)).ToArray();
        var ninth = temp.Store.ReadAsync(connection => connection.ExecuteScalarAsync<long>("SELECT count(*) FROM events"), None);

        await WriteMegabytesAsync(temp, 12);
        var grown = WalOf(temp);
        ninth.IsCompleted.ShouldBeFalse("there are eight readers at most");
        release.SetResult();
        (await Task.WhenAll(reading)).ShouldAllBe(seen => seen.before == seen.After);
        (await ninth).ShouldBeGreaterThan(1);

        for (var time = 0; time < 3; time++) await WriteMegabytesAsync(temp, 12);
        grown.ShouldBeGreaterThan(12L << 20);
        WalOf(temp).ShouldBeLessThan(grown + (8L << 20), "without a reader the log begins again from the front");
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task F5_readers_that_always_overlap_do_not_let_the_log_grow_for_ever(bool isShrunk)
    {
        using var temp = new TempStore();
        await temp.AppendAsync("post:1");
        using var stop = new CancellationTokenSource();
        var reading = Enumerable.Range(0, 6).Select(_ => Task.Run(async () =>
        {
            while (!stop.IsCancellationRequested)
            {
                await temp.Store.ReadAsync(
                    async connection =>
                    {
                        var seen = temp.Store.CommittedUnits;
                        await connection.ExecuteScalarAsync<long>("SELECT count(*) FROM channels");
                        while (temp.Store.CommittedUnits < seen + 2 && !stop.IsCancellationRequested) await Task.Yield();
                        return seen;
                    },
                    None);
            }
        })).ToArray();

        const long Most = 4 << 20;
        for (var megabyte = 0; megabyte < 40; megabyte++)
        {
            await WriteMegabytesAsync(temp, 1);
            if (!isShrunk) continue;

            var shrinking = temp.Store.ShrinkWriteAheadLogAsync(Most, TimeSpan.FromSeconds(20));
            while (!shrinking.IsCompleted) await temp.AppendAsync("post:1");        // writes go on meanwhile
            (await shrinking).ShouldBeTrue();
        }

        await stop.CancelAsync();
        await Task.WhenAll(reading);
        if (isShrunk) WalOf(temp).ShouldBeLessThan(Most + (2 << 20));
        else WalOf(temp).ShouldBeGreaterThan(20 << 20, "this is what the shrinking is for");
    }

    [Fact]
    public async Task F5_while_another_program_holds_the_lock_writes_fail_and_then_go_on()
    {
        using var temp = new TempStore();
        await temp.Store.AskWriterAsync(database => SQLitePCL.raw.sqlite3_busy_timeout(database.Connection, 50));
        using (var other = new Microsoft.Data.Sqlite.SqliteConnection($"Data Source={temp.File};Pooling=False"))
        {
            await other.OpenAsync();
            await other.ExecuteAsync("BEGIN IMMEDIATE");
            (await Should.ThrowAsync<StoreUnavailableException>(temp.AppendAsync("post:1"))).Message.ShouldContain("locked");
            (await temp.Log.ReadChannelAsync(temp.Draft("post:1").Channel, 1, None)).LastOffset.ShouldBe(0);
            await other.ExecuteAsync("ROLLBACK");
        }

        (await temp.AppendAsync("post:1")).Position.Offset.ShouldBe(1);
    }

    [Fact]
    public async Task Another_program_that_writes_to_the_log_is_noticed()
    {
        using var temp = new TempStore();
        await temp.AppendAsync("post:1");
        temp.Ask<long>("INSERT INTO events (seq, channel_id, offset, created_at, id, type, payload) SELECT 2, id, 2, 0, 'x', 'y', '{}' FROM channels RETURNING seq");
        temp.Ask<long>("UPDATE channels SET last_offset = 2, last_seq = 2 RETURNING id");

        using var hold = new HeldWriter(temp.Store);
        var writes = Enumerable.Range(0, 3).Select(index => temp.AppendAsync("post:1", $"{index}")).ToArray();
        hold.Release();

        (await Task.WhenAll(writes)).Select(publication => (publication.Sequence, publication.Position.Offset)).ShouldBe([(3, 3), (4, 4), (5, 5)]);
    }

    [Fact]
    public async Task F6_when_the_file_may_not_grow_what_was_answered_stays_and_the_rest_fails_and_recovers()
    {
        using var temp = new TempStore();
        await LetGrowAsync(temp, pages: 60);
        await temp.Store.WriteAsync(async write => await write.ExecuteAsync(InsertBody, new { Id = 0, Name = "before", Size = 40_000 }), None);

        using var hold = new HeldWriter(temp.Store);
        var writes = new List<Task<int>>();
        for (var id = 1; id <= 30; id++)
        {
            var (number, size) = (id, id == 12 ? 2_000_000 : 100);         // one in the middle is too large for the disk
            writes.Add(temp.Store.WriteAsync(
                async write =>
                {
                    write.Append(temp.Draft("post:1", $"{number}"));
                    return await write.ExecuteAsync(InsertBody, new { Id = number, Name = "x", Size = size });
                },
                None));
        }

        hold.Release();
        (await OutcomesAsync(writes)).Select((failure, index) => (failure, index)).ShouldAllBe(pair => pair.index == 11 ? pair.failure is StoreUnavailableException : pair.failure == null);
        temp.Ask<long>("SELECT count(*) FROM things").ShouldBe(30);
        temp.Ask<long>("SELECT max(offset) - count(*) FROM events").ShouldBe(0);

        await temp.Store.AskWriterAsync(database => database.Get("PRAGMA max_page_count = 100000").ReadSingle<long>());
        (await temp.AppendAsync("post:1")).Position.Offset.ShouldBe(30);
        (await temp.Store.CheckIntegrityAsync()).ShouldBeNull();
    }

    [Fact]
    public async Task F6_a_unit_that_hides_the_full_disk_fails_all_the_same()
    {
        using var temp = new TempStore();
        await LetGrowAsync(temp, pages: 60);

        await Should.ThrowAsync<StoreUnavailableException>(temp.Store.WriteAsync(
            async write =>
            {
                await write.ExecuteAsync(InsertBody, new { Id = 1, Name = "half", Size = 10 });
                try
                {
                    // Several rows in one statement: SQLite takes back the statement alone, and the transaction goes on.
                    await write.ExecuteAsync("INSERT INTO things (id, body) SELECT value, zeroblob(100000) FROM json_each('[10,11,12,13,14,15]')");
                }
                catch (StoreUnavailableException)
                {
                    // "It will be fine."
                }
            },
            None));

        temp.Ask<long>("SELECT count(*) FROM things").ShouldBe(0);
    }

    [Fact]
    public async Task F6_on_a_full_disk_what_was_answered_stays_and_writing_goes_on_when_there_is_room_again()
    {
        var folder = Directory.CreateTempSubdirectory("tidings-full-").FullName;
        Assert.SkipUnless(Run("mount", "-t", "tmpfs", "-o", "size=8m", "tmpfs", folder), "needs the right to mount a small disk");
        try
        {
            using (var temp = new TempStore(folder))
            {
                await temp.AppendAsync("post:1");
                FillUp(Path.Combine(folder, "filler"));

                var writes = new List<Task<int>>();
                for (var id = 1; id <= 400; id++)
                {
                    var number = id;
                    writes.Add(temp.Store.WriteAsync(
                        async write =>
                        {
                            write.Append(temp.Draft("post:1", $"{number}"));
                            return await write.ExecuteAsync(InsertBody, new { Id = number, Name = "x", Size = 2_000 });
                        },
                        None));
                }

                var outcomes = await OutcomesAsync(writes);
                outcomes.OfType<Exception>().ShouldNotBeEmpty();
                outcomes.OfType<Exception>().ShouldAllBe(failure => failure is StoreUnavailableException);
                var answered = outcomes.Count(failure => failure is null);
                (await temp.Log.ReadChannelAsync(temp.Draft("post:1").Channel, 1_000, None)).Recent.Count.ShouldBe(answered + 1, "reading goes on");

                File.Delete(Path.Combine(folder, "filler"));
                (await temp.AppendAsync("post:1")).Position.Offset.ShouldBe(answered + 2);
                (await temp.Store.CheckIntegrityAsync()).ShouldBeNull();
                temp.Reopen();
                (await temp.Log.ReadChannelAsync(temp.Draft("post:1").Channel, 1_000, None)).Recent.Count.ShouldBe(answered + 2);
                (await temp.Store.ReadAsync(connection => connection.ExecuteScalarAsync<long>("SELECT count(*) FROM things"), None)).ShouldBe(answered);
            }
        }
        finally
        {
            Run("umount", folder);
            Directory.Delete(folder);
        }
    }

    private static async Task WriteMegabytesAsync(TempStore temp, int megabytes)
    {
        for (var count = 0; count < megabytes; count++)
        {
            await temp.Store.WriteAsync(
                async write =>
                {
                    write.Append(temp.Draft("creator:1"));
                    for (var id = 0; id < 16; id++) await write.ExecuteAsync("INSERT OR REPLACE INTO things (id, body) VALUES (@id, randomblob(65536))", new { id });
                },
                None);
        }
    }

    private static long WalOf(TempStore temp) => new FileInfo(temp.File + "-wal").Length;

    private static async Task<List<Exception?>> OutcomesAsync(List<Task<int>> writes)
    {
        var outcomes = new List<Exception?>();
        foreach (var write in writes)
        {
            try
            {
                await write;
                outcomes.Add(null);
            }
            catch (Exception error)
            {
                outcomes.Add(error);
            }
        }

        return outcomes;
    }

    private static void FillUp(string path)
    {
        using var filler = new FileStream(path, FileMode.Create, FileAccess.Write, FileShare.None, bufferSize: 0);
        var block = new byte[4_096];
        try
        {
            while (true) filler.Write(block);
        }
        catch (IOException)
        {
            // Full.
        }

        filler.SetLength(Math.Max(0, filler.Length - (128 * 1_024)));     // room for a few writes, not for all
    }

    /// <summary>Limits the file to what it has, and so many pages of 4 KB more.</summary>
    private static async Task LetGrowAsync(TempStore temp, int pages)
    {
        var has = temp.Ask<long>("SELECT page_count FROM pragma_page_count()");
        await temp.Store.AskWriterAsync(database => database.Get($"PRAGMA max_page_count = {has + pages}").ReadSingle<long>());
    }

    private static bool Run(string program, params string[] arguments)
    {
        if (!OperatingSystem.IsLinux()) return false;
        try
        {
            using var process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardError = true })!;
            process.WaitForExit();
            return process.ExitCode == 0;
        }
        catch (System.ComponentModel.Win32Exception)
        {
            return false;
        }
    }
}
