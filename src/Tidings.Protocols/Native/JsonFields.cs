using System.Text.Json;

namespace Tidings.Protocols.Native;

/// <summary>The fields of client messages that we know.</summary>
internal enum Field
{
    Type,
    Id,
    Channel,
    Since,
    Presence,
    Token,
    Event,
    Data,
    Limit,
}

/// <summary>Where the known fields of a client's message lie in its bytes: one pass over the text, no copies.</summary>
internal ref struct JsonFields
{
    /// <summary>The deepest nesting of a client's message.</summary>
    public const int MaxDepth = 32;

    private const int Count = 9;

    private readonly ReadOnlySpan<byte> _text;
    private Places _places;

    private JsonFields(ReadOnlySpan<byte> text) => _text = text;

    /// <summary>A field that stands there twice, or null.</summary>
    public Field? Duplicate { get; private set; }

    private static JsonReaderOptions Options => new() { MaxDepth = MaxDepth };

    /// <summary>Reads a message.</summary>
    /// <returns>Null, or what is wrong: <c>not_json</c>, <c>not_an_object</c>.</returns>
    public static string? Read(ReadOnlySpan<byte> text, out JsonFields fields)
    {
        fields = new JsonFields(text);
        try
        {
            return fields.ReadAll();
        }
        catch (Exception exception) when (exception is JsonException or InvalidOperationException)
        {
            return "not_json"; // the connection ends with it, so the exception is paid once
        }
    }

    /// <summary>The JSON text of a field; empty if it is absent.</summary>
    public readonly ReadOnlySpan<byte> this[Field field] => _text.Slice(_places[(int)field].Start, _places[(int)field].Length);

    /// <summary>What kind of value a field has; <see cref="JsonTokenType.None"/> if it is absent.</summary>
    public readonly JsonTokenType KindOf(Field field) => _places[(int)field].Kind;

    /// <summary>Whether a field is absent or null.</summary>
    public readonly bool Lacks(Field field) => KindOf(field) is JsonTokenType.None or JsonTokenType.Null;

    /// <summary>The text of a string field; null if it is no string, or not text in Unicode.</summary>
    public readonly string? TextOf(Field field) => KindOf(field) == JsonTokenType.String ? TextOf(this[field]) : null;

    /// <summary>The value of a field that is an integer.</summary>
    public readonly bool TryGetInteger(Field field, out long value)
    {
        value = 0;
        if (KindOf(field) != JsonTokenType.Number) return false;
        var reader = new Utf8JsonReader(this[field], Options);
        return reader.Read() && reader.TryGetInt64(out value);
    }

    /// <summary>The text of a JSON string; null if its escapes are half a character.</summary>
    public static string? TextOf(ReadOnlySpan<byte> json)
    {
        try
        {
            var reader = new Utf8JsonReader(json, Options);
            reader.Read();
            return reader.GetString();
        }
        catch (InvalidOperationException)
        {
            return null;
        }
    }

    private static Field? FieldOf(ref Utf8JsonReader reader) =>
        reader.ValueTextEquals("type"u8) ? Field.Type
        : reader.ValueTextEquals("id"u8) ? Field.Id
        : reader.ValueTextEquals("channel"u8) ? Field.Channel
        : reader.ValueTextEquals("since"u8) ? Field.Since
        : reader.ValueTextEquals("presence"u8) ? Field.Presence
        : reader.ValueTextEquals("token"u8) ? Field.Token
        : reader.ValueTextEquals("event"u8) ? Field.Event
        : reader.ValueTextEquals("data"u8) ? Field.Data
        : reader.ValueTextEquals("limit"u8) ? Field.Limit
        : null;

    private string? ReadAll()
    {
        var reader = new Utf8JsonReader(_text, Options);
        if (!reader.Read()) return "not_json";
        if (reader.TokenType != JsonTokenType.StartObject)
        {
            reader.Skip();
            return reader.Read() ? "not_json" : "not_an_object";
        }

        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            var field = FieldOf(ref reader);
            reader.Read();
            var start = (int)reader.TokenStartIndex;
            var kind = reader.TokenType;
            reader.Skip();
            if (field is not { } known) continue;

            if (_places[(int)known].Kind != JsonTokenType.None) Duplicate ??= known;
            _places[(int)known] = new(start, (int)reader.BytesConsumed - start, kind);
        }

        // The reader itself refuses anything but white space behind the object.
        return reader.Read() ? "not_json" : null;
    }

    private readonly record struct Place(int Start, int Length, JsonTokenType Kind);

    [System.Runtime.CompilerServices.InlineArray(Count)]
    private struct Places
    {
        private Place _first;
    }
}
