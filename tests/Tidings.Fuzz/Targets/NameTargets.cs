using System.Text;
using Tidings.Protocols.Native;
using Tidings.Protocols.Streams;
using Tidings.Realtime.Channels;
using Tidings.Realtime.Publications;
using Tidings.Server.Host;
using static Tidings.Fuzz.WrongAnswerException;

namespace Tidings.Fuzz.Targets;

/// <summary>Short texts: names, positions, cursors.</summary>
internal static class NameTargets
{
    public static ChannelCatalog Catalog { get; } = new(
        new Dictionary<string, ChannelRules>
        {
            ["feed"] = new() { Access = AccessRule.Owner, History = 1000, Durable = true, IsFeed = true, FlatEvents = true },
            ["post"] = new() { Access = AccessRule.SignedIn, History = 1000, Durable = true, FlatEvents = true },
            ["room"] = new() { Access = AccessRule.SignedIn, History = 100, ClientPublish = true },
            ["live"] = new() { Access = AccessRule.Public, History = 0, ClientPublish = true },
        },
        ["post_created"]);

    public static IReadOnlyList<Target> List { get; } =
    [
        new("channel-name", ["feed", "room", ":", "_", "-", "private-", "presence-", "|", "@", "~", "é"], ChannelName),
        new("channel-object", ["\"type\"", "\"id\"", "\"userId\"", "\"postId\"", "\"room\"", "{", "}", "\\ud800", "null", ","], ChannelInAnObject),
        new("position", ["AQ", "==", "_", "-", " "], PlaceInAHistory),
        new("page-cursor", ["AAAA", "____", "=", " "], Cursor),
        new("stream-token", ["AQ", "AAAA", "____", "=", " "], PlacesInAStream),
    ];

    private static void ChannelName(byte[] input)
    {
        var text = Encoding.UTF8.GetString(input);
        if (Catalog.Parse(text, out var name) == ChannelNameError.None)
        {
            Unless(Realtime.Channels.ChannelName.IsKind(name!.Kind) && Realtime.Channels.ChannelName.IsId(name.Id), $"{name} is not a name");
            Unless(Catalog.Parse(name.Value, out var again) == ChannelNameError.None && again == name, $"{name} has two spellings that differ");
        }

        var split = text.IndexOf(' ', StringComparison.Ordinal);
        if (split >= 0 && Catalog.Compose(text.AsSpan(0, split), text.AsSpan(split + 1), out name) == ChannelNameError.None)
            Unless(name!.Kind == text[..split] && name.Id == text[(split + 1)..], "composed of other parts");
    }

    private static void ChannelInAnObject(byte[] input)
    {
        var parsed = new CommandParser(Catalog).Parse([.. "{\"type\":\"unsubscribe\",\"channel\":{"u8, .. input, .. "}}"u8]);
        Unless((parsed.Command, parsed.Error, parsed.Malformed) is not (null, null, null), "neither good nor bad");
    }

    private static void PlaceInAHistory(byte[] input)
    {
        var text = Encoding.Latin1.GetString(input);
        if (Position.TryParse(text, out var position)) Unless(position.Exists && position.ToString() == text, "a position with two texts");
        if (Position.TryDecode(input, out position, out var length)) Unless(position.Encode(new byte[Position.MaxEncodedLength]) == length, "a position with two encodings");
    }

    private static void Cursor(byte[] input)
    {
        var text = Encoding.Latin1.GetString(input);
        if (PageCursor.TryParse(text, out var cursor)) Unless(cursor.ToString() == text, "a cursor with two texts");
    }

    private static void PlacesInAStream(byte[] input)
    {
        if (!StreamToken.TryRead(Encoding.Latin1.GetString(input), out var places)) return;
        Unless(places.Count <= StreamToken.MaxChannels && places.Values.All(static place => place.Exists), "a token with too much in it");
        var written = new byte[StreamToken.MaxLength];
        var length = StreamToken.Write([.. places.Select(static place => (place.Key, place.Value))], written);
        Unless(StreamToken.TryRead(Encoding.ASCII.GetString(written, 0, length), out var again) && again.Count == places.Count, "what was read can't be written");
    }
}
