using System.Diagnostics;
using Shouldly;
using Tidings.Realtime.Channels;
using Tidings.Realtime.Feeds;
using Tidings.Realtime.History;
using Tidings.Realtime.Publications;
using Tidings.Server.Storage;
using Tidings.Server.Storage.Sqlite;
using Xunit;

namespace Tidings.Server.Tests.Storage;

[Trait("Database", "SQLite")]
public sealed class SqliteEventLogTests : DurableEventLogContract, IDisposable
{
    private readonly TempStore _temp;
    private readonly RecordingLoggers _loggers = new();

    public SqliteEventLogTests() => _temp = new TempStore(loggers: _loggers, clock: Clock, catalog: Catalog);

    private protected override IDurableEventLog Durable => _temp.Log;

    public void Dispose() => _temp.Dispose();

    [Fact]
    public async Task The_place_of_the_log_is_that_of_its_newest_event()
    {
        (await Durable.ReadLastSequenceAsync(None)).ShouldBe(0);
        (await AppendAsync(Post)).Sequence.ShouldBe(1);
        (await AppendAsync(Creator)).Sequence.ShouldBe(2);
        (await Durable.ReadLastSequenceAsync(None)).ShouldBe(2);
    }

    [Fact]
    public async Task A_restart_keeps_epochs_offsets_and_the_sequence()
    {
        var unseen = (await Log.ReadChannelAsync(new ChannelName("post", "unseen"), 0, None)).Epoch;
        var first = await AppendAsync(Post);

        _temp.Reopen();

        var second = await AppendAsync(Post);
        second.Position.ShouldBe(first.Position with { Offset = 2 });
        second.FeedPosition.ShouldBe(first.FeedPosition with { Offset = first.Sequence + 1 });
        (await Log.ReadChannelAsync(new ChannelName("post", "unseen"), 0, None)).Epoch.ShouldBe(unseen);
    }

    [Fact]
    public async Task Places_are_not_given_out_again_when_the_whole_log_was_trimmed_before_a_restart()
    {
        var last = await AppendAsync(Post);
        Clock.Advance(TimeSpan.FromHours(2));
        (await Log.TrimAsync(None)).ShouldBe(1);

        _temp.Reopen();

        (await Durable.ReadLastSequenceAsync(None)).ShouldBe(last.Sequence);
        var next = await AppendAsync(Post);
        next.Sequence.ShouldBe(last.Sequence + 1);
        next.Position.Offset.ShouldBe(2);
    }

    [Fact]
    public async Task Two_databases_have_different_epochs()
    {
        using var other = new TempStore();
        var here = await Log.ReadChannelAsync(Post, 0, None);
        var there = await other.Log.ReadChannelAsync(Post, 0, None);

        there.Epoch.ShouldNotBe(here.Epoch);
        other.Log.SequenceEpoch.ShouldNotBe(Durable.SequenceEpoch);
    }

    [Theory]
    [InlineData("payload = x'7b22ff227d'")]                 // not UTF-8
    [InlineData("payload = CAST('{\"a\":' AS BLOB)")]       // not whole
    [InlineData("payload = CAST('{\"a\":' || char(10) || '1}' AS BLOB)")] // not on one line
    [InlineData("payload = x''")]
    [InlineData("full_payload = x'7b7d'")]                  // a full form without the right it takes
    [InlineData("full_payload = x'ff', full_needs = 'author'")]
    [InlineData("effect = 99")]
    [InlineData("effect = 1")]
    [InlineData("effect = 1, effect_target = 'nonsense'")]
    [InlineData("created_at = 9223372036854775807")]
    [InlineData("id = ''")]
    public async Task A_row_that_cannot_be_read_keeps_its_place_as_a_tombstone_and_is_reported_once(string poison)
    {
        for (var count = 1; count <= 5; count++) await AppendAsync(Draft(Creator, $"{count}"));
        _temp.Ask<long>($"UPDATE events SET {poison} WHERE offset = 2 RETURNING seq");

        for (var time = 0; time < 2; time++)
        {
            var read = await Log.ReadSinceAsync(Creator, 0, 10, None);
            OffsetsOf(read).ShouldBe([1, 2, 3, 4, 5]);
            read[1].Draft.ShouldSatisfyAllConditions(
                tombstone => tombstone.Type.ShouldBe(EventRows.TombstoneType), tombstone => TextOf(tombstone.Payload).ShouldBe("{}"),
                tombstone => tombstone.FullPayload.ShouldBeNull(), tombstone => tombstone.Effect.ShouldBeNull());
            (await Durable.ReadFeedSinceAsync([new(Creator, 0)], 0, 10, None)).Events.Count.ShouldBe(5);
        }

        _loggers.Lines.Count(line => line.Contains("cannot be read", StringComparison.Ordinal)).ShouldBe(1);
    }

    [Fact]
    public async Task A_row_of_a_channel_that_cannot_be_does_not_stop_the_others()
    {
        await AppendAsync(Creator);
        await AppendAsync(Post);
        await AppendAsync(Creator);
        _temp.Ask<long>("UPDATE channels SET name = 'NOT A NAME' WHERE name = 'post:1'");

        (await Durable.ReadAllSinceAsync(0, 2, None)).Select(publication => publication.Sequence).ShouldBe([1, 3]);
    }

    [Fact]
    public async Task A_channel_of_a_kind_that_is_not_configured_any_more_is_trimmed_by_the_general_rules()
    {
        var gone = new ChannelName("gone", "1");
        await Log.AppendAsync([.. Enumerable.Range(0, 130).Select(index => Draft(gone, $"{index}"))], None);

        (await Log.TrimAsync(None)).ShouldBe(130 - new ChannelRules().History);
    }

    [Fact]
    public async Task Trimming_a_long_history_is_done_in_small_units()
    {
        await Log.AppendAsync([.. Enumerable.Range(0, 3_000).Select(index => Draft(Post, $"{index}"))], None);
        await Log.AppendAsync([.. Enumerable.Range(0, 700).Select(index => Draft(new ChannelName("post", $"x{index % 70}"), $"{index}"))], None);
        var units = _temp.Store.CommittedUnits;

        (await Log.TrimAsync(None)).ShouldBe(2_995 + (70 * 5));

        (_temp.Store.CommittedUnits - units).ShouldBe(7);
        OffsetsOf((await Log.ReadChannelAsync(Post, 10, None)).Recent).ShouldBe([2996, 2997, 2998, 2999, 3000]);
        _temp.Ask<long>("SELECT count(*) FROM events").ShouldBe(5 + 350);
    }

    [Fact]
    public async Task A_feed_of_two_hundred_channels_is_read_quickly_from_a_large_log()
    {
        var channels = Enumerable.Range(0, 400).Select(index => new ChannelName("creator", $"{index}")).ToArray();
        for (var batch = 0; batch < 40; batch++)
            await Log.AppendAsync([.. Enumerable.Range(0, 1_000).Select(index => Draft(channels[(batch + index) % 400], $"{batch}-{index}"))], None);
        var place = await Durable.ReadLastSequenceAsync(None) - 1_000;
        FeedSource[] sources = [.. channels.Take(200).Select(channel => new FeedSource(channel, 0))];

        var fastest = TimeSpan.MaxValue;
        for (var time = 0; time < 10; time++)
        {
            var watch = Stopwatch.StartNew();
            (await Durable.ReadFeedSinceAsync(sources, place, 1_000, None)).Events.Count.ShouldBeInRange(400, 600);
            if (watch.Elapsed < fastest) fastest = watch.Elapsed;
        }

        fastest.ShouldBeLessThan(TimeSpan.FromMilliseconds(50));
    }
}
