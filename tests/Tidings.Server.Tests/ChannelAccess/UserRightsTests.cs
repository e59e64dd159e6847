using Shouldly;
using Tidings.Server.ChannelAccess;
using Tidings.Server.Events;
using Tidings.Server.Features.Access;
using Xunit;

namespace Tidings.Server.Tests.ChannelAccess;

public sealed class UserRightsTests
{
    private readonly FakeClock _clock = new();

    [Fact]
    public async Task A_level_ends_by_the_clock_alone_and_the_highest_that_is_left_counts()
    {
        var now = _clock.GetUtcNow();
        var held = HeldRights.None.WithLevels("author", [new HeldLevel(3, now.AddSeconds(10)), new HeldLevel(1, now.AddSeconds(20))]);
        var rights = await ReadyAsync(held);

        foreach (var (level, view) in ((long, PostView)[])[(1, PostView.Full), (3, PostView.Full), (4, PostView.Preview)]) ViewAt(rights, level).ShouldBe(view);
        _clock.Advance(TimeSpan.FromSeconds(10));
        foreach (var (level, view) in ((long, PostView)[])[(1, PostView.Full), (3, PostView.Preview)]) ViewAt(rights, level).ShouldBe(view);
        _clock.Advance(TimeSpan.FromSeconds(10));
        ViewAt(rights, 1).ShouldBe(PostView.Preview);
    }

    [Fact]
    public async Task What_changes_while_rights_are_being_read_is_not_lost()
    {
        var reading = new TaskCompletionSource<HeldRights?>();
        var rights = new UserRights("reader", _ => reading.Task, _clock);
        var ready = rights.ReadyAsync();
        rights.Apply(held => held.WithPost("bought", holds: true));
        rights.Apply(held => held.WithPost("refunded", holds: false));
        reading.SetResult(HeldRights.None.WithPost("refunded", holds: true));
        await ready;

        rights.ViewOf("bought", "author", isLocked: true, null).ShouldBe(PostView.Full);
        rights.ViewOf("refunded", "author", isLocked: true, null).ShouldBe(PostView.Preview);
    }

    [Fact]
    public async Task A_failed_read_is_told_and_done_again_when_asked_again()
    {
        var reads = 0;
        var rights = new UserRights("reader", _ => ++reads == 1 ? throw new IOException() : Task.FromResult<HeldRights?>(null), _clock);
        await Should.ThrowAsync<IOException>(rights.ReadyAsync);
        await rights.ReadyAsync();
        reads.ShouldBe(2);
    }

    [Fact]
    public async Task A_block_hides_everything_but_ones_own()
    {
        var rights = await ReadyAsync(HeldRights.None.WithPost("post", holds: true).WithApart("author", isApart: true));
        rights.ViewOf("post", "author", isLocked: true, null).ShouldBe(PostView.Hidden);
        rights.ViewOf("other", "author", isLocked: false, null).ShouldBe(PostView.Hidden);
        rights.ViewOf("own", "reader", isLocked: true, 5).ShouldBe(PostView.Full);
        rights.Apply(held => held.WithApart("author", isApart: false));
        rights.ViewOf("post", "author", isLocked: true, null).ShouldBe(PostView.Full);
    }

    private static PostView ViewAt(UserRights rights, long level) => rights.ViewOf("post", "author", isLocked: true, level);

    private async Task<UserRights> ReadyAsync(HeldRights held)
    {
        var rights = new UserRights("reader", _ => Task.FromResult<HeldRights?>(held), _clock);
        await rights.ReadyAsync();
        return rights;
    }
}
