using System.Buffers;
using System.Text.Json;
using Tidings.Realtime.Channels;
using Tidings.Realtime.Commands;
using Tidings.Realtime.Connections;
using Tidings.Realtime.Publications;

namespace Tidings.Protocols.Native;

/// <summary>A client's JSON to commands. Strict in what it knows, blind to what it doesn't; throws for nothing that a client sends.</summary>
internal sealed class CommandParser(ChannelCatalog catalog)
{
    /// <summary>The longest event name.</summary>
    public const int MaxEventLength = 200;

    private const int LargestPage = 1_000;
    private const int UsualPage = 100;

    /// <summary>A position of no history at all: what was missed can't be replayed.</summary>
    public static Position Unrecoverable { get; } = new(ulong.MaxValue, 0);

    /// <summary>The position that a text names; one that is not ours can't be recovered.</summary>
    public static Position PositionOf(ReadOnlySpan<char> text) => Position.TryParse(text, out var position) ? position : Unrecoverable;

    /// <summary>Parses one message.</summary>
    public ParsedCommand Parse(ReadOnlySpan<byte> utf8)
    {
        if (JsonFields.Read(utf8, out var fields) is { } malformed) return new(null, Malformed: malformed);
        if (fields.KindOf(Field.Type) != JsonTokenType.String) return new(null, Malformed: "no_type");

        long? id = null;
        if (fields.KindOf(Field.Id) != JsonTokenType.None)
        {
            if (!fields.TryGetInteger(Field.Id, out var number)) return Bad(null, "id must be an integer.");
            id = number;
        }

        if (fields.Duplicate is { } twice) return Bad(id, $"{twice.ToString().ToLowerInvariant()} stands there twice.");

        return fields.TextOf(Field.Type) switch
        {
            "subscribe" => Subscribe(id, fields),
            "unsubscribe" => WithChannel(id, fields, out var channel) ?? new(new UnsubscribeCommand(id, channel!)),
            "publish" => Publish(id, fields),
            "presence" => WithChannel(id, fields, out var channel) ?? new(new PresenceCommand(id, channel!)),
            "history" => History(id, fields),
            "auth" => fields.TextOf(Field.Token) is { } token ? new(new AuthenticateCommand(id, token)) : Bad(id, "token must be a string."),
            "ping" => new(new PingCommand(id)),
            _ => new(null, new ErrorMessage(id, ErrorCode.UnknownType, "There is no such message type.")),
        };
    }

    private static ParsedCommand Bad(long? id, string what, string? channel = null) => new(null, new ErrorMessage(id, ErrorCode.BadRequest, what, channel));

    private ParsedCommand Subscribe(long? id, JsonFields fields)
    {
        if (WithChannel(id, fields, out var channel) is { } error) return error;
        if (WithSince(id, fields, out var since) is { } wrong) return wrong;

        bool? presence = null;
        if (!fields.Lacks(Field.Presence))
        {
            presence = fields.KindOf(Field.Presence) == JsonTokenType.True;
            if (fields.KindOf(Field.Presence) is not (JsonTokenType.True or JsonTokenType.False)) return Bad(id, "presence must be true or false.");
        }

        var token = fields.TextOf(Field.Token);
        if (token is null && !fields.Lacks(Field.Token)) return Bad(id, "token must be a string.");

        return new(new SubscribeCommand(id, channel!, since, presence, token));
    }

    private ParsedCommand Publish(long? id, JsonFields fields)
    {
        if (WithChannel(id, fields, out var channel) is { } error) return error;
        if (fields.TextOf(Field.Event) is not { Length: > 0 and <= MaxEventLength } name || name.Any(char.IsControl))
            return Bad(id, $"event must be a name of 1 to {MaxEventLength} characters.");

        return new(new PublishCommand(id, channel!, name, OneLine(fields[Field.Data])));
    }

    private ParsedCommand History(long? id, JsonFields fields)
    {
        if (WithChannel(id, fields, out var channel) is { } error) return error;
        if (WithSince(id, fields, out var since) is { } wrong) return wrong;

        var limit = (long)UsualPage;
        if (!fields.Lacks(Field.Limit) && (!fields.TryGetInteger(Field.Limit, out limit) || limit < 1)) return Bad(id, "limit must be a positive integer.");

        return new(new HistoryCommand(id, channel!, since, (int)Math.Min(limit, LargestPage)));
    }

    /// <summary>The payload in memory of its own, on one line: line breaks occur only between its parts, never inside a string.</summary>
    internal static ReadOnlyMemory<byte> OneLine(ReadOnlySpan<byte> json)
    {
        if (json.IsEmpty) return "{}"u8.ToArray();
        if (json.IndexOfAny((byte)'\r', (byte)'\n') < 0) return json.ToArray();

        var line = new ArrayBufferWriter<byte>(json.Length);
        while (json.IndexOfAny((byte)'\r', (byte)'\n') is var at and >= 0)
        {
            line.Write(json[..at]);
            json = json[(at + 1)..];
        }

        line.Write(json);
        return line.WrittenMemory;
    }

    private static ParsedCommand? WithSince(long? id, JsonFields fields, out Position? since)
    {
        since = null;
        if (fields.Lacks(Field.Since)) return null;
        if (fields.KindOf(Field.Since) != JsonTokenType.String) return Bad(id, "since must be a string.");
        since = fields.TextOf(Field.Since) is { } text ? PositionOf(text) : Unrecoverable;
        return null;
    }

    private ParsedCommand? WithChannel(long? id, JsonFields fields, out ChannelName? channel)
    {
        channel = null;
        string? text = null;
        var error = fields.KindOf(Field.Channel) switch
        {
            JsonTokenType.String => (text = fields.TextOf(Field.Channel)) is null ? ChannelNameError.Malformed : catalog.Parse(text, out channel),
            JsonTokenType.StartObject => ChannelObject.TryRead(fields[Field.Channel], catalog, out channel),
            _ => ChannelNameError.Malformed,
        };

        return error switch
        {
            ChannelNameError.None => null,
            ChannelNameError.UnknownKind => new(null, new ErrorMessage(id, ErrorCode.UnknownChannel, "There is no such kind of channel.", Shown(text))),
            _ => Bad(id, "channel is not the name of a channel.", Shown(text)),
        };
    }

    // Repeated so that the client can tell which one; not at any length.
    private static string? Shown(string? text) => text is { Length: <= 200 } ? text : null;
}
