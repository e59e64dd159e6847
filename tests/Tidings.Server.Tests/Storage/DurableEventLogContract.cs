using Shouldly;
using Tidings.Realtime.Channels;
using Tidings.Realtime.Feeds;
using Tidings.Realtime.History;
using Tidings.Realtime.Publications;
using Tidings.Testing;
using Xunit;

namespace Tidings.Server.Tests.Storage;

/// <summary>What every durable event log does besides: one order of all channels, and feeds over many of them.</summary>
public abstract class DurableEventLogContract : EventLogContract
{
    private protected abstract IDurableEventLog Durable { get; }

    private protected override IEventLog Log => Durable;

    [Fact]
    public async Task Places_in_the_log_rise_with_what_is_appended()
    {
        var first = await AppendAsync(Post);
        var second = await AppendAsync(Creator);
        var third = await AppendAsync(Post);

        new[] { first, second, third }.Select(publication => publication.Sequence).ShouldBeInOrder();
        (await PlaceAfterAsync(third)).ShouldBeGreaterThanOrEqualTo(third.Sequence);
        (await Durable.ReadAllSinceAsync(first.Sequence - 1, 10, None)).Select(publication => publication.Position).ShouldBe([first.Position, second.Position, third.Position]);
        (await Durable.ReadAllSinceAsync(first.Sequence, 1, None)).ShouldHaveSingleItem().Channel.ShouldBe(Creator);
        (await Durable.ReadAllSinceAsync(third.Sequence, 10, None)).ShouldBeEmpty();
    }

    [Fact]
    public async Task Places_in_the_log_have_an_epoch_of_their_own()
    {
        var appended = await AppendAsync(Post);

        appended.FeedPosition.Epoch.ShouldBe(Durable.SequenceEpoch);
        appended.Position.Epoch.ShouldNotBe(Durable.SequenceEpoch);
        Durable.SequenceEpoch.ShouldNotBe(0UL);
        (await Durable.ReadAllSinceAsync(0, 1, None))[0].FeedPosition.ShouldBe(appended.FeedPosition);
    }

    [Fact]
    public async Task A_feed_has_its_sources_events_after_the_place_in_the_order_of_the_log()
    {
        var (one, two, other) = (Creators("1"), Creators("2"), Creators("3"));
        var place = await PlaceAfterAsync(await AppendAsync(Draft(one, "before")));
        await AppendAsync(Draft(two, "a"));
        await AppendAsync(Draft(other, "not followed"));
        await AppendAsync(Draft(one, "b"));
        await AppendAsync(Draft(two, "c"));

        var page = await Durable.ReadFeedSinceAsync([new(one, 0), new(two, 0), new(Creators("quiet"), 0)], place, 10, None);

        page.IsComplete.ShouldBeTrue();
        IdsOf(page).ShouldBe(["a", "b", "c"]);
        (await Durable.ReadFeedSinceAsync([], place, 10, None)).ShouldSatisfyAllConditions(none => none.Events.ShouldBeEmpty(), none => none.IsComplete.ShouldBeTrue());
    }

    [Fact]
    public async Task A_source_begins_no_earlier_than_it_was_followed()
    {
        await AppendAsync(Draft(Creators("1"), "before the follow"));
        var follow = await AppendAsync(Draft(Creators("2"), "follow"));
        await AppendAsync(Draft(Creators("1"), "after the follow"));

        var page = await Durable.ReadFeedSinceAsync([new(Creators("1"), follow.Sequence), new(Creators("2"), 0)], 0, 10, None);

        IdsOf(page).ShouldBe(["follow", "after the follow"]);
        page.IsComplete.ShouldBeTrue();
    }

    [Theory]
    [InlineData(6, true)]
    [InlineData(5, false)]
    [InlineData(1, false)]
    public async Task A_feed_with_more_than_the_limit_brings_the_oldest_and_says_that_it_is_not_all(int limit, bool isComplete)
    {
        for (var count = 0; count < 6; count++) await AppendAsync(Draft(Creators($"{count % 2}"), $"{count}"));

        var page = await Durable.ReadFeedSinceAsync([new(Creators("0"), 0), new(Creators("1"), 0)], 0, limit, None);

        page.IsComplete.ShouldBe(isComplete);
        IdsOf(page).ShouldBe(Enumerable.Range(0, limit).Select(count => $"{count}"));
    }

    [Fact]
    public async Task A_feed_is_not_complete_if_a_source_gave_up_what_came_after_the_place()
    {
        var places = new List<long>();
        for (var count = 0; count < 8; count++) places.Add((await AppendAsync(Draft(Post, $"{count}"))).Sequence);
        await Log.TrimAsync(None);                                        // keeps five: 3 to 7

        var behind = await Durable.ReadFeedSinceAsync([new(Post, 0)], places[1], 10, None);
        behind.IsComplete.ShouldBeFalse();
        IdsOf(behind).ShouldBe(["3", "4", "5", "6", "7"]);

        var atTheBoundary = await Durable.ReadFeedSinceAsync([new(Post, 0)], places[2], 10, None);
        atTheBoundary.IsComplete.ShouldBeTrue();
        IdsOf(atTheBoundary).ShouldBe(["3", "4", "5", "6", "7"]);

        (await Durable.ReadFeedSinceAsync([new(Post, places[4])], 0, 10, None)).IsComplete.ShouldBeTrue("what was given up came before the follow");
    }

    [Fact]
    public async Task A_feed_of_an_emptied_source_is_complete_only_after_what_it_had()
    {
        var last = await AppendAsync(Post);
        Clock.Advance(TimeSpan.FromHours(2));
        await Log.TrimAsync(None);

        (await Durable.ReadFeedSinceAsync([new(Post, 0)], 0, 10, None)).IsComplete.ShouldBeFalse();
        (await Durable.ReadFeedSinceAsync([new(Post, 0)], last.Sequence, 10, None)).IsComplete.ShouldBeTrue();
        (await PlaceAfterAsync(last)).ShouldBeGreaterThanOrEqualTo(last.Sequence);
        (await AppendAsync(Post)).Sequence.ShouldBeGreaterThan(last.Sequence);
    }

    /// <summary>The log's place when it has come past an event: other transactions of the same server may hold it up for a moment.</summary>
    private protected async Task<long> PlaceAfterAsync(Publication publication)
    {
        var place = 0L;
        await Eventually.HoldsAsync(async () => (place = await Durable.ReadLastSequenceAsync(None)) >= publication.Sequence, "the log's place comes past the event");
        return place;
    }

    private static ChannelName Creators(string id) => new("creator", id);

    private static IEnumerable<string> IdsOf(FeedPage page) => page.Events.Select(publication => publication.Draft.Id);
}
