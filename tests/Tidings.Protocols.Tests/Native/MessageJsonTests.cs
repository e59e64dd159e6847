using System.Text;
using Shouldly;
using Tidings.Protocols.Native;
using Tidings.Protocols.Tests.Support;
using Tidings.Realtime.Channels;
using Tidings.Realtime.Connections;
using Tidings.Realtime.Publications;
using Xunit;

namespace Tidings.Protocols.Tests.Native;

public class MessageJsonTests
{
    private static readonly ChannelName Post = new("post", "7");
    private static readonly ChannelName Feed = new("feed", "42");
    private static readonly Position Place = new(77, 3);
    private static readonly DateTimeOffset Noon = new(2026, 3, 1, 14, 0, 0, 5, TimeSpan.FromHours(2));

    public static TheoryData<string, object, string> Messages => new()
    {
        {
            "connected", new ConnectedMessage("c1", "42", TimeSpan.FromSeconds(25), Noon),
            """{"type":"connected","connectionId":"c1","userId":"42","heartbeat":25,"expiresAt":"2026-03-01T12:00:00.005Z","protocol":"tidings.v1"}"""
        },
        {
            "connected, anonymous", new ConnectedMessage("c1", null, TimeSpan.FromSeconds(25), null),
            """{"type":"connected","connectionId":"c1","userId":null,"heartbeat":25,"expiresAt":null,"protocol":"tidings.v1"}"""
        },
        { "subscribed", new SubscribedMessage(1, Post, Place, true), $$"""{"type":"subscribed","id":1,"channel":"post:7","position":"{{Place}}","recovered":true}""" },
        { "subscribed without history", new SubscribedMessage(null, Post, Position.None, null), """{"type":"subscribed","channel":"post:7"}""" },
        { "unsubscribed", new UnsubscribedMessage(2, Post), """{"type":"unsubscribed","id":2,"channel":"post:7"}""" },
        {
            "unsubscribed by the server", new UnsubscribedMessage(null, Post, "access_revoked"),
            """{"type":"unsubscribed","channel":"post:7","reason":"access_revoked"}"""
        },
        { "published", new PublishedMessage(3), """{"type":"published","id":3}""" },
        {
            "presence", new PresenceMessage(4, Post, [new("42", "{\"a\":1}"u8.ToArray()), new("\"", default)], 20),
            """{"type":"presence","id":4,"channel":"post:7","members":[{"userId":"42","info":{"a":1}},{"userId":"\"","info":null}],"count":20}"""
        },
        {
            "history", new HistoryMessage(5, Post, [Event()], NoRights.Instance, Place, false),
            $$"""{"type":"history","id":5,"channel":"post:7","events":[{"type":"post_liked","channel":"post:7","position":"{{Place}}","id":"e1","timestamp":"2026-03-01T12:00:00.005Z","n":1}],"position":"{{Place}}","recovered":false}"""
        },
        {
            "history of a feed", new HistoryMessage(5, Feed, [Event()], NoRights.Instance, Place, null),
            $$"""{"type":"history","id":5,"channel":"feed:42","events":[{"type":"post_liked","channel":"feed:42","position":"{{new Position(9, 99)}}","id":"e1","timestamp":"2026-03-01T12:00:00.005Z","n":1}],"position":"{{Place}}"}"""
        },
        { "authenticated", new AuthenticatedMessage(6, Noon), """{"type":"authenticated","id":6,"expiresAt":"2026-03-01T12:00:00.005Z"}""" },
        { "pong", new PongMessage(7, Noon), """{"type":"pong","id":7,"serverTime":"2026-03-01T12:00:00.005Z"}""" },
        { "token expiring", new TokenExpiringMessage(Noon), """{"type":"token_expiring","expiresAt":"2026-03-01T12:00:00.005Z"}""" },
        {
            "error", new ErrorMessage(1, ErrorCode.NotSubscribed, "Not \"there\".", "post:7"),
            """{"type":"error","id":1,"code":"not_subscribed","message":"Not \"there\".","channel":"post:7"}"""
        },
        { "error without id", new ErrorMessage(null, ErrorCode.Internal, "é\n"), """{"type":"error","code":"internal","message":"é\n"}""" },
    };

    public static TheoryData<string, string, string, string> Events => new()
    {
        { "post:7", "anything", "{\"n\":1}", "\"n\":1" },
        { "post:7", "anything", " { \"n\" : 1 } ", "\"n\" : 1" },
        { "post:7", "anything", "{}", "" },
        { "post:7", "anything", "[1]", "\"data\":[1]" },
        { "room:a", "wave", "{\"n\":1}", "\"data\":{\"n\":1}" },
        { "room:a", "wave", "\"text\"", "\"data\":\"text\"" },
        { "room:a", "wave", "", "\"data\":null" },
        { "room:a", "post_created", "{\"post\":{}}", "\"post\":{}" },
    };

    [Theory]
    [MemberData(nameof(Messages))]
    public void A_message_has_the_fields_of_the_wire(string name, object message, string expected) =>
        Encoding.UTF8.GetString(MessageJson.Build((ServerMessage)message, Catalogs.Usual)).ShouldBe(expected, name);

    [Theory]
    [MemberData(nameof(Events))]
    public void An_event_is_flat_or_keeps_its_payload_under_data(string channel, string type, string payload, string fields)
    {
        Catalogs.Usual.Parse(channel, out var name);
        var publication = new Publication(
            new PublicationDraft { Channel = name!, Type = type, Id = "e1", Timestamp = Noon, Payload = Encoding.UTF8.GetBytes(payload) });

        Whole(publication).ShouldBe(
            $$"""{"type":"{{type}}","channel":"{{channel}}","id":"e1","timestamp":"2026-03-01T12:00:00.005Z"{{(fields.Length > 0 ? "," : "")}}{{fields}}}""");
    }

    [Fact]
    public void Names_and_ids_can_not_break_out_of_their_quotes() =>
        Whole(Event(type: "a\"b\n", id: "\\\"")).ShouldStartWith("""{"type":"a\"b\n","channel":"post:7","position":""");

    [Fact]
    public void The_full_form_has_the_full_payload()
    {
        var publication = new Publication(new PublicationDraft
        {
            Channel = Post,
            Type = "post_updated",
            Id = "e1",
            Timestamp = Noon,
            Payload = "{\"text\":null}"u8.ToArray(),
            FullPayload = "{\"text\":\"secret\"}"u8.ToArray(),
            FullNeeds = "tier",
        });

        Whole(publication).ShouldNotContain("secret");
        Encoding.UTF8.GetString(new EventPush(Catalogs.Usual, publication, PublicationForm.Full, new NativeFormat(Catalogs.Usual)).Whole.Span).ShouldContain("secret");
    }

    [Fact]
    public void A_page_of_history_has_the_form_that_its_reader_may_see()
    {
        var publication = new Publication(new PublicationDraft
        {
            Channel = Post,
            Type = "post_updated",
            Id = "e1",
            Timestamp = Noon,
            Payload = "{\"text\":null}"u8.ToArray(),
            FullPayload = "{\"text\":\"secret\"}"u8.ToArray(),
            FullNeeds = "tier",
        });

        Page(NoRights.Instance).ShouldNotContain("secret");
        Page(new Right("tier")).ShouldContain("secret");
        Page(new Right("another")).ShouldNotContain("secret");

        string Page(IReaderRights rights) =>
            Encoding.UTF8.GetString(MessageJson.Build(new HistoryMessage(1, Post, [publication], rights, Place, null), Catalogs.Usual));
    }

    [Theory]
    [InlineData(20)]
    [InlineData(500)]
    [InlineData(70_000)]
    public void The_parts_for_a_feed_make_one_frame(int size)
    {
        var publication = Event(payload: $$"""{"text":"{{new string('x', size)}}"}""");
        var parts = new EventPush(Catalogs.Usual, publication, PublicationForm.Open, new NativeFormat(Catalogs.Usual)).ForFeeds;

        var head = new byte[NativeFormat.FeedHeadLength(parts, Feed)];
        NativeFormat.WriteFeedHead(head, parts, Feed);
        byte[] frame = [.. head, .. parts.Tail.Span];

        var expected = Encoding.UTF8.GetString(Json(publication, Feed));
        frame.ShouldBe(Tidings.Protocols.WebSockets.FrameWriter.Text(Encoding.UTF8.GetBytes(expected)));
        expected.ShouldStartWith($$"""{"type":"post_liked","channel":"feed:42","position":"{{new Position(9, 99)}}",""");
    }

    private static Publication Event(string type = "post_liked", string id = "e1", string payload = "{\"n\":1}") => new(
        new PublicationDraft { Channel = Post, Type = type, Id = id, Timestamp = Noon, Payload = Encoding.UTF8.GetBytes(payload) }, Place, new Position(9, 99));

    private static string Whole(Publication publication) => Encoding.UTF8.GetString(Json(publication, null));

    private static byte[] Json(Publication publication, ChannelName? feed)
    {
        var bytes = new System.Buffers.ArrayBufferWriter<byte>();
        EventJson.Write(bytes, Catalogs.Usual, publication, PublicationForm.Open, feed);
        return bytes.WrittenSpan.ToArray();
    }

    private sealed class Right(string held) : IReaderRights
    {
        public bool Holds(string right) => right == held;
    }
}
