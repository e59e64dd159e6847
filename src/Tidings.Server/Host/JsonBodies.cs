using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace Tidings.Server.Host;

/// <summary>
/// How JSON bodies are read and written, once for all features: camelCase, unknown fields ignored, wrong types and repeated fields refused.
/// Absent fields are null: request records declare their properties nullable and say themselves what they need.
/// </summary>
internal static class JsonBodies
{
    /// <summary>The largest body unless an endpoint says otherwise (with <c>RequestSizeLimitAttribute</c> as metadata).</summary>
    public const long MaxBytes = 1024 * 1024;

    /// <summary>The deepest nesting that is read.</summary>
    public const int MaxDepth = 32;

    /// <summary>Sets the options up.</summary>
    public static void Configure(JsonSerializerOptions json)
    {
        json.MaxDepth = MaxDepth;
        json.NumberHandling = JsonNumberHandling.Strict;
        json.AllowDuplicateProperties = false;
        json.Converters.Add(new InstantConverter());
    }

    /// <summary>What is wrong with a body that could not be read: 400 <c>malformed_json</c>, or 400 <c>invalid</c> with the field's name.</summary>
    public static IResult ProblemOf(JsonException exception)
    {
        // The reader's own exceptions, which are about the text, are wrapped; the serializer's, which are about types, are not.
        if (exception.InnerException is JsonException || exception.Path is null)
            return Problems.Problem(400, "malformed_json", "The body is not JSON.");
        return Problems.Invalid(FieldOf(exception.Path), "has the wrong type.");
    }

    /// <summary>The field of a path such as <c>$.tiers[0].price</c>; <c>body</c> for the whole.</summary>
    private static string FieldOf(string path)
    {
        var field = path.TrimStart('$').TrimStart('.');
        return field.Length is 0 or > 200 ? "body" : field;
    }

    /// <summary>Instants as RFC 3339 in UTC with milliseconds; read only with an offset, because without one they are not instants.</summary>
    private sealed class InstantConverter : JsonConverter<DateTimeOffset>
    {
        public override DateTimeOffset Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options)
        {
            return reader.TokenType == JsonTokenType.String && reader.TryGetDateTimeOffset(out var instant) && HasOffset(reader.GetString()!)
                ? instant.ToUniversalTime()
                : throw new JsonException();
        }

        public override void Write(Utf8JsonWriter writer, DateTimeOffset value, JsonSerializerOptions options) =>
            writer.WriteStringValue(value.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss.fff'Z'", CultureInfo.InvariantCulture));

        private static bool HasOffset(string text) =>
            text.EndsWith('Z') || (text.IndexOf('T', StringComparison.Ordinal) is > 0 and var time && text.AsSpan(time).IndexOfAny('+', '-') > 0);
    }
}
