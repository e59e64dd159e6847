using Dapper;
using Npgsql;
using Shouldly;
using Tidings.Realtime.Channels;
using Tidings.Realtime.History;
using Tidings.Realtime.Publications;
using Tidings.Server.Storage;
using Tidings.Server.Storage.Postgres;
using Xunit;

namespace Tidings.Server.Tests.Storage;

public sealed class PostgresEventLogTests : DurableEventLogContract, IAsyncLifetime
{
    private readonly RecordingLoggers _loggers = new();
    private TempPostgres _temp = null!;

    private protected override IDurableEventLog Durable => _temp.Log;

    public async ValueTask InitializeAsync() => _temp = await TempPostgres.NewAsync(Clock, Catalog, _loggers);

    public ValueTask DisposeAsync()
    {
        _temp?.Dispose();
        return ValueTask.CompletedTask;
    }

    [Fact]
    public async Task A_restart_keeps_epochs_and_offsets()
    {
        var unseen = (await Log.ReadChannelAsync(new ChannelName("post", "unseen"), 0, None)).Epoch;
        var first = await AppendAsync(Post);

        _temp.Reopen();

        var second = await AppendAsync(Post);
        second.Position.ShouldBe(first.Position with { Offset = 2 });
        second.FeedPosition.Epoch.ShouldBe(first.FeedPosition.Epoch);
        second.Sequence.ShouldBeGreaterThan(first.Sequence);
        (await Log.ReadChannelAsync(new ChannelName("post", "unseen"), 0, None)).Epoch.ShouldBe(unseen);
    }

    [Theory]
    [InlineData("UPDATE meta SET value = value + 1 WHERE key = 'system_identifier'")]
    [InlineData("UPDATE meta SET value = value + 1 WHERE key = 'timeline'")]
    [InlineData("UPDATE meta SET value = value + 1 WHERE key = 'log_table'")]
    [InlineData("UPDATE meta SET value = 0 WHERE key = 'log_generation'")]
    public async Task A_log_that_is_not_the_one_it_was_begins_a_new_generation(string change)
    {
        var before = await AppendAsync(Post);
        await using (var connection = await _temp.ConnectAsync()) await connection.ExecuteAsync(change);

        _temp.Reopen();

        var after = await AppendAsync(Post);
        after.Position.Epoch.ShouldNotBe(before.Position.Epoch);
        after.FeedPosition.Epoch.ShouldNotBe(before.FeedPosition.Epoch);
        after.Position.Offset.ShouldBe(2);
    }

    [Fact]
    public async Task A_transaction_that_ends_late_is_never_skipped()
    {
        var before = await Changes().ReadChangesAsync(null, _ => { }, None);
        await using var late = await _temp.ConnectAsync();
        var transaction = await late.BeginTransactionAsync();
        await AppendByHandAsync(late, "creator:late");
        var early = await AppendAsync(Draft(Creator, "early"));

        var (during, first) = await LookAsync(before);
        first.ShouldBe(["early"]);
        during.CompleteThrough.ShouldBeLessThan(early.Sequence, "what is still open may yet come below");
        (await Durable.ReadFeedSinceAsync([new(Creator, 0), new(new ChannelName("creator", "late"), 0)], during.CompleteThrough, 10, None)).Events.Count.ShouldBe(1);

        await transaction.CommitAsync();

        var (after, second) = await LookAsync(during);
        second.ShouldBe(["late"], "and what was there already does not come again");
        var page = await Durable.ReadFeedSinceAsync([new(Creator, 0), new(new ChannelName("creator", "late"), 0)], during.CompleteThrough, 10, None);
        page.Events.Select(publication => publication.Draft.Id).ShouldBe(["late", "early"]);
        page.Events.ShouldAllBe(publication => publication.FeedPosition.Offset <= after.CompleteThrough);
    }

    [Fact]
    public async Task Eight_writers_that_take_their_time_lose_nothing_to_a_reader_who_looks_all_the_while()
    {
        const int writers = 8, each = 150;
        var mark = await Changes().ReadChangesAsync(null, _ => { }, None);
        var seen = new List<Publication>();
        var writing = Task.WhenAll(Enumerable.Range(0, writers).Select(writer => Task.Run(async () =>
        {
            var random = new Random(writer);
            for (var count = 0; count < each; count++)
            {
                var pause = random.Next(4);
                await _temp.Store.WriteAsync(
                    async write =>
                    {
                        await write.ExecuteAsync("INSERT INTO things (id, name) VALUES (@Id, 'x')", new { Id = (writer * 10_000) + count });
                        if (pause > 0) await write.QueryAsync<string>("SELECT pg_sleep(@Seconds)::text", new { Seconds = pause / 1_000.0 });
                        write.Append(Draft(new ChannelName("creator", $"{count % 3}"), $"{writer}-{count}"));
                    },
                    None);
            }
        })));

        while (!writing.IsCompleted) mark = await Changes().ReadChangesAsync(mark, seen.Add, None);
        await writing;
        await Changes().ReadChangesAsync(mark, seen.Add, None);

        seen.Count.ShouldBe(writers * each);
        seen.Select(publication => publication.Draft.Id).Distinct().Count().ShouldBe(writers * each);
        foreach (var channel in seen.GroupBy(publication => publication.Channel))
        {
            OffsetsOf(channel).ShouldBe(Enumerable.Range(1, channel.Count()).Select(offset => (long)offset));
            channel.Select(publication => publication.Sequence).ShouldBeInOrder();
        }
    }

    [Fact]
    public async Task Two_units_with_the_same_channels_in_other_orders_do_not_lock_each_other()
    {
        await Task.WhenAll(Enumerable.Range(0, 8).Select(writer => Task.Run(async () =>
        {
            for (var count = 0; count < 40; count++)
            {
                var names = Enumerable.Range(0, 6).Select(index => new ChannelName("creator", $"{index}")).OrderBy(_ => Random.Shared.Next()).ToList();
                await Log.AppendAsync([.. names.Select(name => Draft(name, $"{writer}-{count}-{name.Id}"))], None);
            }
        })));

        (await _temp.AskAsync("SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()")).ShouldBe(0);
        (await _temp.AskAsync("SELECT min(last_offset) FROM channels WHERE name LIKE 'creator:%'")).ShouldBe(320);
    }

    [Fact]
    public async Task A_page_of_a_feed_ends_where_a_transaction_ends()
    {
        var together = new ChannelName("creator", "together");
        await Log.AppendAsync([.. Enumerable.Range(0, 4).Select(index => Draft(together, $"{index}"))], None);
        var last = await AppendAsync(Draft(together, "4"));
        await PlaceAfterAsync(last);

        var page = await Durable.ReadFeedSinceAsync([new(together, 0)], 0, 2, None);
        page.Events.Select(publication => publication.Draft.Id).ShouldBe(["0", "1", "2", "3"]);
        page.IsComplete.ShouldBeFalse();
        var rest = await Durable.ReadFeedSinceAsync([new(together, 0)], page.Events[^1].FeedPosition.Offset, 2, None);
        rest.Events.Select(publication => publication.Draft.Id).ShouldBe(["4"]);
        (await Durable.ReadFeedSinceAsync([new(together, 0)], page.Events[1].FeedPosition.Offset, 9, None)).Events.Count.ShouldBe(5, "in the middle of a transaction all of it comes again");
    }

    [Fact]
    public async Task A_row_that_cannot_be_read_keeps_its_place_as_a_tombstone_and_is_reported_once()
    {
        for (var count = 1; count <= 3; count++) await AppendAsync(Draft(Creator, $"{count}"));
        (await _temp.AskAsync("UPDATE events SET payload = '\\x7b22ff227d' WHERE \"offset\" = 2 RETURNING 1")).ShouldBe(1);

        for (var time = 0; time < 2; time++)
        {
            var read = await Log.ReadSinceAsync(Creator, 0, 10, None);
            OffsetsOf(read).ShouldBe([1, 2, 3]);
            read[1].Draft.Type.ShouldBe(EventRows.TombstoneType);
        }

        _loggers.Lines.Count(line => line.Contains("cannot be read", StringComparison.Ordinal)).ShouldBe(1);
    }

    [Fact]
    public async Task Trimming_may_run_on_two_nodes_at_once()
    {
        using var other = new TempPostgres(_temp.ConnectionString, Clock, Catalog);
        await Log.AppendAsync([.. Enumerable.Range(0, 1_200).Select(index => Draft(new ChannelName("post", $"{index % 3}"), $"{index}"))], None);

        await Task.WhenAll(_temp.Log.TrimAsync(None).AsTask(), other.Log.TrimAsync(None).AsTask());

        (await _temp.AskAsync("SELECT count(*) FROM events")).ShouldBe(15);
        (await _temp.AskAsync("SELECT min(trimmed_through) FROM channels")).ShouldBe(395);
    }

    private PostgresEventLog Changes() => _temp.Log;

    private async Task<(LogMark Mark, List<string> Ids)> LookAsync(LogMark since)
    {
        var ids = new List<string>();
        var mark = await Changes().ReadChangesAsync(since, publication => ids.Add(publication.Draft.Id), None);
        return (mark, ids);
    }

    /// <summary>What an append does, in a transaction that the test holds open.</summary>
    private static Task<int> AppendByHandAsync(NpgsqlConnection connection, string channel) => connection.ExecuteAsync(
        """
        WITH c AS (INSERT INTO channels (name, epoch, last_offset, last_place) VALUES (@channel, 7, 1, pg_current_xact_id()::text::bigint) RETURNING id)
        INSERT INTO events (xid, place, channel_id, "offset", created_at, id, type, payload)
        SELECT pg_current_xact_id()::text::bigint, pg_current_xact_id()::text::bigint, id, 1, 0, 'late', 'thing', '{}' FROM c
        """,
        new { channel });
}
