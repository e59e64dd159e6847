using System.Text;
using Shouldly;
using Tidings.Realtime.Channels;
using Tidings.Realtime.Connections;
using Tidings.Realtime.Presence;
using Xunit;

namespace Tidings.Server.Tests.Presence;

/// <summary>What every store of presence must do.</summary>
public abstract class PresenceStoreContract
{
    /// <summary>Longer than any test takes, unless it lets the time pass.</summary>
    private static readonly TimeSpan Lasting = TimeSpan.FromHours(1);

    private readonly ChannelName _channel = new("conversation", Guid.NewGuid().ToString("N"));
    private readonly string _here = $"here-{Guid.NewGuid():N}";
    private readonly string _there = $"there-{Guid.NewGuid():N}";

    /// <summary>The store under test.</summary>
    private protected abstract IPresenceStore Store { get; }

    /// <summary>A lifetime that <see cref="OutliveAsync"/> outlives.</summary>
    protected abstract TimeSpan Brief { get; }

    /// <summary>Lets more time pass than <see cref="Brief"/>.</summary>
    protected abstract Task OutliveAsync();

    [Fact]
    public async Task Some_users_are_looked_for_among_all()
    {
        await PutAsync("alice", _here);
        await PutAsync("bob", _there);
        await PutAsync("eve", _there);
        string[] asked = ["alice", "mallory", "eve", .. Enumerable.Range(0, 1_000).Select(static number => $"nobody-{number}")];
        (await Store.FindAsync(_channel, asked, CancellationToken.None)).Order().ShouldBe(["alice", "eve"]);
        (await Store.FindAsync(_channel, [], CancellationToken.None)).ShouldBeEmpty();
    }

    [Fact]
    public async Task A_user_comes_once_and_goes_once()
    {
        (await PutAsync("alice", _here)).ShouldBe(new PresenceChange(true, 1));
        (await PutAsync("alice", _here)).ShouldBe(new PresenceChange(false, 1));
        (await PutAsync("bob", _here)).ShouldBe(new PresenceChange(true, 2));
        (await WhoAsync()).ShouldBe("2: alice bob");

        (await RemoveAsync("alice", _here)).ShouldBe(new PresenceChange(true, 1));
        (await RemoveAsync("alice", _here)).ShouldBe(new PresenceChange(false, 1));
        (await RemoveAsync("bob", _here)).ShouldBe(new PresenceChange(true, 0));
        (await RemoveAsync("bob", _here)).ShouldBe(new PresenceChange(false, 0));
        (await WhoAsync()).ShouldBe("0: ");
    }

    [Fact]
    public async Task A_user_on_two_nodes_is_there_until_both_have_removed_them()
    {
        (await PutAsync("alice", _here)).IsChange.ShouldBeTrue();
        (await PutAsync("alice", _there)).ShouldBe(new PresenceChange(false, 1));
        (await RemoveAsync("alice", "a node that has not put anybody")).ShouldBe(new PresenceChange(false, 1));
        (await RemoveAsync("alice", _here)).ShouldBe(new PresenceChange(false, 1));
        (await WhoAsync()).ShouldBe("1: alice");
        (await RemoveAsync("alice", _there)).ShouldBe(new PresenceChange(true, 0));
    }

    [Fact]
    public async Task Channels_and_users_are_told_apart_byte_for_byte()
    {
        var other = new ChannelName("conversation", _channel.Id + "x");
        await PutAsync("alice", _here);
        await Store.PutAsync(other, Member("Alice", 1), _here, Lasting, CancellationToken.None);

        (await WhoAsync()).ShouldBe("1: alice");
        (await RemoveAsync("Alice", _here)).IsChange.ShouldBeFalse();
        (await Store.RemoveAsync(other, "Alice", _here, CancellationToken.None)).ShouldBe(new PresenceChange(true, 0));
    }

    [Fact]
    public async Task The_info_is_the_one_put_last()
    {
        await Store.PutAsync(_channel, Member("alice", 1), _here, Lasting, CancellationToken.None);
        await Store.PutAsync(_channel, Member("alice", 2), _there, Lasting, CancellationToken.None);

        var list = await Store.ListAsync(_channel, 10, CancellationToken.None);
        Encoding.UTF8.GetString(list.Members.ShouldHaveSingleItem().Info.Span).ShouldBe("""{"n":2}""");
    }

    [Fact]
    public async Task A_list_is_as_long_as_asked_for_and_the_count_is_of_all()
    {
        for (var user = 0; user < 20; user++) await PutAsync($"u{user:d2}", _here);

        (await Store.ListAsync(_channel, 5, CancellationToken.None)).Members.Count.ShouldBe(5);
        (await Store.ListAsync(_channel, 5, CancellationToken.None)).Count.ShouldBe(20);
        (await Store.ListAsync(_channel, 0, CancellationToken.None)).Count.ShouldBe(20);
    }

    [Fact]
    public async Task What_a_dead_node_has_put_is_not_listed_and_is_taken_once()
    {
        await Store.PutAsync(_channel, Member("alice", 1), _there, Brief, CancellationToken.None);
        await PutAsync("bob", _here);
        await OutliveAsync();

        (await WhoAsync()).ShouldBe("1: bob");
        var taken = await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => Store.TakeExpiredAsync(CancellationToken.None).AsTask()));
        var alice = taken.SelectMany(static one => one).Where(one => one.Channel == _channel).ShouldHaveSingleItem();
        (alice.Member.UserId, alice.Count).ShouldBe(("alice", 1));
        Encoding.UTF8.GetString(alice.Member.Info.Span).ShouldBe("""{"n":1}""");
        (await PutAsync("alice", _here)).IsChange.ShouldBeTrue();
    }

    [Fact]
    public async Task Whom_a_living_node_has_there_as_well_does_not_leave_with_the_dead()
    {
        await Store.PutAsync(_channel, Member("alice", 1), _there, Brief, CancellationToken.None);
        await PutAsync("alice", _here);
        await OutliveAsync();

        (await WhoAsync()).ShouldBe("1: alice");
        (await Store.TakeExpiredAsync(CancellationToken.None)).ShouldNotContain(one => one.Channel == _channel);
        (await WhoAsync()).ShouldBe("1: alice");
        (await RemoveAsync("alice", _here)).ShouldBe(new PresenceChange(true, 0));
    }

    [Fact]
    public async Task Whoever_comes_back_before_the_dead_are_cleared_away_was_never_away()
    {
        await Store.PutAsync(_channel, Member("alice", 1), _there, Brief, CancellationToken.None);
        await OutliveAsync();

        (await PutAsync("alice", _here)).ShouldBe(new PresenceChange(false, 1));
        (await Store.TakeExpiredAsync(CancellationToken.None)).ShouldNotContain(one => one.Channel == _channel);
        (await WhoAsync()).ShouldBe("1: alice");
    }

    [Fact]
    public async Task A_node_that_renews_lives_on_and_one_that_was_cleared_away_is_told()
    {
        (await Store.RenewAsync(_here, Lasting, CancellationToken.None)).ShouldBeFalse("it has put nothing");
        await Store.PutAsync(_channel, Member("alice", 1), _here, Brief, CancellationToken.None);
        await Store.PutAsync(_channel, Member("bob", 1), _there, Brief, CancellationToken.None);
        (await Store.RenewAsync(_here, Lasting, CancellationToken.None)).ShouldBeTrue();
        await OutliveAsync();

        (await WhoAsync()).ShouldBe("1: alice");
        await Store.TakeExpiredAsync(CancellationToken.None);
        (await Store.RenewAsync(_here, Lasting, CancellationToken.None)).ShouldBeTrue();
        (await Store.RenewAsync(_there, Lasting, CancellationToken.None)).ShouldBeFalse();
    }

    [Fact]
    public async Task Of_many_who_put_and_remove_the_same_user_at_once_one_makes_each_change()
    {
        string[] nodes = [.. Enumerable.Range(0, 8).Select(node => $"{_here}-{node}")];
        for (var round = 0; round < 20; round++)
        {
            var came = await Task.WhenAll(nodes.Select(node => Task.Run(() => PutAsync("alice", node))));
            came.Count(static change => change.IsChange).ShouldBe(1);
            var went = await Task.WhenAll(nodes.Select(node => Task.Run(() => RemoveAsync("alice", node))));
            went.Count(static change => change.IsChange).ShouldBe(1);
        }
    }

    private static PresenceMember Member(string userId, int number) => new(userId, Encoding.UTF8.GetBytes($"{{\"n\":{number}}}"));

    private Task<PresenceChange> PutAsync(string userId, string node) =>
        Store.PutAsync(_channel, Member(userId, 0), node, Lasting, CancellationToken.None).AsTask();

    private Task<PresenceChange> RemoveAsync(string userId, string node) => Store.RemoveAsync(_channel, userId, node, CancellationToken.None).AsTask();

    private async Task<string> WhoAsync()
    {
        var list = await Store.ListAsync(_channel, 100, CancellationToken.None);
        return $"{list.Count}: {string.Join(' ', list.Members.Select(static member => member.UserId).Order())}";
    }
}
