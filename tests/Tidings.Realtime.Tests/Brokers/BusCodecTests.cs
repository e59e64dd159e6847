using System.Buffers;
using System.Text;
using Tidings.Realtime.Brokers;
using Tidings.Realtime.Channels;
using Tidings.Realtime.Connections;
using Tidings.Realtime.Publications;

namespace Tidings.Realtime.Tests.Brokers;

public sealed class BusCodecTests
{
    private static readonly DateTimeOffset Noon = new(2026, 5, 1, 12, 0, 0, 250, TimeSpan.Zero);
    private static readonly ChannelName Post = new("post", "17");
    private static readonly ChannelName Feed = new("feed", "42");

    /// <summary>One of each thing that version 1 knows. What it has must not change: old nodes read it.</summary>
    private static BusMessage Everything { get; } = new(
        "node-A_1",
        300,
        [
            new Publication(Draft("logged") with { Effect = new ChannelEffect(ChannelEffectKind.Attach, Feed) }, new Position(7, 1), new Position(ulong.MaxValue, long.MaxValue)),
            new Publication(Draft("locked") with { FullPayload = "{\"text\":\"all\"}"u8.ToArray(), FullNeeds = "tier:1" }, new Position(7, 2), new Position(9, 0), 12),
            new Publication(Draft("closing") with { Effect = new ChannelEffect(ChannelEffectKind.Close) }, new Position(7, 3), new Position(9, 13)),
            new Publication(Draft("kept")) { Stream = new StreamPlace(8, 130, TimeSpan.FromMilliseconds(1_500)) },
            new Publication(Draft("passing") with { ExcludedConnectionId = "c1", IsForMembers = true }),
        ],
        [
            new DisconnectUser("42", "s.1", CloseReason.InvalidToken, null),
            new DisconnectUser("42", null, CloseReason.Disconnected, Noon),
            new RevokeChannel(Post, "42", Noon),
            new RevokeChannel(Post, null, Noon),
            new RereadMember("42"),
            new StreamHeads([new StreamHead(Post, 8, 130, TimeSpan.FromSeconds(2)), new StreamHead(Feed, 9, 1, TimeSpan.Zero)]),
            new AskForHeads(),
            new NewInLog(Post, new Position(7, 3)),
        ]);

    private static string GoldenFile => Path.Combine(AppContext.BaseDirectory, "Brokers", "bus-message.v1.base64");

    [Fact]
    public void What_was_written_is_read() => Describe(Read(Write(Everything))).ShouldBe(Describe(Everything));

    [Fact]
    public void Bytes_of_version_1_are_read_and_written_as_ever()
    {
        var golden = Convert.FromBase64String(File.ReadAllText(GoldenFile).Trim());
        Describe(Read(golden)).ShouldBe(Describe(Everything));
        Convert.ToBase64String(Write(Everything)).ShouldBe(Convert.ToBase64String(golden));
    }

    [Theory]
    [InlineData("orders=a@b,c.d;e")]
    [InlineData("#server-to-user-a%20b")]
    public void Names_of_Pushers_travel_as_ours_do(string name)
    {
        ChannelName.TryParse(name, out var channel).ShouldBeTrue();
        var message = Everything with { Publications = [new Publication(Draft("passing") with { Channel = channel! })], Control = [new RevokeChannel(channel!, "a b é", Noon)] };
        Describe(Read(Write(message))).ShouldBe(Describe(message));
    }

    [Fact]
    public void A_user_may_have_any_id_of_the_host_apps_sign_in()
    {
        var message = Everything with { Publications = [], Control = [new DisconnectUser("a b/é", null, CloseReason.Disconnected, null), new RereadMember("🦊")] };
        Describe(Read(Write(message))).ShouldBe(Describe(message));
    }

    [Fact]
    public void A_kind_that_a_newer_node_knows_is_passed_over_and_counted()
    {
        byte[] newer = [.. Write(Everything), 0x90, 0x03, 3, 1, 2, 3, .. Write(Everything)[Head..]]; // kind 400, three bytes
        var message = Read(newer);
        message.Skipped.ShouldBe(1);
        message.Publications.Count.ShouldBe(10);
    }

    [Fact]
    public void Fields_that_a_newer_node_adds_at_the_end_are_passed_over()
    {
        var reread = Write(new BusMessage("n", 1, [], [new RereadMember("42")]));
        byte[] newer = [.. reread[..^4], (byte)(reread[^4] + 2), .. reread[^3..], 9, 9];
        Read(newer).Control.ShouldBe([new RereadMember("42")]);
    }

    [Fact]
    public void An_effect_that_a_newer_node_knows_leaves_its_publication_to_the_log()
    {
        var unknown = new Publication(Draft("new") with { Effect = new ChannelEffect((ChannelEffectKind)9, Feed) }, new Position(7, 1), new Position(9, 1));
        var message = Read(Write(new BusMessage("n", 1, [unknown, Everything.Publications[1]], [])));
        message.Skipped.ShouldBe(1);
        message.Publications.Single().Draft.Id.ShouldBe("locked");
    }

    [Fact]
    public void Another_version_is_not_read()
    {
        var bytes = Write(Everything);
        bytes[2] = 2;
        BusCodec.Decode(bytes, out _).ShouldBe(BusVerdict.OtherVersion);
    }

    [Fact]
    public void A_message_that_was_cut_anywhere_has_no_more_than_its_whole_parts()
    {
        var bytes = Write(Everything);
        for (var length = 0; length < bytes.Length; length++)
        {
            if (BusCodec.Decode(bytes.AsSpan(0, length), out var message) != BusVerdict.Message) continue;
            var parts = message!.Publications.Count + message.Control.Count;
            parts.ShouldBeLessThan(13);
            Describe(message).ShouldBe(Describe(Everything with
            {
                Publications = [.. Everything.Publications.Take(message.Publications.Count)],
                Control = [.. Everything.Control.Take(message.Control.Count)],
            }));
        }
    }

    [Theory]
    [InlineData("post:17", "{\"a\":\n1}", "two lines")]
    [InlineData("post:17", "{\"a\":1", "no JSON")]
    [InlineData("post 17", "{}", "no channel")]
    [InlineData("post:", "{}", "no id")]
    [InlineData("Post:17", "{}", "no kind")]
    public void What_could_not_have_been_published_is_refused(string channel, string payload, string why)
    {
        var part = new ArrayBufferWriter<byte>();
        part.WriteByte(0);
        part.WriteText(channel);
        part.WriteText("said");
        part.WriteText("id");
        part.WriteMoment(Noon);
        part.WriteBytes(Encoding.UTF8.GetBytes(payload));
        BusCodec.Decode(With(part), out _).ShouldBe(BusVerdict.Malformed, why);
    }

    [Fact]
    public void A_publication_is_in_the_log_or_in_a_stream_not_in_both()
    {
        var both = new Publication(Draft("both"), new Position(7, 2), new Position(9, 1)) { Stream = new StreamPlace(8, 1, TimeSpan.Zero) };
        var unnumbered = new Publication(Draft("unnumbered")) { Stream = new StreamPlace(8, 0, TimeSpan.Zero) };
        var ofNobody = new Publication(Draft("of nobody")) { Stream = new StreamPlace(0, 1, TimeSpan.Zero) };
        foreach (var wrong in new[] { both, unnumbered, ofNobody })
            BusCodec.Decode(Write(new BusMessage("n", 1, [wrong], [])), out _).ShouldBe(BusVerdict.Malformed, wrong.Draft.Id);
    }

    [Fact]
    public void A_place_that_one_node_gave_in_memory_stays_on_that_node()
    {
        var kept = new Publication(Draft("kept"), new Position(7, 2)) { Stream = new StreamPlace(8, 1, TimeSpan.Zero) };
        Read(Write(new BusMessage("n", 1, [kept], []))).Publications.Single().Position.ShouldBe(Position.None);
    }

    private static int Head => Write(new BusMessage(Everything.Node, Everything.Number, [], [])).Length;

    private static byte[] With(ArrayBufferWriter<byte> part)
    {
        var into = new ArrayBufferWriter<byte>();
        BusCodec.Encode(new BusMessage("n", 1, [], []), into);
        into.WriteNumber(1);
        into.WriteBytes(part.WrittenSpan);
        return into.WrittenSpan.ToArray();
    }

    private static PublicationDraft Draft(string id) => new()
    {
        Channel = Post,
        Type = "said",
        Id = id,
        Timestamp = Noon,
        Payload = "{\"text\":\"Grüße\"}"u8.ToArray(),
    };

    private static byte[] Write(BusMessage message)
    {
        var into = new ArrayBufferWriter<byte>();
        BusCodec.Encode(message, into);
        return into.WrittenSpan.ToArray();
    }

    private static BusMessage Read(byte[] bytes)
    {
        BusCodec.Decode(bytes, out var message).ShouldBe(BusVerdict.Message);
        return message!;
    }

    /// <summary>Everything that is in it, as text.</summary>
    private static string Describe(BusMessage message)
    {
        var text = new StringBuilder($"{message.Node} {message.Number}\n");
        foreach (var publication in message.Publications)
        {
            var draft = publication.Draft;
            text.AppendLine(
                $"{draft.Channel} {draft.Type} {draft.Id} {draft.Timestamp:O} {Encoding.UTF8.GetString(draft.Payload.Span)} {draft.FullNeeds} "
                + $"{(draft.FullPayload is { } full ? Encoding.UTF8.GetString(full.Span) : "-")} {draft.Effect} {draft.ExcludedConnectionId} {draft.IsForMembers} "
                + $"{publication.Position} {publication.FeedPosition} {publication.Sequence} {publication.Stream}");
        }

        foreach (var control in message.Control)
            text.AppendLine(control is StreamHeads { Heads: var heads } ? string.Join(' ', heads) : control.ToString());
        return text.ToString();
    }
}
