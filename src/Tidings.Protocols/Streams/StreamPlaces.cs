using Tidings.Realtime.Channels;
using Tidings.Realtime.Connections;
using Tidings.Realtime.Publications;

namespace Tidings.Protocols.Streams;

/// <summary>Where one stream stands in each of its channels. Not safe for threads: its owner sees to that.</summary>
internal sealed class StreamPlaces
{
    private readonly bool _hasToken;
    private readonly Entry[] _entries;

    /// <summary>Starts with what the client knows.</summary>
    public StreamPlaces(StreamRequest request)
    {
        _hasToken = request.HasToken;
        _entries = [.. request.Channels.Select(channel => new Entry(channel.Name, StreamToken.MarkOf(channel.Name))
        {
            // What can't be recovered is no place to come back to.
            Position = channel.Since is { } since && since.Epoch != ulong.MaxValue ? since : Position.None,
        })];

        // Two names with one mark can't be told apart in a token: such a stream resumes without places in them, and is told so.
        foreach (var entry in _entries) entry.IsAmbiguous = _entries.Count(other => other.Mark == entry.Mark) > 1;
    }

    /// <summary>Notes that a channel is there.</summary>
    /// <returns>Whether something was missed that can't be replayed.</returns>
    public bool Begin(SubscribedMessage subscribed)
    {
        // After a recovery the client's own place holds until replayed events move it: the stream may break before they are out.
        if (subscribed.Recovered != true) Move(subscribed.Channel, subscribed.Position);
        return subscribed.Recovered == false || (subscribed.Recovered is null && _hasToken && subscribed.Position.Exists);
    }

    /// <summary>Notes that an event was given to the client.</summary>
    public void Move(ChannelName channel, Position position)
    {
        if (!position.Exists) return;
        foreach (var entry in _entries)
        {
            if (entry.Name != channel) continue;
            entry.Position = position;
            return;
        }
    }

    /// <summary>Writes the token of the places as they are.</summary>
    /// <param name="into">At least <see cref="StreamToken.MaxLength"/> bytes.</param>
    /// <returns>The number of bytes written.</returns>
    public int WriteToken(Span<byte> into)
    {
        Span<(uint, Position)> places = stackalloc (uint, Position)[_entries.Length];
        var count = 0;
        foreach (var entry in _entries)
            if (entry.Position.Exists && !entry.IsAmbiguous) places[count++] = (entry.Mark, entry.Position);
        return StreamToken.Write(places[..count], into);
    }

    private sealed class Entry(ChannelName name, uint mark)
    {
        public ChannelName Name { get; } = name;

        public uint Mark { get; } = mark;

        public Position Position { get; set; }

        public bool IsAmbiguous { get; set; }
    }
}
