using System.IO.Pipelines;
using System.Text;
using Shouldly;
using Tidings.Protocols.Sse;
using Tidings.Realtime.Connections;
using Xunit;

namespace Tidings.Protocols.Tests.Sse;

public class SseTransportTests
{
    private readonly Pipe _pipe = new();
    private int _aborts;

    [Fact]
    public async Task The_closing_event_follows_whole_events()
    {
        var transport = Open();
        await WriteAsync(transport, "data: {\"n\":1}\n", "id: AQ\n\n");

        await transport.CloseAsync(CloseReason.TooSlow, writable: true);

        (await ReadAsync()).ShouldStartWith("data: {\"n\":1}\nid: AQ\n\nevent: closing\n");
        _aborts.ShouldBe(0);
    }

    [Fact]
    public async Task Nothing_follows_a_heartbeat_but_the_closing_event()
    {
        var transport = Open();
        await WriteAsync(transport, ":\n\n");

        await transport.CloseAsync(CloseReason.TokenExpired, writable: true);

        (await ReadAsync()).ShouldBe(":\n\nevent: closing\ndata: {\"code\":4401,\"reason\":\"token_expired\",\"retry\":null}\n\n");
    }

    /// <summary>A slow reader may be cut between the parts of an event. A closing event there would be read as more of it.</summary>
    [Theory]
    [InlineData("event: post_created\ndata: {\"type\":\"post_created\",\"channel\":\"")]
    [InlineData("event: post_created\ndata: {\"n\":1}\n")]
    public async Task An_event_that_was_torn_is_never_ended(string beginning)
    {
        var transport = Open();
        await WriteAsync(transport, "data: {\"n\":0}\n", "id: AA\n\n", beginning);

        await transport.CloseAsync(CloseReason.TooSlow, writable: true);

        (await ReadAsync()).ShouldBe($"data: {{\"n\":0}}\nid: AA\n\n{beginning}");
        _aborts.ShouldBe(1);
    }

    private static async Task WriteAsync(SseTransport transport, params string[] pieces) =>
        await transport.WriteAsync([.. pieces.Select(piece => (ReadOnlyMemory<byte>)Encoding.UTF8.GetBytes(piece))], CancellationToken.None);

    private SseTransport Open() => new(_pipe.Writer, namesEvents: true, () => _aborts++, TimeSpan.FromSeconds(5), TimeProvider.System);

    private async Task<string> ReadAsync()
    {
        await _pipe.Writer.CompleteAsync();
        using var reader = new StreamReader(_pipe.Reader.AsStream(), Encoding.UTF8);
        return await reader.ReadToEndAsync();
    }
}
