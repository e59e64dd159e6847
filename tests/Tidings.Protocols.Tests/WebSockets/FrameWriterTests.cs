using System.Text;
using Shouldly;
using Tidings.Protocols.WebSockets;
using Xunit;

namespace Tidings.Protocols.Tests.WebSockets;

public class FrameWriterTests
{
    [Theory]
    [InlineData(0, "8100")]
    [InlineData(125, "817D")]
    [InlineData(126, "817E007E")]
    [InlineData(65535, "817EFFFF")]
    [InlineData(65536, "817F0000000000010000")]
    public void The_header_takes_2_4_or_10_bytes(int length, string header)
    {
        var frame = FrameWriter.Text(new byte[length]);

        Convert.ToHexString(frame.AsSpan(0, frame.Length - length)).ShouldBe(header);
    }

    [Fact]
    public void A_close_carries_its_code_and_reason() =>
        Convert.ToHexString(FrameWriter.Close(4401, "no")).ShouldBe("8804" + "1131" + "6E6F");

    [Theory]
    [InlineData(1004)]
    [InlineData(1005)]
    [InlineData(1006)]
    [InlineData(1015)]
    [InlineData(70000)]
    public void A_code_that_may_not_travel_becomes_1011(int code) => Convert.ToHexString(FrameWriter.Close(code, "")).ShouldBe("880203F3");

    [Theory]
    [InlineData("a", 123)]
    [InlineData("é", 122)] // two bytes each: 61 of them
    [InlineData("€", 123)]
    [InlineData("😀", 120)]
    public void A_long_reason_is_cut_where_a_character_ends(string character, int expectedBytes)
    {
        var frame = FrameWriter.Close(1000, string.Concat(Enumerable.Repeat(character, 200)));

        var reason = frame[4..];
        reason.Length.ShouldBe(expectedBytes);
        new UTF8Encoding(false, throwOnInvalidBytes: true).GetString(reason).Replace(character, "", StringComparison.Ordinal).ShouldBeEmpty();
    }

    [Fact]
    public void The_answer_to_a_key_is_that_of_the_rfc() =>
        WebSocketHandshake.AcceptFor("dGhlIHNhbXBsZSBub25jZQ==").ShouldBe("s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
}
