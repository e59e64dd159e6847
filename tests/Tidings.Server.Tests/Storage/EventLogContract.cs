using System.Text;
using Shouldly;
using Tidings.Realtime.Channels;
using Tidings.Realtime.History;
using Tidings.Realtime.Publications;
using Xunit;

namespace Tidings.Server.Tests.Storage;

/// <summary>What every event log does. An implementation inherits this and says how it is made.</summary>
public abstract class EventLogContract
{
    /// <summary>The kinds that the log under test is made with.</summary>
    private protected static ChannelCatalog Catalog { get; } = new(
    [
        new("creator", new ChannelRules { Durable = true, History = 1_000 }),
        new("post", new ChannelRules { Durable = true, History = 5, HistoryAge = TimeSpan.FromHours(1) }),
    ]);

    protected static ChannelName Post { get; } = new("post", "1");

    protected static ChannelName Creator { get; } = new("creator", "1");

    protected static CancellationToken None => CancellationToken.None;

    protected FakeClock Clock { get; } = new();

    /// <summary>The log under test, new and empty for each test; made with <see cref="Catalog"/> and <see cref="Clock"/>.</summary>
    private protected abstract IEventLog Log { get; }

    /// <summary>Whether the log gives up an event too many as soon as the next one comes, and not only when it is trimmed.</summary>
    protected virtual bool GivesUpAtOnce => false;

    [Fact]
    public async Task Offsets_begin_at_one_and_have_no_holes()
    {
        for (var expected = 1; expected <= 5; expected++) (await AppendAsync(Post)).Position.Offset.ShouldBe(expected);
        (await AppendAsync(Creator)).Position.Offset.ShouldBe(1);
    }

    [Fact]
    public async Task A_channel_without_events_has_the_epoch_that_its_first_event_has()
    {
        var before = await Log.ReadChannelAsync(Post, 10, None);
        before.ShouldSatisfyAllConditions(
            () => before.Epoch.ShouldNotBe(0UL), () => before.LastOffset.ShouldBe(0), () => before.TrimmedThrough.ShouldBe(0), () => before.Recent.ShouldBeEmpty());

        (await AppendAsync(Post)).Position.Epoch.ShouldBe(before.Epoch);
        (await Log.ReadChannelAsync(Post, 10, None)).Epoch.ShouldBe(before.Epoch);
    }

    [Fact]
    public async Task Publications_of_one_append_come_back_in_the_order_given()
    {
        PublicationDraft[] drafts = [Draft(Post, "p1"), Draft(Creator, "c1"), Draft(Post, "p2"), Draft(Creator, "c2")];

        var appended = await Log.AppendAsync(drafts, None);

        appended.Select(publication => publication.Draft).ShouldBe(drafts);
        appended.Select(publication => publication.Position.Offset).ShouldBe([1, 1, 2, 2]);
        (await Log.AppendAsync([], None)).ShouldBeEmpty();
    }

    [Fact]
    public async Task A_publication_is_read_as_it_was_appended()
    {
        var draft = Draft(Post, "whole", "{\"text\":null}") with
        {
            Type = "post_created",
            FullPayload = Encoding.UTF8.GetBytes("{\"text\":\"grüße ☃\"}"),
            FullNeeds = "tier:1:2",
            Effect = new ChannelEffect(ChannelEffectKind.Attach, Creator),
            ExcludedConnectionId = "c-9",
        };
        var appended = await AppendAsync(draft);
        await AppendAsync(Draft(Post, "closing") with { Effect = new ChannelEffect(ChannelEffectKind.Close) });

        var read = await Log.ReadSinceAsync(Post, 0, 10, None);

        read.Count.ShouldBe(2);
        read[0].Position.ShouldBe(appended.Position);
        read[0].FeedPosition.ShouldBe(appended.FeedPosition);
        read[0].Draft.ShouldSatisfyAllConditions(
            found => found.Channel.ShouldBe(Post), found => found.Type.ShouldBe("post_created"), found => found.Id.ShouldBe("whole"),
            found => found.Timestamp.ShouldBe(draft.Timestamp), found => TextOf(found.Payload).ShouldBe("{\"text\":null}"),
            found => TextOf(found.FullPayload!.Value).ShouldBe("{\"text\":\"grüße ☃\"}"), found => found.FullNeeds.ShouldBe("tier:1:2"),
            found => found.Effect.ShouldBe(draft.Effect), found => found.ExcludedConnectionId.ShouldBe("c-9"));
        read[1].Draft.Effect.ShouldBe(new ChannelEffect(ChannelEffectKind.Close));
        read[1].Draft.FullPayload.ShouldBeNull();
    }

    [Theory]
    [InlineData(0, new long[0])]
    [InlineData(2, new long[] { 3, 4 })]
    [InlineData(9, new long[] { 1, 2, 3, 4 })]
    public async Task A_snapshot_brings_the_newest_in_order(int recent, long[] offsets)
    {
        for (var count = 0; count < 4; count++) await AppendAsync(Post);

        var snapshot = await Log.ReadChannelAsync(Post, recent, None);

        snapshot.LastOffset.ShouldBe(4);
        OffsetsOf(snapshot.Recent).ShouldBe(offsets);
    }

    [Theory]
    [InlineData(0, 10, new long[] { 1, 2, 3, 4 })]
    [InlineData(2, 10, new long[] { 3, 4 })]
    [InlineData(1, 2, new long[] { 2, 3 })]
    [InlineData(4, 10, new long[0])]
    [InlineData(99, 10, new long[0])]
    public async Task Reading_since_an_offset_begins_after_it_and_keeps_to_the_limit(long since, int limit, long[] offsets)
    {
        for (var count = 0; count < 4; count++) await AppendAsync(Post);
        await AppendAsync(new ChannelName("post", "2"));

        OffsetsOf(await Log.ReadSinceAsync(Post, since, limit, None)).ShouldBe(offsets);
    }

    [Fact]
    public async Task Names_of_channels_are_compared_byte_for_byte()
    {
        await AppendAsync(new ChannelName("post", "a"));

        (await Log.ReadChannelAsync(new ChannelName("post", "A"), 10, None)).LastOffset.ShouldBe(0);
        (await AppendAsync(new ChannelName("post", "A"))).Position.Offset.ShouldBe(1);
    }

    [Fact]
    public async Task Trimming_keeps_as_many_as_the_rules_say_and_says_what_it_gave_up()
    {
        for (var count = 0; count < 8; count++) await AppendAsync(Post);
        for (var count = 0; count < 8; count++) await AppendAsync(Creator);

        (await Log.TrimAsync(None)).ShouldBe(GivesUpAtOnce ? 0 : 3);
        (await Log.TrimAsync(None)).ShouldBe(0);

        var snapshot = await Log.ReadChannelAsync(Post, 10, None);
        snapshot.TrimmedThrough.ShouldBe(3);
        snapshot.LastOffset.ShouldBe(8);
        OffsetsOf(snapshot.Recent).ShouldBe([4, 5, 6, 7, 8]);
        OffsetsOf(await Log.ReadSinceAsync(Post, 3, 10, None)).ShouldBe([4, 5, 6, 7, 8], "a reader who is at the boundary has lost nothing");
        OffsetsOf(await Log.ReadSinceAsync(Post, 0, 10, None)).ShouldBe([4, 5, 6, 7, 8]);
        (await Log.ReadChannelAsync(Creator, 10, None)).TrimmedThrough.ShouldBe(0);
    }

    [Fact]
    public async Task Age_may_empty_a_channel_but_its_offsets_go_on()
    {
        await AppendAsync(Post);
        Clock.Advance(TimeSpan.FromMinutes(40));
        await AppendAsync(Post);
        Clock.Advance(TimeSpan.FromMinutes(40));
        var epoch = (await Log.ReadChannelAsync(Post, 10, None)).Epoch;

        (await Log.TrimAsync(None)).ShouldBe(1);
        OffsetsOf((await Log.ReadChannelAsync(Post, 10, None)).Recent).ShouldBe([2]);

        Clock.Advance(TimeSpan.FromMinutes(40));
        (await Log.TrimAsync(None)).ShouldBe(1);

        var emptied = await Log.ReadChannelAsync(Post, 10, None);
        emptied.ShouldSatisfyAllConditions(
            () => emptied.Epoch.ShouldBe(epoch), () => emptied.LastOffset.ShouldBe(2), () => emptied.TrimmedThrough.ShouldBe(2), () => emptied.Recent.ShouldBeEmpty());
        (await AppendAsync(Post)).Position.ShouldBe(new Position(epoch, 3));
        OffsetsOf(await Log.ReadSinceAsync(Post, 2, 10, None)).ShouldBe([3]);
    }

    [Fact]
    public async Task Offsets_still_rise_when_the_clock_goes_back()
    {
        await AppendAsync(Post);
        Clock.Jump(TimeSpan.FromHours(-3));
        (await AppendAsync(Post)).Position.Offset.ShouldBe(2);
        Clock.Jump(TimeSpan.FromHours(3));

        OffsetsOf(await Log.ReadSinceAsync(Post, 0, 10, None)).ShouldBe([1, 2]);
        (await Log.TrimAsync(None)).ShouldBe(0, "the older one in the channel is young enough, and a history has no holes");
    }

    [Fact]
    public async Task Sixteen_writers_leave_no_hole()
    {
        var names = Enumerable.Range(0, 3).Select(index => new ChannelName("creator", $"{index}")).ToArray();

        await Task.WhenAll(Enumerable.Range(0, 16).Select(writer => Task.Run(async () =>
        {
            for (var count = 0; count < 50; count++) await AppendAsync(Draft(names[(writer + count) % 3], $"{writer}-{count}"));
        })));

        var all = new List<Publication>();
        foreach (var name in names)
        {
            var read = await Log.ReadSinceAsync(name, 0, 1_000, None);
            OffsetsOf(read).ShouldBe(Enumerable.Range(1, read.Count).Select(offset => (long)offset));
            all.AddRange(read);
        }

        all.Select(publication => publication.Draft.Id).Distinct().Count().ShouldBe(800);
    }

    private protected static IEnumerable<long> OffsetsOf(IEnumerable<Publication> publications) => publications.Select(publication => publication.Position.Offset);

    protected static string TextOf(ReadOnlyMemory<byte> payload) => Encoding.UTF8.GetString(payload.Span);

    private protected PublicationDraft Draft(ChannelName channel, string id = "1", string payload = "{\"n\":1}") => new()
    {
        Channel = channel,
        Type = "thing",
        Id = id,
        Timestamp = Clock.GetUtcNow(),
        Payload = Encoding.UTF8.GetBytes(payload),
    };

    private protected Task<Publication> AppendAsync(ChannelName channel) => AppendAsync(Draft(channel));

    private protected async Task<Publication> AppendAsync(PublicationDraft draft) => (await Log.AppendAsync([draft], None))[0];
}
