using Shouldly;
using Tidings.Protocols.Tests.Support;
using Xunit;
using static Tidings.Protocols.Tests.Pusher.PusherClient;

namespace Tidings.Protocols.Tests.Pusher;

/// <summary>What clients may send that is wrong, with the exact answers. The connection survives each.</summary>
public sealed class PusherInputTests
{
    private const string Unsigned = "auth is missing or not of the form key:signature.";

    public static TheoryData<string, string> Malformed { get; } = new()
    {
        { "{", Error("The message is not JSON.") },
        { "{} {}", Error("The message is not JSON.") },
        { "", Error("The message is not JSON.") },
        { "[]", Error("The message is not an object.") },
        { "\"text\"", Error("The message is not an object.") },
        { "null", Error("The message is not an object.") },
        { "{}", Error("The message has no event.") },
        { """{"event":7}""", Error("The message has no event.") },
        { """{"event":"\ud800"}""", Error("The message is not JSON.") },
        { """{"event":"a","event":"b"}""", Error("A field stands there twice.") },
        { """{"event":"unknown"}""", Error("There is no such event for clients to send.") },
        { """{"event":"pusher:unknown"}""", Error("There is no such event for clients to send.") },
        { """{"event":"pusher:connection_established","data":{}}""", Error("There is no such event for clients to send.") },
        { """{"event":"pusher:subscribe"}""", Error("The message names no channel.") },
        { """{"event":"pusher:subscribe","data":[]}""", Error("The message names no channel.") },
        { """{"event":"pusher:subscribe","data":{"channel":7}}""", Error("The message names no channel.") },
        { """{"event":"pusher:subscribe","data":"not json"}""", Error("The message names no channel.") },
        { """{"event":"pusher:subscribe","data":{"channel":"a","channel":"b"}}""", Error("The message names no channel.") },
        { Subscription("", ""), Refused("", "InvalidChannel", "This is not the name of a channel.", 400) },
        { Subscription("a b", ""), Refused("a b", "InvalidChannel", "This is not the name of a channel.", 400) },
        { Subscription("#x", ""), Refused("#x", "InvalidChannel", "This is not the name of a channel.", 400) },
        { Subscription("open:7", ""), Refused("open:7", "InvalidChannel", "This is not the name of a channel.", 400) },
        { Subscription("private-feed-a=b", ""), Refused("private-feed-a=b", "InvalidChannel", "This is not the name of a channel.", 400) },
        { Subscription(new string('a', 201), ""), Error("This is not the name of a channel.") },
        { Subscription("private-a", null), Refused("private-a", "AuthError", Unsigned, 401) },
        { Subscription("private-a", "nothing"), Refused("private-a", "AuthError", Unsigned, 401) },
        { Subscription("private-a", "other:00"), Refused("private-a", "AuthError", "auth is signed with the key of another app.", 401) },
        { Subscription("private-a", "key:00"), Refused("private-a", "AuthError", "The signature is not of this connection and channel.", 401) },
        { Subscription("presence-a", "key:00", "{}"), Refused("presence-a", "AuthError", "The signature is not of this connection and channel.", 401) },
        { Subscription("#server-to-user-42", ""), Refused("#server-to-user-42", "AuthError", "You may not subscribe to this channel.", 403) },
        { """{"event":"pusher:unsubscribe","data":{"channel":"a"}}""", Error("No current subscription to channel a") },
        { """{"event":"pusher:signin","data":{}}""", Error("The sign-in needs auth and user_data.", "4009") },
        { """{"event":"pusher:signin","data":{"auth":"key:00","user_data":"{}"}}""", Error("The signature of the sign-in is not accepted.", "4009") },
        { """{"event":"client-","channel":"private-a"}""", Error("The name of a client event has 1 to 200 characters, of which the first are client-.") },
        { """{"event":"client-x"}""", Error("The client event names no channel.") },
        { """{"event":"client-x","channel":"public"}""", Error("Client events are for private and presence channels that are not encrypted.") },
        { """{"event":"client-x","channel":"private-encrypted-a"}""", Error("Client events are for private and presence channels that are not encrypted.") },
        { """{"event":"client-x","channel":"my-private-a"}""", Error("Client events are for private and presence channels that are not encrypted.") },
        { """{"event":"client-x","channel":"private-a","data":1}""", Error("Cannot send a client event to private-a: the connection is not subscribed to it.") },
    };

    [Fact]
    public async Task Each_mistake_has_its_answer_and_the_connection_goes_on()
    {
        await using var server = await StartServerAsync();
        foreach (var row in Malformed)
        {
            await using var client = await ConnectAsync(server);
            var (sent, answer) = row.Data;
            (await client.AskAsync(sent)).ShouldBe(answer, sent);
            (await client.AskAsync("""{"event":"pusher:ping","data":{}}""")).ShouldBe("""{"event":"pusher:pong","data":"{}"}""");
        }
    }

    [Theory]
    [InlineData("""{"event":"pusher:subscribe","data":{"channel":"my-channel","auth":""}}""")]
    [InlineData("""{"event":"pusher:subscribe","data":"{\"channel\":\"my-channel\"}"}""")]
    [InlineData("""{"data":{"more":1,"channel":"my-channel"},"extra":[{}],"event":"pusher:subscribe"}""")]
    public async Task A_subscription_may_be_spelled_in_several_ways(string text)
    {
        await using var server = await StartServerAsync();
        await using var client = await ConnectAsync(server);
        (await client.AskAsync(text)).ShouldBe(Succeeded("my-channel"));
    }

    [Theory]
    [InlineData("?protocol=7", "ok")]
    [InlineData("?protocol=6&client=x", "ok")]
    [InlineData("?version=1&protocol=5", "ok")]
    [InlineData("", "4008 The protocol version is missing")]
    [InlineData("?protocol=", "4008 The protocol version is missing")]
    [InlineData("?protocol=abc", "4006 The protocol version is not a number")]
    [InlineData("?protocol=8", "4007 The protocol version is not supported")]
    [InlineData("?protocol=4", "4007 The protocol version is not supported")]
    [InlineData("?protocol=7&token=invalid", "4009 Connection not authorized")]
    [InlineData("?protocol=7&token=expired", "4009 Connection not authorized")]
    public async Task The_handshake_is_judged_behind_the_upgrade(string query, string outcome)
    {
        foreach (var isEarly in (bool[])[false, true])
        {
            await using var server = await StartServerAsync(isEarly: isEarly);
            await using var socket = await TestSocket.RequestAsync(server, $"/app/key{query}");
            socket.Status.ShouldBe(101);
            var first = await socket.ReceiveTextAsync();
            if (outcome == "ok")
            {
                first.ShouldStartWith("{\"event\":\"pusher:connection_established\",\"data\":\"{\\\"socket_id\\\":\\\"");
                continue;
            }

            first.ShouldBe(Error(outcome[5..], outcome[..4]));
            (await socket.ReadCloseAsync()).ShouldBe(outcome);
        }
    }

    [Fact]
    public async Task An_unknown_key_is_told_with_a_code_of_which_clients_do_not_come_back()
    {
        await using var server = await StartServerAsync();
        await using var socket = await TestSocket.RequestAsync(server, "/app/another?protocol=7");
        (await socket.ReceiveTextAsync()).ShouldBe(Error("The app does not exist", "4001"));
        (await socket.ReadCloseAsync()).ShouldBe("4001 The app does not exist");
    }

    [Fact]
    public async Task A_subprotocol_is_named_only_to_who_asks_for_it()
    {
        await using var server = await StartServerAsync();
        await using var asking = await TestSocket.RequestAsync(
            server, "/app/key?protocol=7", new Dictionary<string, string> { ["Sec-WebSocket-Protocol"] = "pusher-channels-protocol-7" });
        asking.Head.ShouldContain("Sec-WebSocket-Protocol: pusher-channels-protocol-7");
        await using var silent = await TestSocket.RequestAsync(server, "/app/key?protocol=7");
        silent.Head.ShouldNotContain("Sec-WebSocket-Protocol");
    }

    [Fact]
    public async Task A_page_of_a_strange_origin_is_told_behind_the_upgrade()
    {
        await using var server = await StartServerAsync();
        await using var socket = await TestSocket.RequestAsync(server, "/app/key?protocol=7", new Dictionary<string, string> { ["Origin"] = "https://evil.example" });
        socket.Status.ShouldBe(101);
        (await socket.ReceiveTextAsync()).ShouldBe(Error("Connection not authorized", "4009"));
        (await socket.ReadCloseAsync()).ShouldBe("4009 Connection not authorized");
    }
}
