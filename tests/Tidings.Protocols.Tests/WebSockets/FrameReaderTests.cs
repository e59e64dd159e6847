using System.Text;
using Shouldly;
using Tidings.Protocols.Tests.Support;
using Tidings.Protocols.WebSockets;
using Xunit;

namespace Tidings.Protocols.Tests.WebSockets;

public class FrameReaderTests
{
    private const int Limit = 1024;

    /// <summary>The table "Frames: required reaction", row by row.</summary>
    public static TheoryData<string, byte[], string[]> Reactions => new()
    {
        { "a text", ClientFrames.Text("hello"), ["text:hello"] },
        { "an empty text", ClientFrames.Text(""), ["text:"] },
        { "two messages in one piece", [.. ClientFrames.Text("a"), .. ClientFrames.Text("b")], ["text:a", "text:b"] },
        { "unmasked", ClientFrames.Of(FrameOpcode.Text, "x"u8.ToArray(), isMasked: false), ["violation:1002"] },
        { "RSV1", ClientFrames.Of(FrameOpcode.Text, [], reserved: 0x40), ["violation:1002"] },
        { "RSV2", ClientFrames.Of(FrameOpcode.Text, [], reserved: 0x20), ["violation:1002"] },
        { "RSV3", ClientFrames.Of(FrameOpcode.Text, [], reserved: 0x10), ["violation:1002"] },
        { "opcode 3", ClientFrames.Of((FrameOpcode)3, []), ["violation:1002"] },
        { "opcode 7", ClientFrames.Of((FrameOpcode)7, []), ["violation:1002"] },
        { "opcode 11", ClientFrames.Of((FrameOpcode)11, []), ["violation:1002"] },
        { "opcode 15", ClientFrames.Of((FrameOpcode)15, []), ["violation:1002"] },
        { "continuation without a start", ClientFrames.Last(1), ["violation:1002"] },
        { "new text inside a message", [.. ClientFrames.First(FrameOpcode.Text, (byte)'a'), .. ClientFrames.Text("b")], ["violation:1002"] },
        { "new binary inside a message", [.. ClientFrames.First(FrameOpcode.Text, (byte)'a'), .. ClientFrames.Binary(1)], ["violation:1002"] },
        { "ping of 125", ClientFrames.Ping(new string('p', 125)), ["ping:" + new string('p', 125)] },
        { "ping of 126", ClientFrames.Ping(new string('p', 126)), ["violation:1002"] },
        { "fragmented ping", ClientFrames.First(FrameOpcode.Ping), ["violation:1002"] },
        { "fragmented close", ClientFrames.First(FrameOpcode.Close), ["violation:1002"] },
        {
            "ping between fragments",
            [.. ClientFrames.First(FrameOpcode.Text, (byte)'a'), .. ClientFrames.Ping("p"), .. ClientFrames.Last((byte)'b')],
            ["ping:p", "text:ab"]
        },
        { "length with the top bit set", ClientFrames.Of(FrameOpcode.Text, [], declared: 1UL << 63, form: 8), ["violation:1002"] },
        { "unmasked with the top bit set", [0x81, 0x7F, 0xFF, 0, 0, 0, 0, 0, 0, 0, 1, 2, 3], ["violation:1002"] },
        { "5 bytes in a 16-bit length", ClientFrames.Of(FrameOpcode.Text, "hello"u8.ToArray(), form: 2), ["text:hello"] },
        { "5 bytes in a 64-bit length", ClientFrames.Of(FrameOpcode.Text, "hello"u8.ToArray(), form: 8), ["text:hello"] },
        { "declared 2^40", ClientFrames.Of(FrameOpcode.Text, [], declared: 1UL << 40, form: 8), ["violation:1009"] },
        { "binary with any bytes", ClientFrames.Binary(0, 0xFF, 0xC0), ["binary:00FFC0"] },
        { "empty close", ClientFrames.Close(), ["close:0"] },
        { "close with one byte", ClientFrames.Of(FrameOpcode.Close, [3]), ["violation:1002"] },
        { "close with a reason", ClientFrames.Close(1000, "bye"), ["close:1000"] },
        { "close reason not UTF-8", ClientFrames.Of(FrameOpcode.Close, [0x03, 0xE8, 0xFF]), ["violation:1007"] },
        { "data after a close", [.. ClientFrames.Close(1000), .. ClientFrames.Text("x"), 0xFF, 0xFF], ["close:1000"] },
        { "close inside a message", [.. ClientFrames.First(FrameOpcode.Text, (byte)'a'), .. ClientFrames.Close(1001)], ["close:1001"] },
        { "unsolicited pong", ClientFrames.Pong("x"), ["pong:x"] },
        { "anything after a violation", [.. ClientFrames.Of((FrameOpcode)3, []), .. ClientFrames.Text("x"), .. ClientFrames.Ping()], ["violation:1002"] },
        { "a close after a violation", [.. ClientFrames.Of((FrameOpcode)3, [1]), .. ClientFrames.Last(1), .. ClientFrames.Close(1002)], ["violation:1002", "close:0"] },
        { "after a length that leads nowhere", [.. ClientFrames.Of(FrameOpcode.Text, [], declared: 1UL << 63, form: 8), .. ClientFrames.Close(1002)], ["violation:1002"] },
    };

    public static TheoryData<string, byte[]> NotUtf8 => new()
    {
        { "a lone continuation byte", [0x80] },
        { "overlong slash", [0xC0, 0xAF] },
        { "overlong NUL", [0xE0, 0x80, 0x80] },
        { "a surrogate", [0xED, 0xA0, 0x80] },
        { "above U+10FFFF", [0xF4, 0x90, 0x80, 0x80] },
        { "cut at the end", [0xE2, 0x82] },
        { "0xFF", [0xFF] },
    };

    [Theory]
    [MemberData(nameof(Reactions))]
    public void Every_row_of_the_table_has_its_reaction(string name, byte[] bytes, string[] expected)
    {
        ClientFrames.Read(bytes).ShouldBe(expected, name);
        ClientFrames.Read(bytes.Select(static one => new[] { one })).ShouldBe(expected, $"{name}, byte by byte");
    }

    [Theory]
    [MemberData(nameof(NotUtf8))]
    public void A_text_that_is_not_utf8_is_a_violation(string name, byte[] payload)
    {
        ClientFrames.Read(ClientFrames.Of(FrameOpcode.Text, payload)).ShouldBe(["violation:1007"], name);
        ClientFrames.Read([ClientFrames.First(FrameOpcode.Text, payload), ClientFrames.Last()]).ShouldBe(["violation:1007"], $"{name}, in two frames");
    }

    [Fact]
    public void A_code_point_may_be_split_over_fragments()
    {
        var euro = Encoding.UTF8.GetBytes("€");

        ClientFrames.Read([ClientFrames.First(FrameOpcode.Text, euro[0]), ClientFrames.Middle(euro[1]), ClientFrames.Last(euro[2])]).ShouldBe(["text:€"]);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(999)]
    [InlineData(1004)]
    [InlineData(1005)]
    [InlineData(1006)]
    [InlineData(1015)]
    [InlineData(1016)]
    [InlineData(2999)]
    [InlineData(5000)]
    [InlineData(65535)]
    public void A_close_code_that_may_not_travel_is_a_violation(int code) => ClientFrames.Read(ClientFrames.Close(code)).ShouldBe(["violation:1002"]);

    [Theory]
    [InlineData(1000)]
    [InlineData(1003)]
    [InlineData(1007)]
    [InlineData(1014)]
    [InlineData(3000)]
    [InlineData(4999)]
    public void A_close_code_that_may_travel_is_taken(int code) => ClientFrames.Read(ClientFrames.Close(code)).ShouldBe([$"close:{code}"]);

    [Fact]
    public void The_limit_is_on_the_message_not_on_the_frame()
    {
        var half = new byte[Limit / 2];

        ClientFrames.Read([ClientFrames.Binary(new byte[Limit])]).Single().ShouldStartWith("binary:");
        ClientFrames.Read([ClientFrames.Binary(new byte[Limit + 1])]).ShouldBe(["violation:1009"]);
        ClientFrames.Read([ClientFrames.First(FrameOpcode.Binary, half), ClientFrames.Last(half)]).Single().ShouldStartWith("binary:");
        ClientFrames.Read([ClientFrames.First(FrameOpcode.Binary, half), ClientFrames.Last([.. half, 0])]).ShouldBe(["violation:1009"]);
    }

    [Fact]
    public void A_long_message_is_refused_by_its_header_alone()
    {
        var frame = ClientFrames.Binary(new byte[Limit + 1]);

        ClientFrames.Read([frame[..8]]).ShouldBe(["violation:1009"]);
    }

    [Fact]
    public void A_close_is_still_heard_behind_a_message_that_was_too_long()
    {
        ClientFrames.Read([ClientFrames.Binary(new byte[Limit + 1]), ClientFrames.Text("ignored"), ClientFrames.Close(1001)])
            .ShouldBe(["violation:1009", "close:0"]);
    }

    [Theory]
    [InlineData(FrameReader.MaxFragments, "text:")]
    [InlineData(FrameReader.MaxFragments + 1, "violation:1009")]
    public void Empty_fragments_are_counted(int fragments, string expected)
    {
        var frames = Enumerable.Range(0, fragments).Select(index =>
            ClientFrames.Of(index == 0 ? FrameOpcode.Text : FrameOpcode.Continuation, [], isFinal: index == fragments - 1));

        ClientFrames.Read(frames).ShouldBe([expected]);
    }

    [Fact]
    public void Only_the_close_is_heard_once_all_is_skipped()
    {
        using var reader = new FrameReader(Limit) { SkipsAll = true };
        Memory<byte> input = (byte[])[.. ClientFrames.Text("a"), .. ClientFrames.Last(1, 2, 3), .. ClientFrames.Binary(new byte[4096]), .. ClientFrames.Close(1000)];

        reader.TryRead(ref input, out var message).ShouldBeTrue();

        message.Kind.ShouldBe(InboundKind.Close);
    }

    [Fact]
    public void Between_messages_nothing_is_held()
    {
        using var reader = new FrameReader(Limit);
        Memory<byte> input = (byte[])[.. ClientFrames.First(FrameOpcode.Text, (byte)'a'), .. ClientFrames.Last((byte)'b')];

        reader.TryRead(ref input, out _).ShouldBeTrue();

        reader.IsMidMessage.ShouldBeFalse();
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(7)]
    [InlineData(64)]
    [InlineData(1000)]
    public void Unmasking_goes_on_where_the_last_piece_ended(int split)
    {
        var text = string.Concat(Enumerable.Range(0, 300).Select(static number => (char)('a' + (number % 26))));
        var frame = ClientFrames.Text(text);
        var at = Math.Min(split + 8, frame.Length);

        ClientFrames.Read([frame[..at], frame[at..]]).ShouldBe([$"text:{text}"]);
    }
}
