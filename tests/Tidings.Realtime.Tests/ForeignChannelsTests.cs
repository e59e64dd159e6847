using Tidings.Realtime.Channels;

namespace Tidings.Realtime.Tests;

/// <summary>Names that follow Pusher's rules instead of ours.</summary>
public sealed class ForeignChannelsTests
{
    [Theory]
    [InlineData("my-channel")]
    [InlineData("private-chat-1")]
    [InlineData("presence-office")]
    [InlineData("private-encrypted-x")]
    [InlineData("orders=a@b,c.d;e")]
    [InlineData("private-App.Models.User.42")]
    public void A_name_without_a_kind_of_ours_is_one_of_Pushers_to_those_who_may_use_them(string text)
    {
        EngineHost.Catalog.Parse(text, out _).ShouldNotBe(ChannelNameError.None);
        EngineHost.Catalog.ParseAny(text, out var name).ShouldBe(ChannelNameError.None);

        name!.Value.ShouldBe(text);
        name.IsForeign.ShouldBeTrue();
        ChannelName.TryParse(text, out var read).ShouldBeTrue();
        read.ShouldBe(name);
        EngineHost.Catalog.RulesOf(name).History.ShouldBe(100);
    }

    [Theory]
    [InlineData("private-post-7", "post:7")]
    [InlineData("presence-club-a-b", "club:a-b")]
    [InlineData("creator_9", "creator:9")]
    public void A_name_with_a_kind_of_ours_stays_ours(string text, string canonical)
    {
        EngineHost.Catalog.ParseAny(text, out var name).ShouldBe(ChannelNameError.None);
        name!.Value.ShouldBe(canonical);
        name.IsForeign.ShouldBeFalse();
    }

    [Theory]
    [InlineData("private-post-a=b")] // a kind of ours with an id that is none
    [InlineData("post_")]
    [InlineData("nothing:7")]
    [InlineData("")]
    [InlineData("a b")]
    [InlineData("#x")]
    [InlineData("#server-to-user-")]
    [InlineData("é")]
    public void Neither_ours_nor_Pushers(string text) => EngineHost.Catalog.ParseAny(text, out _).ShouldNotBe(ChannelNameError.None);

    [Fact]
    public void A_name_has_at_most_200_characters()
    {
        EngineHost.Catalog.ParseAny(new string('a', 200), out _).ShouldBe(ChannelNameError.None);
        EngineHost.Catalog.ParseAny(new string('a', 201), out _).ShouldNotBe(ChannelNameError.None);
    }

    [Theory]
    [InlineData("42", "#server-to-user-42")]
    [InlineData("a b/é", "#server-to-user-a%20b%2F%C3%A9")]
    public void A_users_own_channel_is_named_for_any_id(string userId, string name)
    {
        ForeignChannels.OfUser(userId)!.Value.ShouldBe(name);
        ChannelName.TryParse(name, out _).ShouldBeTrue();
    }

    [Theory]
    [InlineData("presence-a", PresenceRule.Always, false)]
    [InlineData("presence-cache-a", PresenceRule.Always, true)]
    [InlineData("private-cache-a", PresenceRule.None, true)]
    [InlineData("private-encrypted-cache-a", PresenceRule.None, true)]
    [InlineData("cache-a", PresenceRule.None, true)]
    [InlineData("my-cache-a", PresenceRule.None, false)]
    [InlineData("my-presence-a", PresenceRule.None, false)]
    public void The_prefix_tells_the_rules(string name, PresenceRule presence, bool isDurable)
    {
        var rules = ForeignChannels.RulesOf(name);
        rules.Presence.ShouldBe(presence);
        rules.Durable.ShouldBe(isDurable);
    }

    [Fact]
    public void What_a_backend_sends_there_is_not_flat_whatever_its_name()
    {
        EngineHost.Catalog.ParseAny("my-channel", out var name);
        EngineHost.Catalog.IsFlat(name!, "post_created").ShouldBeFalse();
    }
}
