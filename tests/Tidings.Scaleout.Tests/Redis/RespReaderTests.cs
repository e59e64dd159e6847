using System.Buffers;
using System.Text;
using Tidings.Server.Scaleout.Redis;

namespace Tidings.Scaleout.Tests.Redis;

public sealed class RespReaderTests
{
    [Theory]
    [InlineData("+OK\r\n", "OK")]
    [InlineData(":-12\r\n", "-12")]
    [InlineData("$5\r\nhe\r\nl\r\n", "he\r\nl")]
    [InlineData("$-1\r\n", "null")]
    [InlineData("_\r\n", "null")]
    [InlineData("#t\r\n", "1")]
    [InlineData("*2\r\n+a\r\n*1\r\n:1\r\n", "[a, [1]]")]
    [InlineData("%1\r\n+k\r\n,1.5\r\n", "[k, 1.5]")]
    [InlineData(">3\r\n$7\r\nmessage\r\n$1\r\nc\r\n$0\r\n\r\n", "[message, c, ]")]
    [InlineData("-NOPERM no\r\n", "NOPERM no")]
    public void A_value_is_read_whole_however_it_is_cut(string text, string shown)
    {
        var bytes = Encoding.UTF8.GetBytes(text + "+next\r\n");
        for (var cut = 0; cut < text.Length; cut++)
        {
            var part = Sequence(bytes[..(cut / 2)], bytes[(cut / 2)..cut]);
            RespReader.TryRead(ref part, out _).ShouldBe(RespVerdict.Incomplete);
            var whole = Sequence(bytes[..cut], bytes[cut..]);
            RespReader.TryRead(ref whole, out var value).ShouldBe(RespVerdict.Value);
            value!.ToString().ShouldBe(shown);
            whole.Length.ShouldBe(7);
        }
    }

    [Theory]
    [InlineData("?\r\n")]
    [InlineData(":\r\n")]
    [InlineData(":1x\r\n")]
    [InlineData("$-2\r\n")]
    [InlineData("$99999999999\r\n")]
    [InlineData("*99999999999\r\n")]
    [InlineData("%9223372036854775807\r\n")]
    [InlineData("#x\r\n")]
    [InlineData("$1\r\nab\r\n")]
    [InlineData("*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n:1\r\n")]
    public void What_is_not_the_protocol_is_refused(string text)
    {
        var buffer = new ReadOnlySequence<byte>(Encoding.UTF8.GetBytes(text));
        RespReader.TryRead(ref buffer, out _).ShouldBe(RespVerdict.Malformed);
    }

    private static ReadOnlySequence<byte> Sequence(byte[] first, byte[] second)
    {
        var end = new Segment(second, first.Length);
        return new ReadOnlySequence<byte>(new Segment(first, 0, end), 0, end, second.Length);
    }

    private sealed class Segment : ReadOnlySequenceSegment<byte>
    {
        public Segment(byte[] bytes, long before, Segment? next = null) => (Memory, RunningIndex, Next) = (bytes, before, next);
    }
}
