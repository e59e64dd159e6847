using System.Text.Json;
using Shouldly;
using Tidings.Protocols.Tests.Support;
using Tidings.Realtime;
using Xunit;

namespace Tidings.Protocols.Tests.Native;

/// <summary>Members and typing, as clients on real sockets see them.</summary>
public sealed class PresenceTests : IAsyncLifetime
{
    private TestServer _server = null!;

    public async ValueTask InitializeAsync() =>
        _server = await TestServer.StartAsync(new RealtimeOptions { PresenceGrace = TimeSpan.FromMilliseconds(500) });

    public ValueTask DisposeAsync() => _server.DisposeAsync();

    [Fact]
    public async Task Members_come_and_go_in_passing_events()
    {
        await using var alice = await TestSocket.ConnectAsync(_server, "alice");
        await alice.AskAsync("""{"type":"subscribe","id":1,"channel":"club:a"}""");
        await using var bob = await TestSocket.ConnectAsync(_server, "bob");
        await bob.AskAsync("""{"type":"subscribe","id":1,"channel":"club:a"}""");

        var joined = await alice.ReceiveAsync();
        joined.EnumerateObject().Select(static field => field.Name).ShouldBe(["type", "channel", "id", "timestamp", "member"]);
        joined.GetProperty("type").GetString().ShouldBe("presence_joined");
        joined.GetProperty("member").GetRawText().ShouldBe("""{"userId":"bob","info":null}""");

        (await bob.AskAsync("""{"type":"presence","id":2,"channel":"club:a"}""")).GetRawText().ShouldBe(
            """{"type":"presence","id":2,"channel":"club:a","members":[{"userId":"alice","info":null},{"userId":"bob","info":null}],"count":2}""");

        bob.Cut();
        var left = await alice.ReceiveAsync();
        left.GetProperty("type").GetString().ShouldBe("presence_left");
        left.GetProperty("member").GetProperty("userId").GetString().ShouldBe("bob");
        left.TryGetProperty("position", out _).ShouldBeFalse();
    }

    [Fact]
    public async Task Where_presence_is_on_request_it_takes_the_field()
    {
        await using var alice = await TestSocket.ConnectAsync(_server, "alice");
        await alice.AskAsync("""{"type":"subscribe","id":1,"channel":"post:7","presence":true}""");
        await using var quiet = await TestSocket.ConnectAsync(_server, "quiet");
        await quiet.AskAsync("""{"type":"subscribe","id":1,"channel":"post:7"}""");
        await using var bob = await TestSocket.ConnectAsync(_server, "bob");
        await bob.AskAsync("""{"type":"subscribe","id":1,"channel":"post:7","presence":true}""");

        (await alice.ReceiveAsync()).GetProperty("member").GetProperty("userId").GetString().ShouldBe("bob");
        (await quiet.AskAsync("""{"type":"presence","id":2,"channel":"post:7"}""")).GetProperty("count").GetInt32().ShouldBe(2);
    }

    [Fact]
    public async Task Typing_is_told_to_the_others_with_the_senders_id_once_a_second()
    {
        await using var alice = await TestSocket.ConnectAsync(_server, "alice");
        var place = (await alice.AskAsync("""{"type":"subscribe","id":1,"channel":"post:7"}""")).GetProperty("position").GetString();
        await using var bob = await TestSocket.ConnectAsync(_server, "bob");
        await bob.AskAsync("""{"type":"subscribe","id":1,"channel":"post:7"}""");

        for (var id = 2; id < 5; id++)
            (await alice.AskAsync($$$"""{"type":"publish","id":{{{id}}},"channel":"post:7","event":"typing","data":{"userId":"mallory"}}""")).GetRawText()
                .ShouldBe($$$"""{"type":"published","id":{{{id}}}}""");
        await _server.PublishAsync("post:7", "post_liked", """{"likesCount":1}""");

        var typing = await bob.ReceiveAsync();
        typing.EnumerateObject().Select(static field => field.Name).ShouldBe(["type", "channel", "id", "timestamp", "userId", "until"]);
        typing.GetProperty("userId").GetString().ShouldBe("alice");
        (typing.GetProperty("until").GetDateTimeOffset() - typing.GetProperty("timestamp").GetDateTimeOffset()).ShouldBe(TimeSpan.FromSeconds(5), TimeSpan.FromSeconds(1));
        (await bob.ReceiveAsync()).GetProperty("type").GetString().ShouldBe("post_liked", "the second and the third were dropped");
        (await alice.ReceiveAsync()).GetProperty("type").GetString().ShouldBe("post_liked", "the sender is not told");

        await using var late = await TestSocket.ConnectAsync(_server, "late");
        await late.AskAsync($$"""{"type":"subscribe","id":1,"channel":"post:7","since":"{{place}}"}""");
        (await late.ReceiveAsync()).GetProperty("type").GetString().ShouldBe("post_liked", "it is in no replay");
    }

    [Fact]
    public async Task An_event_stream_makes_its_user_a_member_and_tells_of_the_others()
    {
        var (stream, _) = await EventStream.SubscribeAsync(_server, "club:a");
        using (stream)
        {
            await using var bob = await TestSocket.ConnectAsync(_server, "bob");
            await bob.AskAsync("""{"type":"subscribe","id":1,"channel":"club:a"}""");

            (await stream.ReadAsync("presence_joined")).Json.GetProperty("member").GetProperty("userId").GetString().ShouldBe("bob");
            (await bob.AskAsync("""{"type":"presence","id":2,"channel":"club:a"}""")).GetProperty("count").GetInt32().ShouldBe(2);
        }

        await using var carol = await TestSocket.ConnectAsync(_server, "carol");
        await carol.AskAsync("""{"type":"subscribe","id":1,"channel":"club:a"}""");
        JsonElement message;
        do message = await carol.ReceiveAsync();
        while (message.GetProperty("type").GetString() != "presence_left" || message.GetProperty("member").GetProperty("userId").GetString() != "42");
    }

    [Fact]
    public async Task A_move_to_another_network_is_no_arrival_and_no_departure()
    {
        await using var alice = await TestSocket.ConnectAsync(_server, "alice");
        await alice.AskAsync("""{"type":"subscribe","id":1,"channel":"club:a"}""");
        await using var bob = await TestSocket.ConnectAsync(_server, "bob");
        await bob.AskAsync("""{"type":"subscribe","id":1,"channel":"club:a"}""");
        (await alice.ReceiveAsync()).GetProperty("type").GetString().ShouldBe("presence_joined");

        await using var moved = await TestSocket.ConnectAsync(_server, "bob");
        await moved.AskAsync("""{"type":"subscribe","id":1,"channel":"club:a"}""");
        bob.Cut();
        await Eventually.IsTrueAsync(() => _server.Engine.ConnectionCount == 2, "the old connection is gone");
        await using var carol = await TestSocket.ConnectAsync(_server, "carol");
        await carol.AskAsync("""{"type":"subscribe","id":1,"channel":"club:a"}""");

        var next = await alice.ReceiveAsync();
        next.GetProperty("member").GetProperty("userId").GetString().ShouldBe("carol", "nothing was told of bob");
    }
}
