using Tidings.Realtime.Channels;

namespace Tidings.Realtime.Tests;

public sealed class ChannelCatalogTests
{
    private static readonly ChannelCatalog Catalog = new(
        new Dictionary<string, ChannelRules> { ["feed"] = new(), ["post"] = new(), ["presence"] = new() { History = 0 }, ["public"] = new() });

    [Theory]
    [InlineData("feed:42", "feed:42")]
    [InlineData("feed_42", "feed:42")]
    [InlineData("private-feed-42", "feed:42")]
    [InlineData("presence-post-7", "post:7")]
    [InlineData("presence:online", "presence:online")]
    [InlineData("presence_online", "presence:online")]
    [InlineData("feed:a_b-c.d~e|f@g", "feed:a_b-c.d~e|f@g")]
    [InlineData("feed_a_b", "feed:a_b")]
    [InlineData("private-feed-a-b", "feed:a-b")]
    public void Every_spelling_becomes_one_name(string text, string canonical)
    {
        Catalog.Parse(text, out var name).ShouldBe(ChannelNameError.None);
        name!.Value.ShouldBe(canonical);
        name.ShouldBe(new ChannelName(name.Kind, name.Id));
    }

    [Theory]
    [InlineData("")]
    [InlineData("feed")]
    [InlineData("feed:")]
    [InlineData(":42")]
    [InlineData("feed:4:2")]
    [InlineData("feed: 42")]
    [InlineData(" feed:42")]
    [InlineData("feed:42\n")]
    [InlineData("Feed:42")]
    [InlineData("feed:ä")]
    [InlineData("feed:*")]
    [InlineData("feed:{42}")]
    [InlineData("feed:%34%32")]
    [InlineData("feed:\0")]
    [InlineData("feed-42")]
    [InlineData("private-feed_42")]
    [InlineData("private-feed:42")]
    [InlineData("private-")]
    [InlineData("presence-online")]
    public void What_does_not_follow_the_grammar_is_refused(string text)
    {
        Catalog.Parse(text, out var name).ShouldBe(ChannelNameError.Malformed);
        name.ShouldBeNull();
    }

    [Theory]
    [InlineData("room:1")]
    [InlineData("feeds:42")]
    [InlineData("fee:d42")]
    [InlineData("private-room-1")]
    [InlineData("private-private-feed-42")]
    public void A_kind_that_is_not_there_is_refused_as_such(string text) =>
        Catalog.Parse(text, out _).ShouldBe(ChannelNameError.UnknownKind);

    [Theory]
    [InlineData(128, true)]
    [InlineData(129, false)]
    public void An_id_has_at_most_128_characters(int length, bool isGood) =>
        Catalog.Parse("feed:" + new string('x', length), out _).ShouldBe(isGood ? ChannelNameError.None : ChannelNameError.Malformed);

    [Fact]
    public void Contradictory_rules_are_refused_with_a_sentence_that_says_what_to_change()
    {
        Should.Throw<ArgumentException>(() => Make("room", new() { SlowReader = SlowReaderPolicy.Latest })).Message.ShouldContain("set History to 0");
        Should.Throw<ArgumentException>(() => Make("room", new() { Durable = true, History = 0 })).Message.ShouldContain("set History above 0");
        Should.Throw<ArgumentException>(() => Make("Room", new())).Message.ShouldContain("not a channel kind");

        static ChannelCatalog Make(string kind, ChannelRules rules) => new([new(kind, rules)]);
    }
}
