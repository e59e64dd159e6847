using System.Buffers;
using System.Globalization;
using System.Text.Encodings.Web;
using System.Text.Json;
using Tidings.Realtime.Channels;
using Tidings.Realtime.Connections;
using Tidings.Realtime.Publications;

namespace Tidings.Realtime.Presence;

/// <summary>The events that the engine itself makes. They pass: they have no position and are in no history.</summary>
internal static class PresenceEvents
{
    public const string Joined = "presence_joined";
    public const string Left = "presence_left";
    public const string Counted = "presence_count";
    public const string Typing = "typing";

    /// <summary>Whether an event is one of these, by its name; nobody else may use them.</summary>
    public static bool Is(string type) => type is Joined or Left or Counted or Typing;

    /// <summary>Somebody came or went: <c>{"member":{"userId","info"}}</c>.</summary>
    public static PublicationDraft OfMember(string type, ChannelName channel, PresenceMember member, string? connectionId, TimeProvider clock)
    {
        var draft = Draft(type, channel, clock, connectionId, json =>
        {
            json.WriteStartObject("member"u8);
            json.WriteString("userId"u8, member.UserId);
            json.WritePropertyName("info"u8);
            json.WriteRawValue(member.Info.IsEmpty ? "null"u8 : member.Info.Span, skipInputValidation: true);
            json.WriteEndObject();
        });
        return draft with { IsForMembers = true };
    }

    /// <summary>How many there are: <c>{"count"}</c>.</summary>
    public static PublicationDraft OfCount(ChannelName channel, int count, TimeProvider clock) =>
        Draft(Counted, channel, clock, null, json => json.WriteNumber("count"u8, count)) with { IsForMembers = true };

    /// <summary>Somebody is typing: <c>{"userId","until"}</c>.</summary>
    public static PublicationDraft OfTyping(ChannelName channel, string userId, TimeSpan shownFor, string connectionId, TimeProvider clock) =>
        Draft(Typing, channel, clock, connectionId, json =>
        {
            json.WriteString("userId"u8, userId);
            json.WriteString("until"u8, (clock.GetUtcNow() + shownFor).UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss.fff'Z'", CultureInfo.InvariantCulture));
        });

    private static PublicationDraft Draft(string type, ChannelName channel, TimeProvider clock, string? connectionId, Action<Utf8JsonWriter> write)
    {
        var bytes = new ArrayBufferWriter<byte>();
        using (var json = new Utf8JsonWriter(bytes, new JsonWriterOptions { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping }))
        {
            json.WriteStartObject();
            write(json);
            json.WriteEndObject();
        }

        var now = clock.GetUtcNow();
        return new PublicationDraft
        {
            Channel = channel,
            Type = type,
            Id = Guid.CreateVersion7(now).ToString("N"),
            Timestamp = now,
            Payload = bytes.WrittenMemory,
            ExcludedConnectionId = connectionId,
        };
    }
}
