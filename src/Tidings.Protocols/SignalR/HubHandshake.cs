using System.Text.Json;
using Tidings.Protocols.Native;

namespace Tidings.Protocols.SignalR;

/// <summary>A client's first record: <c>{"protocol":"json","version":1}</c>, or <c>messagepack</c>; in JSON in any case.</summary>
internal static class HubHandshake
{
    /// <summary>What is wrong with it, for the client; null if it is accepted.</summary>
    /// <param name="record">The record.</param>
    /// <param name="takesBinary">Whether the carrier takes bytes; an event stream does not.</param>
    /// <param name="encoding">What the client speaks from now on.</param>
    public static string? Judge(ReadOnlySpan<byte> record, bool takesBinary, out IHubEncoding encoding)
    {
        encoding = JsonHubEncoding.Instance;
        try
        {
            var reader = new Utf8JsonReader(record, new JsonReaderOptions { MaxDepth = JsonFields.MaxDepth });
            string? protocol = null;
            int? version = null;
            if (!reader.Read() || reader.TokenType != JsonTokenType.StartObject) return "bad_request: The handshake is not a JSON object.";
            while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
            {
                var (isProtocol, isVersion) = (reader.ValueTextEquals("protocol"u8), reader.ValueTextEquals("version"u8));
                reader.Read();
                if (isProtocol && reader.TokenType == JsonTokenType.String) protocol = reader.GetString();
                else if (isVersion && reader.TokenType == JsonTokenType.Number && reader.TryGetInt32(out var number)) version = number;
                else reader.Skip();
            }

            if (protocol is null || version is null) return "bad_request: The handshake names no protocol and version.";
            if (protocol is not ("json" or "messagepack")) return "bad_request: This server speaks the protocols json and messagepack.";
            if (protocol == "messagepack")
            {
                if (!takesBinary) return "bad_request: Server-Sent Events carry the protocol json only.";
                encoding = PackedHubEncoding.Instance;
            }

            return version == 1 ? null : "bad_request: This server speaks version 1.";
        }
        catch (Exception exception) when (exception is JsonException or InvalidOperationException)
        {
            return "bad_request: The handshake is not a JSON object.";
        }
    }
}
