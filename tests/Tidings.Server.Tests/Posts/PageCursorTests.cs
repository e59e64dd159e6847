using Shouldly;
using Tidings.Server.Host;
using Xunit;

namespace Tidings.Server.Tests.Posts;

public sealed class PageCursorTests
{
    private const string Id = "019b7d0e4c3a7f00a1b2c3d4e5f60718";

    [Theory]
    [InlineData(0)]
    [InlineData(1_767_322_245_006)]
    [InlineData(long.MaxValue)]
    public void A_cursor_reads_what_it_wrote(long createdAt)
    {
        var cursor = new PageCursor(createdAt, Id);
        PageCursor.TryParse(cursor.ToString(), out var read).ShouldBeTrue();
        read.ShouldBe(cursor);
    }

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("x")]
    [InlineData("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA")] // one short
    [InlineData("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA")] // one long
    [InlineData("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAA==")]
    [InlineData("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA ")]
    [InlineData("AAAAAAAAAAAAAAAA+AAAAAAAAAAAAAAA")]
    [InlineData("_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA")] // a time below zero
    public void Garbage_is_no_cursor(string? text) => PageCursor.TryParse(text, out _).ShouldBeFalse();

    [Fact]
    public void Every_text_of_the_right_form_is_the_text_of_what_it_reads_as()
    {
        var random = new Random(7);
        var bytes = new byte[24];
        for (var round = 0; round < 1_000; round++)
        {
            random.NextBytes(bytes);
            var text = System.Buffers.Text.Base64Url.EncodeToString(bytes);
            if (PageCursor.TryParse(text, out var cursor)) cursor.ToString().ShouldBe(text);
        }
    }
}
