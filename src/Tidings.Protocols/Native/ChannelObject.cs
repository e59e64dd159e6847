using System.Text.Json;
using Tidings.Realtime.Channels;

namespace Tidings.Protocols.Native;

/// <summary>The object form of a channel's name: <c>{"type":kind,"userId"|"creatorId"|"postId"|"id":id}</c>.</summary>
internal static class ChannelObject
{
    /// <summary>Reads the form from JSON text that is known to be an object. Exactly one kind and one id must be there, both strings.</summary>
    public static ChannelNameError TryRead(ReadOnlySpan<byte> json, ChannelCatalog catalog, out ChannelName? name)
    {
        name = null;
        try
        {
            return Read(json, catalog, out name);
        }
        catch (InvalidOperationException)
        {
            return ChannelNameError.Malformed; // a field's name with escapes that are half a character
        }
    }

    private static ChannelNameError Read(ReadOnlySpan<byte> json, ChannelCatalog catalog, out ChannelName? name)
    {
        name = null;
        string? kind = null;
        string? id = null;

        var reader = new Utf8JsonReader(json, new JsonReaderOptions { MaxDepth = JsonFields.MaxDepth });
        reader.Read();
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            var isKind = reader.ValueTextEquals("type"u8);
            var isId = reader.ValueTextEquals("id"u8) || reader.ValueTextEquals("userId"u8)
                || reader.ValueTextEquals("creatorId"u8) || reader.ValueTextEquals("postId"u8);
            reader.Read();
            if (!isKind && !isId)
            {
                reader.Skip();
                continue;
            }

            if ((isKind ? kind : id) is not null || reader.TokenType != JsonTokenType.String) return ChannelNameError.Malformed;
            var start = (int)reader.TokenStartIndex;
            if (JsonFields.TextOf(json[start..(int)reader.BytesConsumed]) is not { } text) return ChannelNameError.Malformed;
            if (isKind) kind = text;
            else id = text;
        }

        return catalog.Compose(kind, id, out name);
    }
}
