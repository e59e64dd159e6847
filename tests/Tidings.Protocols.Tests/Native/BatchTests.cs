using System.Text.Json;
using Shouldly;
using Tidings.Protocols.Tests.Support;
using Xunit;

namespace Tidings.Protocols.Tests.Native;

/// <summary><c>batch=1</c>: what waits together is one message, in the one order.</summary>
public sealed class BatchTests : IAsyncLifetime
{
    private TestServer _server = null!;

    public async ValueTask InitializeAsync() => _server = await TestServer.StartAsync(isEarly: true);

    public ValueTask DisposeAsync() => _server.DisposeAsync();

    [Theory, InlineData("room:a"), InlineData("feed:42")]
    public async Task Missed_events_come_as_one_message_and_a_single_one_as_itself(string channel)
    {
        var source = channel == "feed:42" ? "creator:of-42" : channel;
        await using var socket = await TestSocket.ConnectAsync(_server, more: "&batch=1");
        var position = (await socket.AskAsync($$"""{"type":"subscribe","id":1,"channel":"{{channel}}"}""")).GetProperty("position").GetString();
        await _server.PublishAsync(source, "first");
        (await socket.ReceiveAsync()).GetProperty("type").GetString().ShouldBe("first");
        for (var number = 0; number < 50; number++) await _server.PublishAsync(source, "more", $$"""{"number":{{number}}}""");

        await using var again = await TestSocket.ConnectAsync(_server, more: "&batch=1");
        (await again.AskAsync($$"""{"type":"subscribe","id":1,"channel":"{{channel}}","since":"{{position}}"}""")).GetProperty("recovered").GetBoolean().ShouldBeTrue();
        var batch = await again.ReceiveAsync();
        batch.GetProperty("type").GetString().ShouldBe("batch");
        var events = batch.GetProperty("events").EnumerateArray().ToList();
        events.Count.ShouldBe(51);
        events[0].GetProperty("type").GetString().ShouldBe("first");
        events.ShouldAllBe(one => one.GetProperty("channel").GetString() == channel);
        events.Skip(1).Select(Number).ShouldBe(Enumerable.Range(0, 50));

        // A reply keeps its place behind the events that were there before it.
        (await again.AskAsync("""{"type":"ping","id":9}""")).GetProperty("type").GetString().ShouldBe("pong");
    }

    [Fact]
    public async Task A_batch_stays_under_the_limit_of_a_message()
    {
        await using var socket = await TestSocket.ConnectAsync(_server);
        var position = (await socket.AskAsync("""{"type":"subscribe","id":1,"channel":"room:a"}""")).GetProperty("position").GetString();
        for (var number = 0; number < 40; number++) await _server.PublishAsync("room:a", "more", $$"""{"number":{{number}},"text":"{{new string('x', 9_000)}}"}""");

        await using var again = await TestSocket.ConnectAsync(_server, more: "&batch=1");
        await again.AskAsync($$"""{"type":"subscribe","id":1,"channel":"room:a","since":"{{position}}"}""");
        var numbers = new List<int>();
        while (numbers.Count < 40)
        {
            var (_, payload) = await again.ReadFrameAsync();
            payload.Length.ShouldBeLessThanOrEqualTo(_server.Engine.Options.MessageBytes + 64);
            var message = JsonDocument.Parse(payload).RootElement;
            if (message.GetProperty("type").GetString() == "batch") numbers.AddRange(message.GetProperty("events").EnumerateArray().Select(Number));
            else numbers.Add(Number(message));
        }

        numbers.ShouldBe(Enumerable.Range(0, 40));
    }

    private static int Number(JsonElement one) =>
        (one.TryGetProperty("data", out var data) ? data : one).GetProperty("number").GetInt32();
}
