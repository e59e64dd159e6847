using System.Text.Json;
using Tidings.Realtime.Channels;
using Tidings.Realtime.Connections;

namespace Tidings.Protocols.Native;

/// <summary>A page of history outside of a connection: the native protocol's <c>history</c> message without what belongs to a message.</summary>
internal static class HistoryJson
{
    /// <summary>Writes <c>{"channel","events","position","recovered"?}</c>, the events as in docs/protocol.md. Safe for all threads.</summary>
    /// <param name="page">The page; its rights decide the form of each event.</param>
    /// <param name="catalog">The kinds of channels.</param>
    public static byte[] Write(HistoryMessage page, ChannelCatalog catalog)
    {
        ArgumentNullException.ThrowIfNull(page);
        ArgumentNullException.ThrowIfNull(catalog);
        var scratch = JsonScratch.Take();
        var json = scratch.Writer;
        json.WriteStartObject();
        MessageJson.WriteHistory(json, page, catalog);
        json.WriteEndObject();
        json.Flush();
        return scratch.Bytes.WrittenSpan.ToArray();
    }
}
