using Dapper;
using Shouldly;
using Tidings.Realtime.Channels;
using Tidings.Realtime.History;
using Tidings.Realtime.Publications;
using Tidings.Server.Storage;
using Xunit;

namespace Tidings.Server.Tests.Storage;

/// <summary>What every store does. An implementation inherits this and says how it is made; it has a table <c>things (id, name)</c>.</summary>
public abstract class StoreContract
{
    protected const string InsertThing = "INSERT INTO things (id, name) VALUES (@Id, @Name)";

    protected static CancellationToken None => CancellationToken.None;

    private protected abstract Store Store { get; }

    private protected abstract IDurableEventLog Log { get; }

    /// <summary>Asks the database itself for a number.</summary>
    private protected abstract Task<long> AskAsync(string sql);

    [Fact]
    public async Task What_a_unit_writes_is_there_with_its_publications()
    {
        var committed = await Store.CommitAsync(
            async write =>
            {
                (await write.ExecuteAsync(InsertThing, new { Id = 7, Name = "x" })).ShouldBe(1);
                write.Append(Draft("post:7"));
                return await write.QuerySingleOrDefaultAsync<string>("SELECT name FROM things WHERE id = @Id", new { Id = 7 });
            },
            None);

        committed.Result.ShouldBe("x");
        committed.Publications.ShouldHaveSingleItem().Position.Offset.ShouldBe(1);
        (await ThingsAsync()).ShouldBe(["x"]);
        (await AskAsync("SELECT last_offset FROM channels WHERE name = 'post:7'")).ShouldBe(1);
    }

    [Fact]
    public async Task A_unit_that_throws_leaves_nothing_behind()
    {
        var before = await AppendAsync("post:1");

        await Should.ThrowAsync<FormatException>(Store.WriteAsync(
            async write =>
            {
                await write.ExecuteAsync(InsertThing, new { Id = 1, Name = "x" });
                write.Append(Draft("post:1"));
                throw new FormatException();
            },
            None));

        (await ThingsAsync()).ShouldBeEmpty();
        (await AppendAsync("post:1")).Position.Offset.ShouldBe(before.Position.Offset + 1);
    }

    [Fact]
    public async Task Units_do_not_nest_and_do_not_read_elsewhere()
    {
        await Should.ThrowAsync<InvalidOperationException>(Store.WriteAsync(async _ => await Store.WriteAsync(_ => default, None), None));
        await Should.ThrowAsync<InvalidOperationException>(Store.WriteAsync(async _ => await Store.ReadAsync(_ => Task.FromResult(1), None), None));

        var started = new TaskCompletionSource<Task>();
        await Store.WriteAsync(
            _ =>
            {
                started.SetResult(Task.Run(() => Store.WriteAsync(_ => default, None)));
                return default;
            },
            None);
        (await Should.ThrowAsync<InvalidOperationException>(async () => await await started.Task)).Message.ShouldContain("nest");

        await Store.WriteAsync(_ => default, None);                // the caller itself is outside again
    }

    [Fact]
    public async Task A_unit_that_has_started_is_not_interrupted()
    {
        using var cancel = new CancellationTokenSource();

        await Store.WriteAsync(
            async write =>
            {
                cancel.Cancel();
                await write.ExecuteAsync(InsertThing, new { Id = 1, Name = "x" });
            },
            cancel.Token);

        (await ThingsAsync()).ShouldBe(["x"]);
    }

    [Fact]
    public async Task A_read_that_throws_gives_its_connection_back()
    {
        for (var count = 0; count < 20; count++)
            await Should.ThrowAsync<FormatException>(Store.ReadAsync<int>(_ => throw new FormatException(), None));

        (await ThingsAsync()).ShouldBeEmpty();
    }

    [Fact]
    public async Task A_read_sees_one_moment_and_cannot_write()
    {
        await AppendAsync("post:1");
        var seen = await Store.ReadAsync(
            async connection =>
            {
                var before = await connection.ExecuteScalarAsync<long>("SELECT count(*) FROM events");
                await AppendAsync("post:1");
                return (before, After: await connection.ExecuteScalarAsync<long>("SELECT count(*) FROM events"));
            },
            None);

        seen.ShouldBe((1, 1));
        (await Should.ThrowAsync<StoreUnavailableException>(Store.ReadAsync(connection => connection.ExecuteAsync("DELETE FROM events"), None))).Message.ShouldContain("written");
        (await AskAsync("SELECT count(*) FROM events")).ShouldBe(2);
    }

    [Theory]
    [InlineData("COMMIT")]
    [InlineData("  rollback")]
    [InlineData("SAVEPOINT x")]
    [InlineData("-- a word before\nDROP TABLE things")]
    [InlineData("DELETE FROM things; DELETE FROM things")]
    public async Task A_unit_reaches_neither_the_transaction_nor_the_schema(string sql) =>
        await Should.ThrowAsync<InvalidOperationException>(Store.WriteAsync(async write => await write.ExecuteAsync(sql), None));

    [Fact]
    public async Task A_units_publications_come_last_and_sorted_by_channel()
    {
        var committed = await Store.CommitAsync(
            async write =>
            {
                write.Append(Draft("post:b", "1"));
                write.Append(Draft("creator:a", "2"));
                write.Append(Draft("post:B", "3"));
                write.Append(Draft("post:b", "4"));
                return await write.QuerySingleOrDefaultAsync<long>("SELECT count(*) FROM events");
            },
            None);

        committed.Result.ShouldBe(0);
        committed.Publications.Select(publication => publication.Draft.Id).ShouldBe(["2", "3", "1", "4"]);
        committed.Publications.Select(publication => publication.Position.Offset).ShouldBe([1, 1, 1, 2]);
    }

    [Fact]
    public async Task Many_writers_that_throw_at_random_leave_no_hole()
    {
        await Task.WhenAll(Enumerable.Range(0, 16).Select(writer => Task.Run(async () =>
        {
            var random = new Random(writer);
            for (var count = 0; count < 50; count++)
            {
                var fails = random.Next(3) == 0;
                var writing = Store.WriteAsync(
                    async write =>
                    {
                        await write.ExecuteAsync(InsertThing, new { Id = (writer * 1_000) + count, Name = $"{writer}-{count}" });
                        write.Append(Draft($"creator:{count % 4}", $"{writer}-{count}"));
                        write.Append(Draft($"post:{(writer + count) % 4}", $"{writer}-{count}"));
                        if (fails) throw new FormatException();
                    },
                    None);
                if (fails) await Should.ThrowAsync<FormatException>(writing);
                else await writing;
            }
        })));

        (await AskAsync(
            "SELECT count(*) FROM channels c WHERE last_offset <> (SELECT count(*) FROM events e WHERE e.channel_id = c.id) "
            + "OR last_offset <> (SELECT max(e.\"offset\") FROM events e WHERE e.channel_id = c.id)")).ShouldBe(0);
        (await AskAsync("SELECT 2 * (SELECT count(*) FROM things) - (SELECT count(*) FROM events)")).ShouldBe(0);
    }

    [Fact]
    public async Task Values_come_back_as_they_were_written()
    {
        var at = DateTimeOffset.FromUnixTimeMilliseconds(1_700_000_000_123);
        var found = await Store.WriteAsync(
            async write =>
            {
                await write.ExecuteAsync(
                    "INSERT INTO values_of_all (text_of, whole, flag, body, made_at, absent) VALUES (@Text, @Whole, @Flag, @Body, @MadeAt, @Absent)",
                    new { Text = "grüße ☃ @Whole", Whole = 42, Flag = true, Body = (ReadOnlyMemory<byte>)new byte[] { 0, 255 }, MadeAt = at, Absent = (string?)null });
                var list = await write.QueryAsync<string>("SELECT text_of FROM values_of_all WHERE text_of IN (SELECT value FROM json_each(@Texts))", new { Texts = "[\"x\",\"grüße ☃ @Whole\"]" });
                list.Count.ShouldBe(1);
                return await write.QuerySingleOrDefaultAsync<Values>("SELECT text_of, whole, flag, body, made_at, absent FROM values_of_all WHERE whole = @Whole", new { Whole = 42L });
            },
            None);

        found!.ShouldSatisfyAllConditions(
            () => found!.TextOf.ShouldBe("grüße ☃ @Whole"), () => found!.Whole.ShouldBe(42), () => found!.Flag.ShouldBe(1), () => found!.Body.ShouldBe([0, 255]),
            () => found!.MadeAt.ShouldBe(at.ToUnixTimeMilliseconds()), () => found!.Absent.ShouldBeNull());
    }

    internal static PublicationDraft Draft(string channel, string id = "1")
    {
        var parts = channel.Split(':');
        return new PublicationDraft
        {
            Channel = new ChannelName(parts[0], parts[1]),
            Type = "thing",
            Id = id,
            Timestamp = DateTimeOffset.UnixEpoch,
            Payload = "{\"n\":1}"u8.ToArray(),
        };
    }

    private protected async Task<Publication> AppendAsync(string channel, string id = "1") => (await Log.AppendAsync([Draft(channel, id)], None))[0];

    private protected Task<IEnumerable<string>> ThingsAsync() => Store.ReadAsync(connection => connection.QueryAsync<string>("SELECT name FROM things ORDER BY id"), None);

    private sealed record Values(string TextOf, long Whole, long Flag, byte[] Body, long MadeAt, string? Absent);
}
