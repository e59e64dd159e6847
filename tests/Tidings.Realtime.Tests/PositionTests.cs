using FsCheck;
using FsCheck.Fluent;
using Tidings.Realtime.Publications;

namespace Tidings.Realtime.Tests;

public sealed class PositionTests
{
    [Fact]
    public void Every_position_survives_its_text() => Prop
        .ForAll(
            ArbMap.Default.ArbFor<ulong>(),
            ArbMap.Default.ArbFor<long>(),
            (epoch, offset) =>
            {
                var position = new Position(Math.Max(1, epoch), offset & long.MaxValue);
                return Position.TryParse(position.ToString(), out var read) && read == position && position.ToString().Length <= Position.MaxTextLength;
            })
        .QuickCheckThrowOnFailure();

    [Theory]
    [InlineData("")]
    [InlineData("a")]
    [InlineData("AAAAAAAAAAAA")] // epoch 0
    [InlineData("AAAAAAAAAAGAAA")] // a second spelling of offset 0
    [InlineData("AAAAAAAAAAEAAA")] // bytes behind it
    [InlineData("AAAAAAAAAAH_")] // cut off
    [InlineData("AAAAAAAAAAH______________________")]
    [InlineData("AAAAAAAAAAEA==!")]
    [InlineData("feed:42")]
    public void What_is_not_a_position_is_refused(string text) => Position.TryParse(text, out _).ShouldBeFalse();

    [Fact]
    public void A_text_is_refused_or_is_the_one_text_of_its_position() => Prop
        .ForAll(ArbMap.Default.ArbFor<string>(), text =>
        {
            return !Position.TryParse(text ?? "", out var position) || position.ToString() == text;
        })
        .QuickCheckThrowOnFailure();
}
