using System.Text;
using FsCheck;
using FsCheck.Fluent;
using Shouldly;
using Tidings.Protocols.Streams;
using Tidings.Realtime.Channels;
using Tidings.Realtime.Publications;
using Xunit;

namespace Tidings.Protocols.Tests.Streams;

public class StreamTokenTests
{
    public static TheoryData<string> Garbage =>
    [
        "", "A", "AA", "AQ==", "AQ=", " AQ", "AQ ", "Ag", "hello world", "AQAAAAE", "ä", "AQ\0", "AQAAAAEAAAAAAAAAAAE", new string('A', 5000),
    ];

    [Fact]
    public void What_is_written_is_read()
    {
        var entries = Gen.Choose(1, int.MaxValue).SelectMany(static mark =>
            Gen.Choose(1, int.MaxValue).SelectMany(epoch => Gen.Choose(0, int.MaxValue).Select(offset => ((uint)mark, new Position((ulong)epoch << 20, offset)))));
        var lists = Gen.Choose(0, StreamToken.MaxChannels).SelectMany(count => Gen.ArrayOf(entries, count));

        Prop.ForAll(lists.ToArbitrary(), static given =>
        {
            var places = given.DistinctBy(static entry => entry.Item1).ToArray();
            var text = Write(places);

            text.Length.ShouldBeLessThan(2048);
            text.ShouldAllBe(static character => char.IsAsciiLetterOrDigit(character) || character == '-' || character == '_');
            StreamToken.TryRead(text, out var read).ShouldBeTrue();
            read.ShouldBe(places.ToDictionary(static entry => entry.Item1, static entry => entry.Item2), ignoreOrder: true);
        }).QuickCheckThrowOnFailure();
    }

    [Fact]
    public void The_longest_token_fits()
    {
        var places = Enumerable.Range(1, StreamToken.MaxChannels).Select(static mark => ((uint)mark, new Position(ulong.MaxValue - 1, long.MaxValue))).ToArray();

        var text = Write(places);

        text.Length.ShouldBeLessThanOrEqualTo(StreamToken.MaxLength);
        text.Length.ShouldBeLessThan(2048);
        StreamToken.TryRead(text, out var read).ShouldBeTrue();
        read.Count.ShouldBe(StreamToken.MaxChannels);
    }

    [Theory]
    [MemberData(nameof(Garbage))]
    public void Garbage_is_refused(string text) => StreamToken.TryRead(text, out _).ShouldBeFalse();

    [Fact]
    public void A_token_cut_anywhere_inside_an_entry_is_refused()
    {
        var text = Write([(7, new Position(1UL << 60, 5)), (8, new Position(1UL << 60, 300))]);

        for (var length = 3; length < text.Length; length++)
        {
            if (StreamToken.TryRead(text.AsSpan(0, length), out var read)) read.Count.ShouldBe(1, "only the end of an entry is an end");
        }
    }

    [Fact]
    public void One_mark_may_not_stand_there_twice() =>
        StreamToken.TryRead(Write([(7, new Position(9, 5)), (7, new Position(9, 6))]), out _).ShouldBeFalse();

    [Fact]
    public void The_mark_of_a_name_is_the_same_for_ever() => StreamToken.MarkOf(new ChannelName("feed", "42")).ShouldBe(391336811u);

    private static string Write((uint, Position)[] places)
    {
        Span<byte> bytes = stackalloc byte[StreamToken.MaxLength];
        return Encoding.ASCII.GetString(bytes[..StreamToken.Write(places, bytes)]);
    }
}
