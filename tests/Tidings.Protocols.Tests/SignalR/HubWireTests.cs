using System.Text.RegularExpressions;
using Shouldly;
using Tidings.Protocols.Tests.Support;
using Tidings.Realtime;
using Xunit;

namespace Tidings.Protocols.Tests.SignalR;

/// <summary>SignalR's JSON protocol byte for byte, on a real server.</summary>
public sealed partial class HubWireTests
{
    [Theory]
    [InlineData("", "bad_request: The handshake is not a JSON object.")]
    [InlineData("hello", "bad_request: The handshake is not a JSON object.")]
    [InlineData("[]", "bad_request: The handshake is not a JSON object.")]
    [InlineData("{}", "bad_request: The handshake names no protocol and version.")]
    [InlineData("""{"protocol":"json"}""", "bad_request: The handshake names no protocol and version.")]
    [InlineData("""{"protocol":1,"version":1}""", "bad_request: The handshake names no protocol and version.")]
    [InlineData("""{"protocol":"json","version":"1"}""", "bad_request: The handshake names no protocol and version.")]
    [InlineData("""{"protocol":"xml","version":1}""", "bad_request: This server speaks the protocols json and messagepack.")]
    [InlineData("""{"protocol":"json","version":7}""", "bad_request: This server speaks version 1.")]
    public async Task A_handshake_that_is_not_one_is_answered_with_what_is_wrong(string handshake, string error)
    {
        await using var server = await TestServer.StartAsync();
        await using var hub = await HubSocket.OpenAsync(server);
        (await hub.AskAsync(handshake)).ShouldBe($$"""{"error":"{{error}}"}""");
        (await hub.ReceiveAsync()).ShouldBeNull();
    }

    [Theory]
    [InlineData("", "4400 not_json")]
    [InlineData("{", "4400 not_json")]
    [InlineData("""{"type":6}{""", "4400 not_json")]
    [InlineData("[]", "4400 not_an_object")]
    [InlineData("7", "4400 not_an_object")]
    [InlineData("{}", "4400 no_type")]
    [InlineData("""{"type":"1"}""", "4400 no_type")]
    [InlineData("""{"type":1.5}""", "4400 no_type")]
    [InlineData("""{"type":0}""", "4400 bad_type")]
    [InlineData("""{"type":99}""", "4400 bad_type")]
    [InlineData("""{"type":1}""", "4400 bad_invocation")]
    [InlineData("""{"type":1,"target":"Subscribe"}""", "4400 bad_invocation")]
    [InlineData("""{"type":1,"target":7,"arguments":[]}""", "4400 bad_invocation")]
    [InlineData("""{"type":1,"target":"Subscribe","arguments":{}}""", "4400 bad_invocation")]
    [InlineData("""{"type":1,"target":"Subscribe","invocationId":1,"arguments":[]}""", "4400 bad_invocation")]
    [InlineData("""{"type":1,"target":"Subscribe","invocationId":"","arguments":[]}""", "4400 bad_invocation")]
    [InlineData("""{"type":1,"target":"Subscribe","invocationId":"\ud800","arguments":[]}""", "4400 not_json")]
    [InlineData("""{"type":1,"target":"Subscribe","invocationId":"1","arguments":[1,2,3,4,5,6,7,8,9]}""", "4400 bad_invocation")]
    [InlineData("""{"type":4,"target":"Subscribe","arguments":["room:1"]}""", "4400 bad_invocation")]
    public async Task What_cannot_be_understood_ends_the_connection_with_a_reason(string record, string reason)
    {
        await using var server = await TestServer.StartAsync();
        await using var hub = await HubSocket.ConnectAsync(server);
        (await hub.AskAsync(record)).ShouldBe($$"""{"type":7,"error":"{{reason}}"}""");
        (await hub.ReceiveAsync()).ShouldBeNull();
        await Eventually.IsTrueAsync(() => server.Engine.ConnectionCount == 0, "it is gone");
    }

    [Theory]
    [InlineData("Nothing", "", "unknown_type: There is no such hub method.")]
    [InlineData("Subscribe", "", "bad_request: channel is not the name of a channel.")]
    [InlineData("Subscribe", "null", "bad_request: channel is not the name of a channel.")]
    [InlineData("Subscribe", "7", "bad_request: channel is not the name of a channel.")]
    [InlineData("Subscribe", "\"nothing:1\"", "unknown_channel: There is no such kind of channel.")]
    [InlineData("Subscribe", "\"user:7\"", "forbidden: You may not subscribe to this channel.")]
    [InlineData("Subscribe", "\"room:1\",5", "bad_request: since must be a string.")]
    [InlineData("Subscribe", "\"room:1\",null,\"yes\"", "bad_request: presence must be true or false.")]
    [InlineData("Subscribe", "\"room:1\",null,null,null,null", "bad_request: This method takes at most 4 arguments: channel, since, presence, token.")]
    [InlineData("Unsubscribe", "\"room:1\"", "not_subscribed: There is no such subscription.")]
    [InlineData("Publish", "\"room:1\"", "bad_request: event must be a name of 1 to 200 characters.")]
    [InlineData("Publish", "\"room:1\",\"said\",{}", "not_subscribed: Subscribe to the channel before publishing to it.")]
    [InlineData("Publish", "\"user:42\",\"said\",{}", "forbidden: Clients may not publish this event to this channel.")]
    [InlineData("Presence", "\"club:1\"", "not_subscribed: Subscribe to the channel to see who is in it.")]
    [InlineData("History", "\"user:7\"", "forbidden: There is no history of this channel for you.")]
    [InlineData("History", "\"room:1\",null,0", "bad_request: limit must be a positive integer.")]
    [InlineData("Authenticate", "", "bad_request: token must be a string.")]
    public async Task A_call_that_fails_is_completed_with_our_code(string target, string arguments, string error)
    {
        await using var server = await TestServer.StartAsync();
        await using var hub = await HubSocket.ConnectAsync(server);
        (await hub.CallAsync(target, arguments)).ShouldBe($$"""{"type":3,"invocationId":"call","error":"{{error}}"}""");
        (await hub.CallAsync("subscribe", "{\"type\":\"room\",\"id\":\"1\"}")).ShouldStartWith("""{"type":3,"invocationId":"call","result":{"channel":"room:1","position":""");
    }

    [Fact]
    public async Task A_streaming_call_and_a_call_without_an_answer_are_told_what_is_wrong()
    {
        await using var server = await TestServer.StartAsync();
        await using var hub = await HubSocket.ConnectAsync(server);
        (await hub.AskAsync("""{"type":4,"invocationId":"s","target":"Subscribe","arguments":["room:1"]}"""))
            .ShouldBe("""{"type":3,"invocationId":"s","error":"bad_request: This method does not stream: invoke it."}""");
        (await hub.AskAsync("""{"type":1,"target":"Subscribe","arguments":["user:7"]}""")).ShouldBe(
            """{"type":1,"target":"receive","arguments":[{"type":"error","code":"forbidden","message":"You may not subscribe to this channel.","channel":"user:7"}]}""");
    }

    [Fact]
    public async Task An_event_comes_as_receive_and_under_its_own_name()
    {
        await using var server = await TestServer.StartAsync();
        await using var hub = await HubSocket.ConnectAsync(server, "access_token=42");
        await hub.CallAsync("Subscribe", "\"post:1\"");
        await hub.CallAsync("Subscribe", "\"room:1\"");

        await server.PublishAsync("post:1", "post_liked", """{"likesCount":2}""");
        Stable(await hub.ReceiveAsync()).ShouldBe("""{"type":1,"target":"receive","arguments":[{"type":"post_liked","channel":"post:1","position":"P","id":"1","timestamp":"T","likesCount":2}]}""");
        Stable(await hub.ReceiveAsync()).ShouldBe("""{"type":1,"target":"post_liked","arguments":[{"type":"post_liked","channel":"post:1","position":"P","id":"1","timestamp":"T","likesCount":2}]}""");

        await server.PublishAsync("room:1", "said", "[\"hello\"]");
        Stable(await hub.ReceiveAsync()).ShouldBe("""{"type":1,"target":"receive","arguments":[{"type":"said","channel":"room:1","position":"P","id":"2","timestamp":"T","data":["hello"]}]}""");
        Stable(await hub.ReceiveAsync()).ShouldBe("""{"type":1,"target":"said","arguments":[["hello"]]}""");
    }

    [Theory]
    [InlineData("receive", "receive")]
    [InlineData("named", "post_created")]
    public async Task A_client_may_choose_one_of_the_two(string wish, string target)
    {
        await using var server = await TestServer.StartAsync();
        await using var hub = await HubSocket.ConnectAsync(server, $"access_token=42&events={wish}");
        await server.PublishAsync("creator:of-42", "post_created", """{"post":{}}""");
        await server.PublishAsync("creator:of-42", "post_created", """{"post":{}}""");
        foreach (var id in (string[])["1", "2"])
            Stable(await hub.ReceiveAsync()).ShouldBe($$$"""{"type":1,"target":"{{{target}}}","arguments":[{"type":"post_created","channel":"feed:42","position":"P","id":"{{{id}}}","timestamp":"T","post":{}}]}""");
    }

    [Fact]
    public async Task The_answer_to_a_subscription_comes_before_what_was_missed()
    {
        await using var server = await TestServer.StartAsync();
        var first = await server.PublishAsync("room:1");
        await server.PublishAsync("room:1");
        await server.PublishAsync("room:1");
        await using var hub = await HubSocket.ConnectAsync(server);

        var answer = await hub.AskAsync($$"""{"type":1,"invocationId":"0","target":"Subscribe","arguments":["room:1","{{first.Position}}"]}""");
        Stable(answer).ShouldBe("""{"type":3,"invocationId":"0","result":{"channel":"room:1","position":"P","recovered":true}}""");
        (await hub.ReceiveEventAsync()).GetProperty("id").GetString().ShouldBe("2");
        (await hub.ReceiveEventAsync()).GetProperty("id").GetString().ShouldBe("3");
    }

    [Fact]
    public async Task A_message_over_the_limit_ends_the_connection()
    {
        await using var server = await TestServer.StartAsync(new RealtimeOptions { MessageBytes = 1_000 });
        await using var hub = await HubSocket.ConnectAsync(server);
        (await hub.CallAsync("Publish", $"\"room:1\",\"said\",\"{new string('x', 800)}\"")).ShouldContain("not_subscribed");
        (await hub.AskAsync(new string('x', 1_001))).ShouldBe("""{"type":7,"error":"1009 too_big"}""");

        await using var another = await HubSocket.ConnectAsync(server);
        await another.SendRawAsync(new string('x', 2_000)); // no end of a record in sight
        (await another.ReceiveAsync()).ShouldBe("""{"type":7,"error":"1009 too_big"}""");
    }

    private static string? Stable(string? record) =>
        record is null ? null : Timestamp().Replace(Position().Replace(record, "\"position\":\"P\""), "\"timestamp\":\"T\"");

    [GeneratedRegex("\"position\":\"[^\"]+\"")]
    private static partial Regex Position();

    [GeneratedRegex("\"timestamp\":\"[^\"]+\"")]
    private static partial Regex Timestamp();
}
