using System.Globalization;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;

namespace Tidings.Server.Events;

/// <summary>The JSON of events: UTF-8 on one line. What a feature answers over HTTP is written with the same options.</summary>
internal static class EventJson
{
    private static readonly EventJsonContext Context = new(Options(EventJsonContext.Default.Options));

    /// <summary>The text of a payload.</summary>
    public static byte[] Write(EventPayload payload) => JsonSerializer.SerializeToUtf8Bytes(payload, payload.GetType(), Context);

    /// <summary>The payload of a text that <see cref="Write"/> wrote.</summary>
    /// <exception cref="JsonException">It is not one.</exception>
    public static T? Read<T>(ReadOnlyMemory<byte> json)
        where T : EventPayload => JsonSerializer.Deserialize(json.Span, (JsonTypeInfo<T>)Context.GetTypeInfo(typeof(T))!);

    /// <summary>
    /// The options of a generated context, with letters of all scripts as they are instead of <c>\uXXXX</c>, which is six bytes each.
    /// Quotes, backslashes and control characters are still escaped; nothing of ours is pasted into HTML.
    /// </summary>
    public static JsonSerializerOptions Options(JsonSerializerOptions generated) =>
        new(generated) { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };
}

/// <summary>The shapes of events.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, Converters = [typeof(InstantJson)])]
[JsonSerializable(typeof(PostCreatedPayload))]
[JsonSerializable(typeof(PostUpdatedPayload))]
[JsonSerializable(typeof(DraftPayload))]
[JsonSerializable(typeof(TargetNewsPayload))]
[JsonSerializable(typeof(PostStatusPayload))]
[JsonSerializable(typeof(PostDeletedPayload))]
[JsonSerializable(typeof(LikesPayload))]
[JsonSerializable(typeof(CommentPayload))]
[JsonSerializable(typeof(CommentDeletedPayload))]
[JsonSerializable(typeof(NotificationPayload))]
[JsonSerializable(typeof(NotificationReadPayload))]
[JsonSerializable(typeof(NotificationsClearedPayload))]
[JsonSerializable(typeof(UnreadNotificationsPayload))]
[JsonSerializable(typeof(MessagePayload))]
[JsonSerializable(typeof(MessageReadPayload))]
[JsonSerializable(typeof(FeedSourcePayload))]
[JsonSerializable(typeof(FeedCountPayload))]
[JsonSerializable(typeof(FeedAccessPayload))]
[JsonSerializable(typeof(SubscriberCountPayload))]
[JsonSerializable(typeof(NewSubscriptionPayload))]
[JsonSerializable(typeof(LevelsHeldPayload))]
[JsonSerializable(typeof(PostHeldPayload))]
[JsonSerializable(typeof(TipPayload))]
[JsonSerializable(typeof(AccountPayload))]
[JsonSerializable(typeof(AnalyticsPayload))]
[JsonSerializable(typeof(ApartPayload))]
[JsonSerializable(typeof(PostRewrittenPayload))]
internal sealed partial class EventJsonContext : JsonSerializerContext;

/// <summary>Instants as RFC 3339 text in UTC with milliseconds, always 24 characters.</summary>
internal sealed class InstantJson : JsonConverter<DateTimeOffset>
{
    private const string Format = "yyyy-MM-dd'T'HH:mm:ss.fff'Z'";

    public override DateTimeOffset Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) => reader.GetDateTimeOffset();

    public override void Write(Utf8JsonWriter writer, DateTimeOffset value, JsonSerializerOptions options)
    {
        Span<byte> text = stackalloc byte[24];
        value.UtcDateTime.TryFormat(text, out var length, Format, CultureInfo.InvariantCulture);
        writer.WriteStringValue(text[..length]);
    }
}
