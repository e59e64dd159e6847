using System.Buffers;
using Tidings.Protocols.WebSockets;
using Tidings.Realtime.Channels;
using Tidings.Realtime.Connections;
using Tidings.Realtime.Publications;

namespace Tidings.Protocols.Native;

/// <summary>
/// The bytes of one publication in one form: all of it for its own channel, and the parts around the name for feeds. Each is built
/// on first use and shared from then on; two threads that build at once get equal bytes.
/// </summary>
/// <param name="catalog">The channels' rules.</param>
/// <param name="publication">What it is of.</param>
/// <param name="form">In which form.</param>
/// <param name="around">What the wire format puts before and after the JSON of an event.</param>
internal sealed class EventPush(ChannelCatalog catalog, Publication publication, PublicationForm form, IEventFrame around) : EncodedPush
{
    private byte[]? _whole;
    private FeedParts? _parts;

    /// <summary>The complete bytes for the publication's own channel.</summary>
    public ReadOnlyMemory<byte> Whole => _whole ??= BuildWhole();

    /// <summary>The event's JSON alone, out of the frame of the native protocol.</summary>
    public ReadOnlyMemory<byte> WholeJson => FrameWriter.PayloadOf(Whole);

    /// <summary>The bytes around the channel's name for feeds.</summary>
    public FeedParts ForFeeds => _parts ??= BuildParts();

    private byte[] BuildWhole()
    {
        var scratch = JsonScratch.Take().Bytes;
        EventJson.Write(scratch, catalog, publication, form);
        return around.Frame(publication, scratch.WrittenSpan);
    }

    private FeedParts BuildParts()
    {
        var scratch = JsonScratch.Take().Bytes;
        EventJson.WriteHead(scratch, publication);
        var split = scratch.WrittenCount;
        EventJson.WriteTail(scratch, catalog, publication, form, publication.FeedPosition);
        return around.FrameParts(publication, scratch.WrittenSpan[..split], scratch.WrittenSpan[split..]);
    }

    /// <summary>What comes before the name of the feed and what comes after it.</summary>
    public sealed record FeedParts(ReadOnlyMemory<byte> Head, ReadOnlyMemory<byte> Tail);
}

/// <summary>What a wire format puts around the JSON of an event.</summary>
internal interface IEventFrame
{
    /// <summary>The bytes of an event for its own channel.</summary>
    byte[] Frame(Publication publication, ReadOnlySpan<byte> json);

    /// <summary>The bytes of an event before and after the name of a feed.</summary>
    EventPush.FeedParts FrameParts(Publication publication, ReadOnlySpan<byte> head, ReadOnlySpan<byte> tail);
}
