using System.Text.Json;
using Tidings.Protocols.Native;

namespace Tidings.Protocols.SignalR;

/// <summary>The types of records that a client may send.</summary>
internal enum HubRecordType
{
    Invocation = 1,
    StreamItem = 2,
    Completion = 3,
    StreamInvocation = 4,
    CancelInvocation = 5,
    Ping = 6,
    Close = 7,
}

/// <summary>A client's record: one pass over the text, the arguments stay as they were written.</summary>
/// <param name="Type">Its type.</param>
/// <param name="InvocationId">The client's name for the call; null if it wants no answer.</param>
/// <param name="Target">The method's name.</param>
/// <param name="Arguments">The JSON text of each argument.</param>
internal sealed record HubRecord(HubRecordType Type, string? InvocationId, string? Target, IReadOnlyList<ReadOnlyMemory<byte>> Arguments)
{
    /// <summary>The longest name of a call.</summary>
    public const int MaxInvocationIdLength = 128;

    /// <summary>More than any method takes.</summary>
    public const int MaxArguments = 8;

    private static readonly JsonReaderOptions Options = new() { MaxDepth = JsonFields.MaxDepth };

    /// <summary>Reads a record.</summary>
    /// <returns>Null, or what is wrong: the reason beside 4400.</returns>
    public static string? TryRead(ReadOnlyMemory<byte> text, out HubRecord? record)
    {
        record = null;
        try
        {
            return Read(text, out record);
        }
        catch (Exception exception) when (exception is JsonException or InvalidOperationException)
        {
            return "not_json"; // the connection ends with it, so the exception is paid once
        }
    }

    private static string? Read(ReadOnlyMemory<byte> text, out HubRecord? record)
    {
        record = null;
        int? type = null;
        string? invocationId = null, target = null;
        List<ReadOnlyMemory<byte>>? arguments = null;

        var reader = new Utf8JsonReader(text.Span, Options);
        if (!reader.Read()) return "not_json";
        if (reader.TokenType != JsonTokenType.StartObject)
        {
            reader.Skip();
            return reader.Read() ? "not_json" : "not_an_object";
        }

        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            var isType = reader.ValueTextEquals("type"u8);
            var isId = reader.ValueTextEquals("invocationId"u8);
            var isTarget = reader.ValueTextEquals("target"u8);
            var isArguments = reader.ValueTextEquals("arguments"u8);
            reader.Read();
            if (isType)
            {
                if (reader.TokenType != JsonTokenType.Number || !reader.TryGetInt32(out var number)) return "no_type";
                type = number;
            }
            else if (isId)
            {
                if (reader.TokenType != JsonTokenType.Null && !TryText(ref reader, out invocationId)) return "bad_invocation";
            }
            else if (isTarget)
            {
                if (!TryText(ref reader, out target)) return "bad_invocation";
            }
            else if (isArguments)
            {
                if (reader.TokenType != JsonTokenType.StartArray) return "bad_invocation";
                arguments = [];
                while (reader.Read() && reader.TokenType != JsonTokenType.EndArray)
                {
                    var start = (int)reader.TokenStartIndex;
                    reader.Skip();
                    if (arguments.Count == MaxArguments) return "bad_invocation";
                    arguments.Add(text[start..(int)reader.BytesConsumed]);
                }
            }
            else
            {
                reader.Skip();
            }
        }

        if (reader.Read()) return "not_json";
        if (type is not { } known) return "no_type";
        if (known is < 1 or > 7) return "bad_type";
        var isCall = known is (int)HubRecordType.Invocation or (int)HubRecordType.StreamInvocation;
        if (isCall && (target is null || arguments is null)) return "bad_invocation";
        if (known == (int)HubRecordType.StreamInvocation && invocationId is null) return "bad_invocation";
        record = new HubRecord((HubRecordType)known, invocationId, target, arguments ?? []);
        return null;
    }

    private static bool TryText(ref Utf8JsonReader reader, out string? text)
    {
        text = null;
        if (reader.TokenType != JsonTokenType.String || reader.ValueSpan.Length > MaxInvocationIdLength * 6) return false;
        text = reader.GetString();
        return text is { Length: > 0 and <= MaxInvocationIdLength };
    }
}
