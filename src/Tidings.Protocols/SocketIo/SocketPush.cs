using System.Buffers;
using Tidings.Protocols.EngineIo;
using Tidings.Protocols.Native;
using Tidings.Realtime.Channels;
using Tidings.Realtime.Connections;
using Tidings.Realtime.Publications;

namespace Tidings.Protocols.SocketIo;

/// <summary>
/// One publication in one form as <c>42["type",{…}</c>, shared by all readers. What differs from one to the next, the name of a feed and the
/// offset, comes in between and at the end. Each part is built on first use; two threads that build at once get equal bytes.
/// </summary>
internal sealed class SocketPush(ChannelCatalog catalog, Publication publication, PublicationForm form) : EncodedPush
{
    private byte[]? _whole;
    private (byte[] Head, byte[] Tail)? _feed;

    /// <summary>Everything up to the offset, for the publication's own channel.</summary>
    public byte[] Whole => _whole ??= BuildWhole();

    /// <summary>What comes before the name of the feed, and what comes after it up to the offset; no name comes between if the first is all.</summary>
    public (byte[] Head, byte[] Tail) ForFeeds => _feed ??= BuildForFeeds();

    private bool IsFlat => catalog.IsFlat(publication.Channel, publication.Draft.Type) && Payload is [(byte)'{', .., (byte)'}'];

    private ReadOnlySpan<byte> Payload => publication.PayloadOf(form).Span.Trim(" \t\r\n"u8);

    private byte[] BuildWhole()
    {
        var scratch = JsonScratch.Take().Bytes;
        WriteStart(scratch);
        if (IsFlat) EventJson.Write(scratch, catalog, publication, form);
        else scratch.Write(Payload.IsEmpty ? "null"u8 : Payload);
        return scratch.WrittenSpan.ToArray();
    }

    private (byte[] Head, byte[] Tail) BuildForFeeds()
    {
        if (!IsFlat) return (Whole, []);
        var scratch = JsonScratch.Take().Bytes;
        WriteStart(scratch);
        EventJson.WriteHead(scratch, publication);
        var split = scratch.WrittenCount;
        EventJson.WriteTail(scratch, catalog, publication, form, publication.FeedPosition);
        return (scratch.WrittenSpan[..split].ToArray(), scratch.WrittenSpan[split..].ToArray());
    }

    private void WriteStart(ArrayBufferWriter<byte> to)
    {
        to.Write([EnginePackets.Message, (byte)('0' + (int)SocketPacketType.Event)]);
        SocketPackets.WriteEventStart(to, publication.Draft.Type);
        to.Write(","u8);
    }
}
