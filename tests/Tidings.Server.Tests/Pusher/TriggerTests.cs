using System.Text;
using System.Text.Json;
using Shouldly;
using Tidings.Realtime.Channels;
using Tidings.Server.Features.Pusher;
using Xunit;

namespace Tidings.Server.Tests.Pusher;

/// <summary>What an event of the HTTP API may be, and what becomes of its data.</summary>
public sealed class TriggerTests
{
    private static readonly ChannelCatalog Catalog = new(
        new Dictionary<string, ChannelRules>
        {
            ["post"] = new() { FlatEvents = true },
            ["room"] = new() { Access = AccessRule.SignedIn },
        },
        ["post_created"]);

    public static TheoryData<string, int, string> Wrong { get; } = new()
    {
        { "[]", 400, "An event must be an object." },
        { """{"data":"x","channel":"a"}""", 400, "name must have 1 to 200 characters." },
        { """{"name":7,"data":"x","channel":"a"}""", 400, "name must have 1 to 200 characters." },
        { $$"""{"name":"{{new string('n', 201)}}","data":"x","channel":"a"}""", 400, "name must have 1 to 200 characters." },
        { """{"name":"a\nb","data":"x","channel":"a"}""", 400, "name must have 1 to 200 characters." },
        { """{"name":"pusher:x","data":"x","channel":"a"}""", 400, "Names that begin with pusher: or pusher_internal: are the protocol's own." },
        { """{"name":"pusher_internal:x","data":"x","channel":"a"}""", 400, "Names that begin with pusher: or pusher_internal: are the protocol's own." },
        { """{"name":"n","channel":"a"}""", 400, "data must be a string." },
        { """{"name":"n","data":null,"channel":"a"}""", 400, "data must be a string." },
        { $$"""{"name":"n","data":"{{new string('x', 10_241)}}","channel":"a"}""", 413, "data may have at most 10240 bytes." },
        { $$"""{"name":"n","data":"{{new string('é', 5_121)}}","channel":"a"}""", 413, "data may have at most 10240 bytes." },
        { """{"name":"n","data":"x"}""", 400, "channels must be an array of names, or channel one." },
        { """{"name":"n","data":"x","channels":[]}""", 400, "channels must be an array of names, or channel one." },
        { """{"name":"n","data":"x","channels":["a",7]}""", 400, "channels must be an array of names, or channel one." },
        { """{"name":"n","data":"x","channels":"a"}""", 400, "channels must be an array of names, or channel one." },
        { """{"name":"n","data":"x","channel":"a b"}""", 400, "'a b' is not the name of a channel." },
        { """{"name":"n","data":"x","channel":"post:7"}""", 400, "'post:7' is not the name of a channel." },
        { """{"name":"n","data":"x","channels":["private-encrypted-a","b"]}""", 400, "An encrypted event may go to one channel only." },
        { """{"name":"n","data":"x","channel":"a","socket_id":"me"}""", 400, "socket_id is not the id of a connection." },
        { """{"name":"n","data":"x","channel":"a","socket_id":7}""", 400, "socket_id is not the id of a connection." },
        { """{"name":"n","data":"[1]","channel":"private-post-7"}""", 400, "The data of an event on 'private-post-7' must be an object: its fields stand beside our own." },
    };

    [Theory]
    [MemberData(nameof(Wrong))]
    public void Whatever_is_wrong_has_its_answer(string json, int status, string message) => Read(json, out _).ShouldBe(new Trigger.Mistake(status, message));

    [Theory]
    [InlineData(100, true)]
    [InlineData(101, false)]
    public void An_event_goes_to_at_most_a_hundred_channels(int count, bool isGood)
    {
        var channels = string.Join(',', Enumerable.Range(0, count).Select(static number => $"\"c{number}\""));
        (Read($$"""{"name":"n","data":"x","channels":[{{channels}}]}""", out _) is null).ShouldBe(isGood);
    }

    [Theory]
    [InlineData("my-channel", "{\"a\": 1}", "{\"a\": 1}")]          // JSON stays as it is, to the byte
    [InlineData("my-channel", "[1]", "[1]")]
    [InlineData("my-channel", "12345678901234567890", "12345678901234567890")]
    [InlineData("my-channel", "plain é", "\"plain é\"")]
    [InlineData("my-channel", "", "\"\"")]
    [InlineData("my-channel", "\"quoted\"", "\"\\\"quoted\\\"\"")]
    [InlineData("my-channel", "{\n}", "\"{\\n}\"")]                  // a payload has one line
    [InlineData("my-channel", " {}", "\" {}\"")]
    [InlineData("private-room-1", "{\"a\":1}", "{\"a\":1}")]
    [InlineData("private-post-7", "{\"id\":\"forged\",\"a\":1}", "{\"a\":1}")]
    public void Data_is_kept_so_that_every_client_gets_what_was_given(string channel, string data, string payload)
    {
        Read(JsonSerializer.Serialize(new { name = "n", data, channel }), out var trigger).ShouldBeNull();
        Encoding.UTF8.GetString(trigger!.Publications.Single().Payload.Span).ShouldBe(payload);
    }

    [Fact]
    public void A_channel_is_published_to_once_and_a_connection_left_out_everywhere()
    {
        Read("""{"name":"n","data":{"as":"object"},"channels":["a","a","#server-to-user-b c"],"socket_id":"1.2","info":"user_count, subscription_count"}""", out var trigger).ShouldBeNull();
        trigger!.Publications.Select(draft => (draft.Channel.Value, draft.ExcludedConnectionId, Encoding.UTF8.GetString(draft.Payload.Span)))
            .ShouldBe([("a", "1.2", """{"as":"object"}"""), ("#server-to-user-b%20c", "1.2", """{"as":"object"}""")]);
        trigger.Info.Order().ShouldBe(["subscription_count", "user_count"]);
    }

    private static Trigger.Mistake? Read(string json, out Trigger? trigger)
    {
        using var document = JsonDocument.Parse(json);
        return Trigger.TryRead(document.RootElement, Catalog, DateTimeOffset.UnixEpoch, 0, out trigger);
    }
}
