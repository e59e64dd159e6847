using System.Text.Json;
using Tidings.Protocols.Native;

namespace Tidings.Protocols.SocketIo;

/// <summary>What a client sends along with CONNECT: its <c>auth</c>, and beside it what it needs to get its socket back.</summary>
/// <param name="Token">The token; null if there is none, empty if it is no string.</param>
/// <param name="Pid">The secret of the socket it had.</param>
/// <param name="Offset">Where it stood.</param>
internal readonly record struct ConnectRequest(string? Token, string? Pid, string? Offset)
{
    /// <summary>Reads it from JSON that is known to be an object, or nothing.</summary>
    public static ConnectRequest Read(ReadOnlySpan<byte> json)
    {
        if (json.IsEmpty) return default;
        string? token = null, pid = null, offset = null;
        var reader = new Utf8JsonReader(json, new JsonReaderOptions { MaxDepth = SocketPacketParser.MaxDepth });
        reader.Read();
        try
        {
            while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
            {
                if (reader.ValueTextEquals("token"u8)) token = Next(ref reader);
                else if (reader.ValueTextEquals("pid"u8)) pid = Next(ref reader);
                else if (reader.ValueTextEquals("offset"u8)) offset = Next(ref reader);
                else reader.Skip();
            }
        }
        catch (InvalidOperationException)
        {
            return new ConnectRequest("", null, null); // a name with escapes that are half a character
        }

        return new ConnectRequest(token, pid, offset);
    }

    private static string? Next(ref Utf8JsonReader reader)
    {
        reader.Read();
        switch (reader.TokenType)
        {
            case JsonTokenType.Null:
                return null;
            case JsonTokenType.String:
                try
                {
                    return reader.GetString();
                }
                catch (InvalidOperationException)
                {
                    return "";
                }

            default:
                reader.Skip();
                return "";
        }
    }
}
