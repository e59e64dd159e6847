using Tidings.Protocols.Native;
using Tidings.Realtime.Connections;

namespace Tidings.Protocols.SignalR;

/// <summary>
/// What clients may call. A call is read as the message of the native protocol that asks the same, so that there is one parser with one
/// set of limits and mistakes.
/// </summary>
internal sealed class HubMethods(CommandParser parser)
{
    private static readonly Dictionary<string, (string Type, string[] Fields)> Methods = new(StringComparer.OrdinalIgnoreCase)
    {
        ["Subscribe"] = ("subscribe", ["channel", "since", "presence", "token"]),
        ["Unsubscribe"] = ("unsubscribe", ["channel"]),
        ["Publish"] = ("publish", ["channel", "event", "data"]),
        ["Presence"] = ("presence", ["channel"]),
        ["History"] = ("history", ["channel", "since", "limit"]),
        ["Authenticate"] = ("auth", ["token"]),
    };

    /// <summary>The command that a call stands for, or what is wrong with it.</summary>
    /// <param name="call">The call.</param>
    /// <param name="number">Its number; null if it wants no answer.</param>
    public ParsedCommand Parse(HubRecord call, long? number)
    {
        if (!Methods.TryGetValue(call.Target!, out var method)) return Wrong(ErrorCode.UnknownType, "There is no such hub method.");
        if (call.Type == HubRecordType.StreamInvocation) return Wrong(ErrorCode.BadRequest, "This method does not stream: invoke it.");
        if (call.Arguments.Count > method.Fields.Length)
            return Wrong(ErrorCode.BadRequest, $"This method takes at most {method.Fields.Length} arguments: {string.Join(", ", method.Fields)}.");

        var scratch = JsonScratch.Take();
        var json = scratch.Writer;
        json.WriteStartObject();
        json.WriteString("type"u8, method.Type);
        if (number is { } id) json.WriteNumber("id"u8, id);
        for (var index = 0; index < call.Arguments.Count; index++)
        {
            json.WritePropertyName(method.Fields[index]);
            json.WriteRawValue(call.Arguments[index].Span, skipInputValidation: true);
        }

        json.WriteEndObject();
        json.Flush();
        return parser.Parse(scratch.Bytes.WrittenSpan);

        ParsedCommand Wrong(ErrorCode code, string message) => new(null, new ErrorMessage(number, code, message));
    }
}
