using System.Buffers;
using System.Text;
using Tidings.Protocols.Streams;
using Tidings.Realtime.Channels;

namespace Tidings.Protocols.Sse;

/// <summary>What one event stream knows: its places, and how it wants its events. Touched on its connection's shard only.</summary>
internal sealed class SseStream(StreamRequest request, bool namesEvents)
{
    private readonly Dictionary<ChannelName, byte[]> _names = request.Channels.ToDictionary(
        static channel => channel.Name, static channel => Encoding.ASCII.GetBytes(channel.Name.Value));

    /// <summary>Where it stands.</summary>
    public StreamPlaces Places { get; } = new(request);

    /// <summary>
    /// Whether events have an <c>event:</c> line. Without, a client gets all types through one handler and reads the type in the JSON.
    /// </summary>
    public bool NamesEvents => namesEvents;

    /// <summary>A channel's name in bytes.</summary>
    public ReadOnlyMemory<byte> NameOf(ChannelName channel) => _names[channel];

    /// <summary>The lines that end an event: its id, which is the place in all channels, and the empty line.</summary>
    public ReadOnlyMemory<byte> Ending()
    {
        Span<byte> token = stackalloc byte[StreamToken.MaxLength];
        var length = Places.WriteToken(token);
        var ending = new ArrayBufferWriter<byte>(length + 6);
        SseWriter.WriteIdAndEnd(ending, token[..length]);
        return ending.WrittenMemory;
    }
}
