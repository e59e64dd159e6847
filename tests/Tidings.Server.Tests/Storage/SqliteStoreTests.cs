using System.Globalization;
using Dapper;
using Shouldly;
using Tidings.Realtime.Channels;
using Tidings.Realtime.History;
using Tidings.Server.Storage;
using Tidings.Server.Storage.Sqlite;
using Xunit;

namespace Tidings.Server.Tests.Storage;

[Trait("Database", "SQLite")]
public sealed class SqliteStoreTests : StoreContract, IDisposable
{
    private readonly TempStore _temp = new();

    private protected override Store Store => _temp.Store;

    private protected override IDurableEventLog Log => _temp.Log;

    private protected override Task<long> AskAsync(string sql) => Task.FromResult(_temp.Ask<long>(sql));

    public void Dispose() => _temp.Dispose();

    [Fact]
    public async Task In_a_group_a_unit_that_throws_harms_nobody()
    {
        using var hold = new HeldWriter(_temp.Store);
        var writes = Enumerable.Range(0, 60).Select(index => _temp.Store.CommitAsync(
            async write =>
            {
                await write.ExecuteAsync(InsertThing, new { Id = index, Name = $"{index:d2}" });
                write.Append(_temp.Draft($"post:{index % 2}", $"{index}"));
                write.Append(_temp.Draft($"creator:{index}", $"{index}"));          // a channel that is new in this unit
                if (index % 3 == 0) throw new FormatException();
                return index;
            },
            None)).ToArray();
        hold.Release();

        var outcomes = await Task.WhenAll(writes.Select(async write =>
        {
            try
            {
                return (int?)(await write).Result;
            }
            catch (FormatException)
            {
                return null;
            }
        }));

        outcomes.Where(outcome => outcome is null).Count().ShouldBe(20);
        (await ThingsAsync()).ShouldBe(outcomes.OfType<int>().Select(index => $"{index:d2}"));
        foreach (var channel in new[] { "0", "1" })
        {
            var read = await _temp.Log.ReadSinceAsync(new ChannelName("post", channel), 0, 100, None);
            read.Select(publication => publication.Position.Offset).ShouldBe(Enumerable.Range(1, 20).Select(offset => (long)offset));
        }

        _temp.Ask<long>("SELECT count(*) FROM channels WHERE name LIKE 'creator:%'").ShouldBe(40, "a channel's row goes with its unit");
        _temp.Ask<long>("SELECT max(seq) - count(*) FROM events").ShouldBe(0, "the sequence has no holes");
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    public async Task A_unit_whose_publications_cannot_be_stored_takes_back_what_was_counted_for_it(int place)
    {
        await _temp.AppendAsync("post:1");
        using var hold = new HeldWriter(_temp.Store);
        var before = Enumerable.Range(0, place).Select(index => _temp.AppendAsync("post:1", $"{index}")).ToArray();
        var broken = _temp.Log.AppendAsync([_temp.Draft("creator:new"), _temp.Draft("post:1"), _temp.Draft("post:2") with { Type = null! }], None).AsTask();
        var after = _temp.Log.AppendAsync([_temp.Draft("creator:new"), _temp.Draft("post:1")], None).AsTask();
        hold.Release();

        await Should.ThrowAsync<Microsoft.Data.Sqlite.SqliteException>(broken);
        await Task.WhenAll(before);
        (await after).Select(publication => (publication.Sequence, publication.Position.Offset)).ShouldBe([(place + 2, 1), (place + 3, place + 2)]);
        _temp.Ask<long>("SELECT count(*) FROM channels").ShouldBe(2);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    public async Task A_unit_that_awaits_something_else_is_rolled_back(int place)
    {
        using var hold = new HeldWriter(_temp.Store);
        var gate = new TaskCompletionSource();
        var late = new TaskCompletionSource<Exception>();
        var others = Enumerable.Range(0, place).Select(index => _temp.Store.WriteAsync(async write => await write.ExecuteAsync(InsertThing, new { Id = 100 + index, Name = "other" }), None)).ToArray();
        var strange = _temp.Store.WriteAsync(
            async write =>
            {
                await write.ExecuteAsync(InsertThing, new { Id = 1, Name = "x" });
                await gate.Task;
                try
                {
                    await write.ExecuteAsync(InsertThing, new { Id = 2, Name = "y" });
                }
                catch (InvalidOperationException refused)
                {
                    late.SetResult(refused);
                }
            },
            None);
        hold.Release();

        (await Should.ThrowAsync<InvalidOperationException>(strange)).Message.ShouldContain("awaited something else");
        await Task.WhenAll(others);
        gate.SetResult();
        (await late.Task).Message.ShouldContain("ended");
        (await ThingsAsync()).ShouldBe(Enumerable.Repeat("other", place));
    }

    [Theory]
    [InlineData("COMMIT")]
    [InlineData("  rollback")]
    [InlineData("SAVEPOINT x")]
    [InlineData("PRAGMA synchronous = OFF")]
    [InlineData("-- a word before\nDROP TABLE things")]
    [InlineData("ATTACH 'x' AS y")]
    [InlineData("DELETE FROM things; DELETE FROM things")]
    public async Task A_unit_cannot_reach_the_transaction_or_the_schema(string sql) =>
        await Should.ThrowAsync<InvalidOperationException>(_temp.Store.WriteAsync(async write => await write.ExecuteAsync(sql), None));

    [Fact]
    public async Task A_statement_that_rolls_back_the_whole_transaction_fails_only_its_own_unit()
    {
        await _temp.Store.WriteAsync(async write => await write.ExecuteAsync(InsertThing, new { Id = 1, Name = "first" }), None);
        using var hold = new HeldWriter(_temp.Store);
        var good = Enumerable.Range(10, 5).Select(index => _temp.AppendAsync("post:1", $"{index}")).ToList();
        var bad = _temp.Store.WriteAsync(async write => await write.ExecuteAsync("INSERT OR ROLLBACK INTO things (id, name) VALUES (1, 'again')"), None);
        good.AddRange(Enumerable.Range(20, 5).Select(index => _temp.AppendAsync("post:1", $"{index}")));
        hold.Release();

        await Should.ThrowAsync<Exception>(bad);
        (await Task.WhenAll(good)).Select(publication => publication.Position.Offset).ShouldBe(Enumerable.Range(1, 10).Select(offset => (long)offset));
        (await ThingsAsync()).ShouldBe(["first"]);
    }

    [Fact]
    public async Task A_promise_that_is_broken_at_the_commit_fails_only_its_own_unit()
    {
        using var hold = new HeldWriter(_temp.Store);
        var before = _temp.AppendAsync("post:1", "before");
        var orphan = _temp.Store.WriteAsync(async write => await write.ExecuteAsync("INSERT INTO children (parent_id) VALUES (1)"), None);
        var after = _temp.AppendAsync("post:1", "after");
        hold.Release();

        (await Should.ThrowAsync<Microsoft.Data.Sqlite.SqliteException>(orphan)).SqliteErrorCode.ShouldBe(19);
        (await before).Position.Offset.ShouldBe(1);
        (await after).Position.Offset.ShouldBe(2);
    }

    [Fact]
    public async Task Publications_are_appended_last_and_sorted_by_channel()
    {
        var committed = await _temp.Store.CommitAsync(
            async write =>
            {
                write.Append(_temp.Draft("post:b", "1"));
                write.Append(_temp.Draft("creator:a", "2"));
                write.Append(_temp.Draft("post:B", "3"));
                write.Append(_temp.Draft("post:b", "4"));
                return await write.QuerySingleOrDefaultAsync<long>("SELECT count(*) FROM events");
            },
            None);

        committed.Result.ShouldBe(0);
        committed.Publications.Select(publication => publication.Draft.Id).ShouldBe(["2", "3", "1", "4"]);
        committed.Publications.Select(publication => publication.Sequence).ShouldBe([1, 2, 3, 4]);
    }

    [Fact]
    public async Task Sixteen_writers_that_throw_at_random_leave_no_hole()
    {
        await Task.WhenAll(Enumerable.Range(0, 16).Select(writer => Task.Run(async () =>
        {
            var random = new Random(writer);
            for (var count = 0; count < 100; count++)
            {
                var fails = random.Next(3) == 0;
                var writing = _temp.Store.WriteAsync(
                    async write =>
                    {
                        await write.ExecuteAsync("INSERT INTO things (name) VALUES (@Name)", new { Name = $"{writer}-{count}" });
                        write.Append(_temp.Draft($"creator:{count % 4}", $"{writer}-{count}"));
                        if (fails) throw new FormatException();
                    },
                    None);
                if (fails) await Should.ThrowAsync<FormatException>(writing);
                else await writing;
            }
        })));

        _temp.Ask<long>("SELECT count(*) FROM channels c WHERE last_offset <> (SELECT count(*) FROM events e WHERE e.channel_id = c.id) OR last_offset <> (SELECT max(offset) FROM events e WHERE e.channel_id = c.id)").ShouldBe(0);
        _temp.Ask<long>("SELECT (SELECT count(*) FROM things) - (SELECT count(*) FROM events)").ShouldBe(0);
        _temp.Ask<long>("SELECT max(seq) - count(*) FROM events").ShouldBe(0);
    }

    [Fact]
    public async Task A_caller_who_gives_up_before_the_unit_starts_leaves_nothing_behind()
    {
        using var cancel = new CancellationTokenSource();
        using var hold = new HeldWriter(_temp.Store);
        var hasRun = false;
        var waiting = _temp.Store.WriteAsync(
            _ =>
            {
                hasRun = true;
                return default;
            },
            cancel.Token);

        await cancel.CancelAsync();
        await Should.ThrowAsync<OperationCanceledException>(waiting);     // at once, not when the writer comes to it
        hold.Release();
        await _temp.Store.WriteAsync(_ => default, None);

        hasRun.ShouldBeFalse();
        await Should.ThrowAsync<OperationCanceledException>(_temp.Store.WriteAsync(_ => default, cancel.Token));
    }

    [Fact]
    public async Task A_full_queue_refuses_at_once()
    {
        using var small = new TempStore(options: new SqliteStoreOptions { MostWaiting = 3 });
        using var hold = new HeldWriter(small.Store);
        var accepted = Enumerable.Range(0, 3).Select(index => small.AppendAsync("post:1", $"{index}")).ToArray();

        var refused = small.AppendAsync("post:1", "one too many");

        refused.IsFaulted.ShouldBeTrue("nobody waits for a place in the queue");
        await Should.ThrowAsync<StoreUnavailableException>(refused);
        hold.Release();
        (await Task.WhenAll(accepted)).Length.ShouldBe(3);
        (await small.AppendAsync("post:1")).Position.Offset.ShouldBe(4);
    }

    [Fact]
    public async Task Closing_finishes_what_waits_and_refuses_the_rest()
    {
        var hold = new HeldWriter(_temp.Store);
        var waiting = Enumerable.Range(0, 700).Select(index => _temp.AppendAsync("post:1", index.ToString(CultureInfo.InvariantCulture))).ToArray();
        var closing = Task.Run(() => _temp.Store.Dispose());
        while (!Refuses()) await Task.Yield();
        hold.Release();
        await closing;

        (await Task.WhenAll(waiting))[^1].Position.Offset.ShouldBe(700);
        await Should.ThrowAsync<StoreUnavailableException>(_temp.AppendAsync("post:1"));
        await Should.ThrowAsync<StoreUnavailableException>(_temp.Store.ReadAsync(_ => Task.FromResult(1), None));
        _temp.Reopen();
        (await _temp.AppendAsync("post:1")).Position.Offset.ShouldBe(701);

        bool Refuses() => _temp.AppendAsync("creator:probe").IsFaulted;
    }

    [Fact]
    public async Task Closing_does_not_wait_for_ever()
    {
        using var temp = new TempStore(options: new SqliteStoreOptions { TimeToFinish = TimeSpan.FromMilliseconds(100) });
        var hold = new HeldWriter(temp.Store);
        var waiting = temp.AppendAsync("post:1");

        temp.Store.Dispose();

        (await Should.ThrowAsync<StoreUnavailableException>(waiting)).Message.ShouldContain("shutting down");
        hold.Dispose();
    }

    [Fact]
    public async Task Each_statement_of_a_reader_is_counted_and_so_is_its_snapshot()
    {
        var before = _temp.Store.Readers.Statements;

        await _temp.Store.ReadAsync(connection => connection.ExecuteScalarAsync<long>("SELECT count(*) FROM things"), None);
        (_temp.Store.Readers.Statements - before).ShouldBe(3);

        await _temp.Store.Readers.ReadAsync(reader => ValueTask.FromResult(reader.Statements.Get("SELECT count(*) FROM things").ReadSingle<long>()), None);
        (_temp.Store.Readers.Statements - before).ShouldBe(6);
    }
}
