using System.Buffers;
using System.Text.Json;
using Tidings.Realtime;
using Tidings.Realtime.Publications;
using Tidings.Server.Host;
using Tidings.Server.Storage;

namespace Tidings.Server.Features.Realtime;

/// <summary>What became of a message from Redis; a label of <c>tidings_ingress_total</c>.</summary>
internal enum IngressResult
{
    /// <summary>It was published, or had been before under its id.</summary>
    Published,

    /// <summary>It is no JSON object, or one of its fields is wrong.</summary>
    Malformed,

    /// <summary>It is over the size limit.</summary>
    TooLarge,

    /// <summary>There is no such kind of channel.</summary>
    UnknownChannel,

    /// <summary>Another node published it.</summary>
    Taken,

    /// <summary>Too many wait.</summary>
    Full,

    /// <summary>Who should publish it could not be found out, or the log was out of reach.</summary>
    Failed,
}

/// <summary>A message that a backend published in Redis, checked as if it had come by the HTTP API.</summary>
/// <param name="Draft">What is published.</param>
/// <param name="HasId">Whether the backend named it, so that it is published once however often it comes.</param>
internal sealed record IngressMessage(PublicationDraft Draft, bool HasId);

/// <summary>
/// Takes what backends publish in Redis: <c>{"event" or "type", "data"?, "id"?, "excludeConnectionId"?}</c>. Without <c>data</c> the other
/// fields are the data, as in the events that clients get.
/// </summary>
internal sealed class PublishFromRedis(RealtimeEngine engine, Store store, TimeProvider clock)
{
    /// <summary>The most bytes of a message.</summary>
    public const int MaxBytes = 72 * 1024;

    private static readonly string[] OurFields = ["event", "type", "data", "id", "channel", "timestamp", "position", "excludeConnectionId"];

    /// <summary>Checks a message.</summary>
    /// <param name="channel">The name of the channel.</param>
    /// <param name="content">The message.</param>
    /// <param name="message">The message, if it is good.</param>
    /// <returns><see cref="IngressResult.Published"/> if it may be.</returns>
    public IngressResult TryRead(string channel, ReadOnlyMemory<byte> content, out IngressMessage? message)
    {
        message = null;
        if (content.Length > MaxBytes) return IngressResult.TooLarge;
        try
        {
            using var json = JsonDocument.Parse(content, new JsonDocumentOptions { MaxDepth = JsonBodies.MaxDepth });
            return Read(channel, json.RootElement, out message);
        }
        catch (Exception exception) when (exception is JsonException or InvalidOperationException)
        {
            return IngressResult.Malformed; // no JSON, or text in it that is half a character
        }
    }

    /// <summary>Publishes it.</summary>
    public Task PublishAsync(IngressMessage message, CancellationToken cancellationToken) =>
        PublishFromBackend.PublishAsync(message.Draft, message.HasId, engine, store, cancellationToken);

    private IngressResult Read(string channel, JsonElement content, out IngressMessage? message)
    {
        message = null;
        if (content.ValueKind != JsonValueKind.Object) return IngressResult.Malformed;
        if (!TryText(content, "event", out var name) || !TryText(content, "type", out var type) || !TryText(content, "id", out var id)
            || !TryText(content, "excludeConnectionId", out var excluded)) return IngressResult.Malformed;

        var request = new PublishFromBackend.Request
        {
            Channel = channel,
            Event = name ?? type,
            Data = content.TryGetProperty("data", out var data) ? data : Rest(content),
            Id = id,
            ExcludeConnectionId = excluded,
        };
        if (PublishFromBackend.Check(request).Count > 0) return IngressResult.Malformed;

        var mistake = PublishFromBackend.TryDraft(request, engine.Catalog, clock.GetUtcNow(), clock.GetTimestamp(), out var draft);
        if (mistake is not null) return mistake.IsUnknownChannel ? IngressResult.UnknownChannel : IngressResult.Malformed;
        message = new IngressMessage(draft!, id is not null);
        return IngressResult.Published;
    }

    private static bool TryText(JsonElement content, string field, out string? text)
    {
        text = null;
        if (!content.TryGetProperty(field, out var value) || value.ValueKind == JsonValueKind.Null) return true;
        if (value.ValueKind != JsonValueKind.String) return false;
        text = value.GetString();
        return true;
    }

    private static JsonElement Rest(JsonElement content)
    {
        var rest = new ArrayBufferWriter<byte>();
        using (var json = new Utf8JsonWriter(rest))
        {
            json.WriteStartObject();
            foreach (var field in content.EnumerateObject())
                if (!OurFields.Contains(field.Name, StringComparer.Ordinal)) field.WriteTo(json);
            json.WriteEndObject();
        }

        var reader = new Utf8JsonReader(rest.WrittenSpan);
        return JsonElement.ParseValue(ref reader);
    }
}
