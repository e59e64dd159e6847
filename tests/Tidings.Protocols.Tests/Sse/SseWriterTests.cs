using System.Buffers;
using System.Text;
using Shouldly;
using Tidings.Protocols.Sse;
using Tidings.Realtime.Connections;
using Xunit;

namespace Tidings.Protocols.Tests.Sse;

public class SseWriterTests
{
    [Theory]
    [InlineData("x", "data: x\n")]
    [InlineData("", "data: \n")]
    [InlineData("a\nb", "data: a\ndata: b\n")]
    [InlineData("a\rb", "data: a\ndata: b\n")]
    [InlineData("a\r\nb", "data: a\ndata: b\n")]
    [InlineData("a\n\nevent: forged\ndata: x", "data: a\ndata: \ndata: event: forged\ndata: data: x\n")]
    [InlineData("a\n", "data: a\ndata: \n")]
    public void Line_breaks_in_data_become_data_lines(string data, string expected) =>
        Written(to => SseWriter.WriteData(to, Encoding.UTF8.GetBytes(data))).ShouldBe(expected);

    [Theory]
    [InlineData("post_created", "event: post_created\n")]
    [InlineData("post:7:status", "event: post:7:status\n")]
    [InlineData("a\ndata: forged", "")]
    [InlineData("a\rb", "")]
    [InlineData("a\0b", "")]
    [InlineData("", "")]
    public void A_name_that_would_break_the_line_is_not_written(string name, string expected) =>
        Written(to => SseWriter.WriteEvent(to, name)).ShouldBe(expected);

    [Fact]
    public void A_retry_is_digits() => Written(static to => SseWriter.WriteRetry(to, TimeSpan.FromMilliseconds(2345.6))).ShouldBe("retry: 2345\n");

    [Theory]
    [InlineData(true, 4401, "token_expired", "event: closing\ndata: {\"code\":4401,\"reason\":\"token_expired\",\"retry\":null}\n\n")]
    [InlineData(false, 4401, "x", "data: {\"type\":\"closing\",\"code\":4401,\"reason\":\"x\",\"retry\":null}\n\n")]
    [InlineData(true, 4503, "retry=2500", "retry: 2500\nevent: closing\ndata: {\"code\":4503,\"reason\":\"retry=2500\",\"retry\":2500}\n\n")]
    [InlineData(true, 1001, "retry=3", "retry: 1000\nevent: closing\ndata: {\"code\":1001,\"reason\":\"retry=3\",\"retry\":1000}\n\n")]
    public void The_last_event_says_why(bool namesEvents, int code, string reason, string expected) =>
        Encoding.UTF8.GetString(SseFormat.Closing(new CloseReason(code, reason), namesEvents)).ShouldBe(expected);

    private static string Written(Action<IBufferWriter<byte>> write)
    {
        var bytes = new ArrayBufferWriter<byte>();
        write(bytes);
        return Encoding.UTF8.GetString(bytes.WrittenSpan);
    }
}
