using System.Text.Json;
using Shouldly;
using Tidings.Protocols.Tests.Support;
using Tidings.Protocols.WebSockets;
using Tidings.Realtime;
using Tidings.Realtime.Channels;
using Xunit;

namespace Tidings.Protocols.Tests.Native;

public abstract class SessionTests(bool isEarly) : IAsyncLifetime
{
    private TestServer _server = null!;

    public static TheoryData<string, string> Answers => new()
    {
        { """{"type":"dance","id":1}""", """{"type":"error","id":1,"code":"unknown_type",""" },
        { """{"type":"subscribe","id":1,"channel":"what"}""", """{"type":"error","id":1,"code":"bad_request",""" },
        { """{"type":"subscribe","id":1,"channel":"nope:1"}""", """{"type":"error","id":1,"code":"unknown_channel",""" },
        { """{"type":"subscribe","id":1,"channel":"user:43"}""", """{"type":"error","id":1,"code":"forbidden",""" },
        { """{"type":"subscribe","id":1,"channel":"user_42"}""", """{"type":"subscribed","id":1,"channel":"user:42","position":""" },
        { """{"type":"subscribe","id":1,"channel":"live:a"}""", """{"type":"subscribed","id":1,"channel":"live:a"}""" },
        { """{"type":"subscribe","id":1,"channel":"room:a","since":"garbage"}""", """{"type":"subscribed","id":1,"channel":"room:a","position":""" },
        { """{"type":"unsubscribe","id":1,"channel":"room:a"}""", """{"type":"error","id":1,"code":"not_subscribed",""" },
        { """{"type":"publish","id":1,"channel":"user:42","event":"x"}""", """{"type":"error","id":1,"code":"forbidden",""" },
        { """{"type":"publish","id":1,"channel":"room:a","event":"post_created"}""", """{"type":"error","id":1,"code":"forbidden",""" },
        { """{"type":"publish","id":1,"channel":"room:a","event":"x"}""", """{"type":"error","id":1,"code":"not_subscribed",""" },
        { """{"type":"publish","id":1,"channel":"post:7","event":"typing"}""", """{"type":"error","id":1,"code":"not_subscribed",""" },
        { """{"type":"publish","id":1,"channel":"creator:7","event":"typing"}""", """{"type":"error","id":1,"code":"forbidden",""" },
        { """{"type":"subscribe","id":1,"channel":"creator:7","presence":true}""", """{"type":"error","id":1,"code":"forbidden",""" },
        { """{"type":"subscribe","id":1,"channel":"feed:42","presence":true}""", """{"type":"error","id":1,"code":"forbidden",""" },
        { """{"type":"subscribe","id":1,"channel":"creator:7","presence":false}""", """{"type":"subscribed","id":1,"channel":"creator:7",""" },
        { """{"type":"presence","id":1,"channel":"creator:7"}""", """{"type":"error","id":1,"code":"forbidden",""" },
        { """{"type":"presence","id":1,"channel":"club:a"}""", """{"type":"error","id":1,"code":"not_subscribed",""" },
        { """{"type":"auth","id":1,"token":"43"}""", """{"type":"error","id":1,"code":"forbidden",""" },
        { """{"type":"auth","id":1,"token":"42~60"}""", """{"type":"authenticated","id":1,"expiresAt":"20""" },
        { """{"type":"ping","id":1}""", """{"type":"pong","id":1,"serverTime":"20""" },
        { """{"type":"history","id":1,"channel":"room:a"}""", """{"type":"history","id":1,"channel":"room:a","events":[],"position":""" },
    };

    public async ValueTask InitializeAsync() => _server = await StartAsync();

    public ValueTask DisposeAsync()
    {
        GC.SuppressFinalize(this);
        return _server.DisposeAsync();
    }

    private Task<TestServer> StartAsync(
        RealtimeOptions? options = null, Action<NativeProtocolOptions>? configure = null, ChannelCatalog? catalog = null) =>
        TestServer.StartAsync(options, configure, catalog, isEarly: isEarly);

    [Theory]
    [MemberData(nameof(Answers))]
    public async Task A_message_has_its_answer(string message, string start)
    {
        await using var socket = await TestSocket.ConnectAsync(_server);

        await socket.SendAsync(message);

        (await socket.ReceiveTextAsync()).ShouldStartWith(start);
    }

    [Fact]
    public async Task Events_arrive_flat_or_under_data_with_rising_positions()
    {
        await using var socket = await TestSocket.ConnectAsync(_server);
        await socket.AskAsync("""{"type":"subscribe","id":1,"channel":"post:7"}""");
        await socket.AskAsync("""{"type":"subscribe","id":2,"channel":"room:a"}""");

        await _server.PublishAsync("post:7", "post_liked", """{"likesCount":3}""");
        await _server.PublishAsync("room:a", "wave", """{"n":1}""");

        var liked = await socket.ReceiveAsync();
        liked.EnumerateObject().Select(static field => field.Name).ShouldBe(["type", "channel", "position", "id", "timestamp", "likesCount"]);
        var waved = await socket.ReceiveAsync();
        waved.GetProperty("data").GetProperty("n").GetInt32().ShouldBe(1);
    }

    [Fact]
    public async Task A_feed_has_its_own_name_and_places_in_the_events_of_others()
    {
        await using var socket = await TestSocket.ConnectAsync(_server, "42", "&subscribe=own");
        var attached = new[] { await socket.ReceiveAsync(), await socket.ReceiveAsync(), await socket.ReceiveAsync() };
        attached.Select(static message => message.GetProperty("channel").GetString()).ShouldBe(["user:42", "notifications:42", "feed:42"]);
        attached.ShouldAllBe(static message => message.GetProperty("type").GetString() == "subscribed");

        await _server.PublishAsync("creator:of-42", "post_created", """{"post":{"id":"p1"}}""");
        await _server.PublishAsync("feed:42", "feed_update", """{"reason":"x"}""");

        var created = await socket.ReceiveAsync();
        created.GetProperty("channel").GetString().ShouldBe("feed:42");
        created.GetProperty("post").GetProperty("id").GetString().ShouldBe("p1");
        var updated = await socket.ReceiveAsync();
        updated.GetProperty("type").GetString().ShouldBe("feed_update");

        await using var again = await TestSocket.ConnectAsync(_server);
        var since = created.GetProperty("position").GetString();
        (await again.AskAsync($$"""{"type":"subscribe","id":1,"channel":"feed:42","since":"{{since}}"}""")).GetProperty("recovered").GetBoolean().ShouldBeTrue();
        (await again.ReceiveTextAsync()).ShouldBe(updated.GetRawText());
    }

    [Fact]
    public async Task A_client_publishes_to_the_others_and_resumes_where_it_was()
    {
        await using var first = await TestSocket.ConnectAsync(_server, "1");
        await using var second = await TestSocket.ConnectAsync(_server, "2");
        var position = (await first.AskAsync("""{"type":"subscribe","id":1,"channel":"room:a"}""")).GetProperty("position").GetString();
        await second.AskAsync("""{"type":"subscribe","id":1,"channel":"room:a"}""");

        (await first.AskAsync("""{"type":"publish","id":2,"channel":"room:a","event":"wave","data":{"n":1}}""")).GetRawText().ShouldBe("""{"type":"published","id":2}""");
        (await second.ReceiveAsync()).GetProperty("data").GetRawText().ShouldBe("""{"n":1}""");

        await using var again = await TestSocket.ConnectAsync(_server, "1");
        (await again.AskAsync($$"""{"type":"subscribe","id":1,"channel":"room:a","since":"{{position}}"}""")).GetProperty("recovered").GetBoolean().ShouldBeTrue();
        (await again.ReceiveAsync()).GetProperty("type").GetString().ShouldBe("wave");
    }

    [Fact]
    public async Task A_position_that_the_history_no_longer_reaches_is_told()
    {
        await using var socket = await TestSocket.ConnectAsync(_server);
        var position = (await socket.AskAsync("""{"type":"subscribe","id":1,"channel":"short:a"}""")).GetProperty("position").GetString();
        for (var index = 0; index < 5; index++) await _server.PublishAsync("short:a");

        await using var again = await TestSocket.ConnectAsync(_server);
        foreach (var since in (string[])[position!, "garbage", ""])
        {
            var answer = await again.AskAsync($$"""{"type":"subscribe","id":1,"channel":"short:a","since":"{{since}}"}""");
            answer.GetProperty("recovered").GetBoolean().ShouldBeFalse(since);
            await again.AskAsync("""{"type":"unsubscribe","id":2,"channel":"short:a"}""");
        }
    }

    [Fact]
    public async Task Pings_are_answered_with_their_payload_in_order_and_inside_a_message()
    {
        await using var socket = await TestSocket.ConnectAsync(_server);

        await socket.SendAsync(ClientFrames.First(FrameOpcode.Text, "{\"type\":"u8.ToArray()));
        await socket.SendAsync(ClientFrames.Ping("are you there"));
        var (opcode, payload) = await socket.ReadFrameAsync();
        await socket.SendAsync(ClientFrames.Last("\"ping\",\"id\":9}"u8.ToArray()));

        opcode.ShouldBe(FrameOpcode.Pong);
        payload.ShouldBe("are you there"u8.ToArray());
        (await socket.ReceiveAsync()).GetProperty("id").GetInt64().ShouldBe(9);
    }

    [Fact]
    public async Task Many_messages_in_one_write_are_answered_in_order()
    {
        await using var socket = await TestSocket.ConnectAsync(_server);

        await socket.SendAsync([.. Enumerable.Range(0, 80).SelectMany(static id => ClientFrames.Text($$"""{"type":"ping","id":{{id}}}"""))]);

        for (var id = 0; id < 80; id++) (await socket.ReceiveAsync()).GetProperty("id").GetInt64().ShouldBe(id);
    }

    [Fact]
    public async Task Bytes_may_come_one_at_a_time()
    {
        await using var socket = await TestSocket.ConnectAsync(_server);

        foreach (var one in ClientFrames.Text("""{"type":"ping","id":5}""")) await socket.SendAsync(one);

        (await socket.ReceiveAsync()).GetProperty("id").GetInt64().ShouldBe(5);
    }

    [Fact]
    public async Task A_message_of_more_than_64_KiB_goes_out_in_one_frame()
    {
        await using var socket = await TestSocket.ConnectAsync(_server);
        await socket.AskAsync("""{"type":"subscribe","id":1,"channel":"room:a"}""");

        await _server.PublishAsync("room:a", payload: $"\"{new string('x', 200_000)}\"");
        await _server.PublishAsync("room:a", payload: "\"small\"");

        (await socket.ReceiveAsync()).GetProperty("data").GetString()!.Length.ShouldBe(200_000);
        (await socket.ReceiveAsync()).GetProperty("data").GetString().ShouldBe("small");
    }

    [Fact]
    public async Task An_anonymous_client_reaches_public_channels_only_where_that_is_allowed()
    {
        await using var server = await StartAsync(configure: static options => options.AllowAnonymous = true);
        await using var socket = await TestSocket.RequestAsync(server, "/ws?subscribe=own");

        (await socket.ReceiveAsync()).GetProperty("userId").ValueKind.ShouldBe(JsonValueKind.Null);
        (await socket.AskAsync("""{"type":"subscribe","id":1,"channel":"open:a"}""")).GetProperty("type").GetString().ShouldBe("subscribed");
        (await socket.AskAsync("""{"type":"subscribe","id":2,"channel":"room:a"}""")).GetProperty("code").GetString().ShouldBe("forbidden");
        (await socket.AskAsync("""{"type":"auth","id":3,"token":"42"}""")).GetProperty("code").GetString().ShouldBe("forbidden");
    }

    [Fact]
    public async Task Everybody_gets_broadcasts_and_may_resume_them()
    {
        await using var server = await StartAsync(catalog: Catalogs.WithBroadcast);
        await using var socket = await TestSocket.ConnectAsync(server);
        var attached = await socket.ReceiveAsync();
        await server.PublishAsync("broadcast:all", "hello");
        (await socket.ReceiveAsync()).GetProperty("channel").GetString().ShouldBe("broadcast:all");

        await using var again = await TestSocket.ConnectAsync(server);
        await again.ReceiveAsync();
        var since = attached.GetProperty("position").GetString();
        (await again.AskAsync($$"""{"type":"subscribe","id":1,"channel":"broadcast:all","since":"{{since}}"}""")).GetProperty("recovered").GetBoolean().ShouldBeTrue();
        (await again.ReceiveAsync()).GetProperty("type").GetString().ShouldBe("hello");
    }
}

/// <summary>Over HTTP's upgrade.</summary>
public sealed class HttpSessionTests() : SessionTests(isEarly: false);

/// <summary>Recognised before HTTP.</summary>
public sealed class EarlySessionTests() : SessionTests(isEarly: true);
