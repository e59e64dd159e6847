using System.Globalization;
using System.Text.Json;

namespace Tidings.Server.Publishing.Outgoing;

/// <summary>Fields of JSON that somebody else wrote: absent, and of another kind, is null.</summary>
internal static class JsonFields
{
    private const int MaxChars = 10_000;

    /// <summary>A field of an object; undefined if it is not there.</summary>
    public static JsonElement Child(this JsonElement json, string name) =>
        json.ValueKind == JsonValueKind.Object && json.TryGetProperty(name, out var child) ? child : default;

    /// <summary>A text that is not empty.</summary>
    public static string? Text(this JsonElement json, string name) => json.Child(name).AsText();

    /// <summary>The value as a text that is not empty.</summary>
    public static string? AsText(this JsonElement json)
    {
        if (json.ValueKind != JsonValueKind.String) return null;
        try
        {
            return json.GetString() is { Length: > 0 and <= MaxChars } text ? text : null;
        }
        catch (InvalidOperationException)
        {
            return null; // half a character
        }
    }

    /// <summary>A text, or a whole number as its digits: platforms write their ids as either.</summary>
    public static string? Id(this JsonElement json, string name) => json.Whole(name)?.ToString(CultureInfo.InvariantCulture) ?? json.Text(name);

    public static long? Whole(this JsonElement json, string name) =>
        json.Child(name) is { ValueKind: JsonValueKind.Number } number && number.TryGetInt64(out var value) ? value : null;

    public static double? Number(this JsonElement json, string name) =>
        json.Child(name) is { ValueKind: JsonValueKind.Number } number && number.TryGetDouble(out var value) && double.IsFinite(value) ? value : null;

    public static bool? Truth(this JsonElement json, string name) => json.Child(name).ValueKind switch
    {
        JsonValueKind.True => true,
        JsonValueKind.False => false,
        _ => null,
    };

    /// <summary>The elements of a list; none if it is no list.</summary>
    public static IEnumerable<JsonElement> Items(this JsonElement json, string name) =>
        json.Child(name) is { ValueKind: JsonValueKind.Array } list ? list.EnumerateArray() : [];

    /// <summary>The text as JSON; undefined if it is none.</summary>
    public static JsonElement Parse(string? text)
    {
        if (text is null) return default;
        try
        {
            using var document = JsonDocument.Parse(text);
            return document.RootElement.Clone();
        }
        catch (JsonException)
        {
            return default;
        }
    }
}
