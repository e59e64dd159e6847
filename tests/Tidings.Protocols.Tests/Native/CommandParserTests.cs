using System.Text;
using Shouldly;
using Tidings.Protocols.Native;
using Tidings.Protocols.Tests.Support;
using Tidings.Realtime.Channels;
using Tidings.Realtime.Commands;
using Tidings.Realtime.Connections;
using Tidings.Realtime.Publications;
using Xunit;

namespace Tidings.Protocols.Tests.Native;

public class CommandParserTests
{
    private static readonly CommandParser Parser = new(Catalogs.Usual);
    private static readonly Position Place = new(77, 1234);

    public static TheoryData<string, object> Commands => new()
    {
        { """{"type":"subscribe","id":1,"channel":"post:7"}""", new SubscribeCommand(1, Channel("post", "7"), null, null, null) },
        {
            $$"""{"type":"subscribe","id":1,"channel":"post:7","since":"{{Place}}","presence":false,"token":"t"}""",
            new SubscribeCommand(1, Channel("post", "7"), Place, false, "t")
        },
        { """{"channel":"post:7","presence":true,"type":"subscribe"}""", new SubscribeCommand(null, Channel("post", "7"), null, true, null) },
        { """{"type":"subscribe","channel":"post_7"}""", new SubscribeCommand(null, Channel("post", "7"), null, null, null) },
        { """{"type":"subscribe","channel":"private-user-42"}""", new SubscribeCommand(null, Channel("user", "42"), null, null, null) },
        { """{"type":"subscribe","channel":"presence-room-a-b"}""", new SubscribeCommand(null, Channel("room", "a-b"), null, null, null) },
        { """{"type":"subscribe","channel":{"type":"post","postId":"7"}}""", new SubscribeCommand(null, Channel("post", "7"), null, null, null) },
        { """{"type":"subscribe","channel":{"userId":"42","x":[1],"type":"feed"}}""", new SubscribeCommand(null, Channel("feed", "42"), null, null, null) },
        { """{"type":"subscribe","channel":{"type":"creator","creatorId":"c"}}""", new SubscribeCommand(null, Channel("creator", "c"), null, null, null) },
        { """{"type":"subscribe","channel":{"type":"room","id":"r"}}""", new SubscribeCommand(null, Channel("room", "r"), null, null, null) },
        { """{"type":"subscribe","channel":"post:7","since":"what?"}""", new SubscribeCommand(null, Channel("post", "7"), CommandParser.Unrecoverable, null, null) },
        { """{"type":"subscribe","channel":"post:7","since":""}""", new SubscribeCommand(null, Channel("post", "7"), CommandParser.Unrecoverable, null, null) },
        { """{"type":"subscribe","channel":"post:7","since":null}""", new SubscribeCommand(null, Channel("post", "7"), null, null, null) },
        { """{"type":"unsubscribe","id":2,"channel":"post:7"}""", new UnsubscribeCommand(2, Channel("post", "7")) },
        { """{"type":"presence","id":4,"channel":"room:a"}""", new PresenceCommand(4, Channel("room", "a")) },
        { """{"type":"history","id":5,"channel":"room:a"}""", new HistoryCommand(5, Channel("room", "a"), null, 100) },
        { $$"""{"type":"history","id":5,"channel":"room:a","since":"{{Place}}","limit":7}""", new HistoryCommand(5, Channel("room", "a"), Place, 7) },
        { """{"type":"history","channel":"room:a","limit":99999}""", new HistoryCommand(null, Channel("room", "a"), null, 1000) },
        { """{"type":"auth","id":6,"token":"x.y.z"}""", new AuthenticateCommand(6, "x.y.z") },
        { """{"type":"ping","id":7}""", new PingCommand(7) },
        { """ { "unknown" : {"deep":[{}]} , "type" : "ping" } """, new PingCommand(null) },
        { """{"type":"\u0070ing","id":-9223372036854775808}""", new PingCommand(long.MinValue) },
        { """{"\u0074ype":"ping"}""", new PingCommand(null) },
    };

    public static TheoryData<string, string> Malformed => new()
    {
        { "", "not_json" },
        { "   ", "not_json" },
        { "hello", "not_json" },
        { "{", "not_json" },
        { """{"type":"ping"} x""", "not_json" },
        { """{"type":"ping"}{"type":"ping"}""", "not_json" },
        { """{"type":"ping",}""", "not_json" },
        { """{'type':'ping'}""", "not_json" },
        { """{"type":"ping"/**/}""", "not_json" },
        { """{"type":"ping","x":NaN}""", "not_json" },
        { "{\"type\":\"pi\nng\"}", "not_json" },
        { $$"""{"type":"ping","x":{{new string('[', 40)}}{{new string(']', 40)}}}""", "not_json" },
        { "[]", "not_an_object" },
        { """[{"type":"ping"}]""", "not_an_object" },
        { "\"ping\"", "not_an_object" },
        { "7", "not_an_object" },
        { "null", "not_an_object" },
        { "{}", "no_type" },
        { """{"type":7}""", "no_type" },
        { """{"type":null}""", "no_type" },
        { """{"Type":"ping"}""", "no_type" },
    };

    public static TheoryData<string, object, int?> Mistakes => new()
    {
        { """{"type":"dance","id":3}""", ErrorCode.UnknownType, 3 },
        { """{"type":""}""", ErrorCode.UnknownType, null },
        { """{"type":"PING","id":3}""", ErrorCode.UnknownType, 3 },
        { """{"type":"\ud800","id":3}""", ErrorCode.UnknownType, 3 },
        { """{"type":"ping","id":"1"}""", ErrorCode.BadRequest, null },
        { """{"type":"ping","id":1.5}""", ErrorCode.BadRequest, null },
        { """{"type":"ping","id":9223372036854775808}""", ErrorCode.BadRequest, null },
        { """{"type":"ping","id":null}""", ErrorCode.BadRequest, null },
        { """{"type":"ping","type":"ping","id":1}""", ErrorCode.BadRequest, 1 },
        { """{"type":"ping","id":1,"id":2}""", ErrorCode.BadRequest, 2 },
        { """{"type":"subscribe","id":1,"channel":"post:7","channel":"post:8"}""", ErrorCode.BadRequest, 1 },
        { """{"type":"subscribe","id":1}""", ErrorCode.BadRequest, 1 },
        { """{"type":"subscribe","id":1,"channel":7}""", ErrorCode.BadRequest, 1 },
        { """{"type":"subscribe","id":1,"channel":"post"}""", ErrorCode.BadRequest, 1 },
        { """{"type":"subscribe","id":1,"channel":"post:"}""", ErrorCode.BadRequest, 1 },
        { """{"type":"subscribe","id":1,"channel":"post:a b"}""", ErrorCode.BadRequest, 1 },
        { """{"type":"subscribe","id":1,"channel":"post:7:8"}""", ErrorCode.BadRequest, 1 },
        { """{"type":"subscribe","id":1,"channel":"post:\ud800"}""", ErrorCode.BadRequest, 1 },
        { """{"type":"subscribe","id":1,"channel":"nope:7"}""", ErrorCode.UnknownChannel, 1 },
        { """{"type":"subscribe","id":1,"channel":{"type":"nope","id":"7"}}""", ErrorCode.UnknownChannel, 1 },
        { """{"type":"subscribe","id":1,"channel":{"type":"post"}}""", ErrorCode.BadRequest, 1 },
        { """{"type":"subscribe","id":1,"channel":{"type":"post","postId":7}}""", ErrorCode.BadRequest, 1 },
        { """{"type":"subscribe","id":1,"channel":{"type":"post","id":"7","postId":"8"}}""", ErrorCode.BadRequest, 1 },
        { """{"type":"subscribe","id":1,"channel":{"type":"post","\ud800":"7"}}""", ErrorCode.BadRequest, 1 },
        { """{"type":"subscribe","id":1,"channel":"post:7","since":5}""", ErrorCode.BadRequest, 1 },
        { """{"type":"subscribe","id":1,"channel":"post:7","presence":"yes"}""", ErrorCode.BadRequest, 1 },
        { """{"type":"subscribe","id":1,"channel":"post:7","token":{}}""", ErrorCode.BadRequest, 1 },
        { """{"type":"publish","id":1,"channel":"room:a"}""", ErrorCode.BadRequest, 1 },
        { """{"type":"publish","id":1,"channel":"room:a","event":""}""", ErrorCode.BadRequest, 1 },
        { """{"type":"publish","id":1,"channel":"room:a","event":"a\nb"}""", ErrorCode.BadRequest, 1 },
        { """{"type":"history","id":1,"channel":"room:a","limit":0}""", ErrorCode.BadRequest, 1 },
        { """{"type":"history","id":1,"channel":"room:a","limit":"9"}""", ErrorCode.BadRequest, 1 },
        { """{"type":"auth","id":1}""", ErrorCode.BadRequest, 1 },
    };

    [Theory]
    [MemberData(nameof(Commands))]
    public void A_message_becomes_a_command(string text, object expected)
    {
        var parsed = Parse(text);

        parsed.Error.ShouldBeNull();
        parsed.Malformed.ShouldBeNull();
        parsed.Command.ShouldBe(expected);
    }

    [Theory]
    [MemberData(nameof(Malformed))]
    public void What_is_no_message_at_all_is_named(string text, string reason) => Parse(text).ShouldBe(new ParsedCommand(null, Malformed: reason));

    [Theory]
    [MemberData(nameof(Mistakes))]
    public void A_mistake_is_answered_with_its_code(string text, object code, int? id)
    {
        var error = Parse(text).Error.ShouldNotBeNull();

        ((object)error.Code).ShouldBe(code);
        error.Id.ShouldBe(id);
    }

    [Theory]
    [InlineData("""{"a":[1,"x"]}""", """{"a":[1,"x"]}""")]
    [InlineData("{\n \"a\":\r\n 1}", "{ \"a\": 1}")]
    [InlineData("\"a\\nb\"", "\"a\\nb\"")]
    [InlineData("7", "7")]
    public void Published_data_is_kept_as_it_is_on_one_line(string data, string expected)
    {
        var command = Parse($$"""{"type":"publish","id":3,"channel":"room:a","event":"wave","data":{{data}}}""").Command.ShouldBeOfType<PublishCommand>();

        command.Event.ShouldBe("wave");
        Encoding.UTF8.GetString(command.Data.Span).ShouldBe(expected);
    }

    [Fact]
    public void Publishing_without_data_publishes_an_empty_object() =>
        Encoding.UTF8.GetString(Parse("""{"type":"publish","channel":"room:a","event":"wave"}""").Command.ShouldBeOfType<PublishCommand>().Data.Span).ShouldBe("{}");

    [Fact]
    public void A_very_long_channel_is_not_repeated() =>
        Parse($$"""{"type":"subscribe","id":1,"channel":"post:{{new string('x', 5000)}}"}""").Error.ShouldNotBeNull().Channel.ShouldBeNull();

    private static ParsedCommand Parse(string text) => Parser.Parse(Encoding.UTF8.GetBytes(text));

    private static ChannelName Channel(string kind, string id) => new(kind, id);
}
