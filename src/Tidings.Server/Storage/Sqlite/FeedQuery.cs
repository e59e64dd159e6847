using Tidings.Realtime.Channels;
using Tidings.Realtime.Feeds;
using Tidings.Realtime.History;
using Tidings.Realtime.Publications;

namespace Tidings.Server.Storage.Sqlite;

/// <summary>
/// What the sources of a feed had after a place in the log. A channel's row tells whether it has anything newer, so a quiet source
/// costs one lookup; in the others offsets and places rise together, so the first newer event is found by halving.
/// </summary>
internal sealed class FeedQuery(Reader reader, EventRows rows, LogPositions positions)
{
    private readonly Statement _placeAt = reader.Statements.Get("SELECT seq FROM events WHERE channel_id = ?1 AND offset = ?2");
    private readonly Statement _placesAfter = reader.Statements.Get("SELECT seq FROM events WHERE channel_id = ?1 AND offset > ?2 ORDER BY offset LIMIT ?3");
    private readonly Statement _event = reader.Statements.Get($"SELECT {StatementEvents.Columns} FROM events e WHERE e.seq = ?1");

    public FeedPage Read(IReadOnlyList<FeedSource> sources, long sequence, int limit)
    {
        // The oldest places so far, the newest of them on top, so that at most limit are kept whatever the sources have.
        var oldest = new PriorityQueue<(long Place, ChannelName Channel, ulong Epoch), long>();
        var isTrimmed = false;
        var hasMore = false;

        foreach (var source in sources)
        {
            var since = Math.Max(sequence, source.Since);
            var channel = LogQueries.Channel(reader, positions, source.Channel);
            if (channel.TrimmedSequence > since) isTrimmed = true;
            if (channel.LastSequence <= since || channel.LastOffset == channel.TrimmedThrough) continue;

            _placesAfter.Bind(1, channel.Id).Bind(2, LastOffsetThrough(channel, since)).Bind(3, limit + 1L);
            try
            {
                while (_placesAfter.Step())
                {
                    var place = _placesAfter.ReadInt64(0);
                    oldest.Enqueue((place, source.Channel, channel.Epoch), -place);
                    if (oldest.Count <= limit) continue;

                    hasMore = true;
                    if (oldest.Dequeue().Place == place) break; // all that follows in this source is newer still
                }
            }
            finally
            {
                _placesAfter.Reset();
            }
        }

        var events = new Publication[oldest.Count];
        for (var index = events.Length - 1; index >= 0; index--) events[index] = ReadEvent(oldest.Dequeue());
        return new FeedPage(events, isTrimmed, hasMore);
    }

    /// <summary>The offset of the channel's newest event that is not after a place.</summary>
    private long LastOffsetThrough(LogQueries.ChannelRow channel, long place)
    {
        long low = channel.TrimmedThrough, high = channel.LastOffset;
        while (low + 1 < high)
        {
            var middle = low + ((high - low) / 2);
            if (PlaceAt(channel.Id, middle) <= place) low = middle;
            else high = middle;
        }

        return low;
    }

    private long PlaceAt(long channel, long offset)
    {
        _placeAt.Bind(1, channel).Bind(2, offset);
        try
        {
            return _placeAt.Step() ? _placeAt.ReadInt64(0) : long.MaxValue;
        }
        finally
        {
            _placeAt.Reset();
        }
    }

    private Publication ReadEvent((long Place, ChannelName Channel, ulong Epoch) found)
    {
        _event.Bind(1, found.Place);
        try
        {
            return _event.Step() ? rows.Read(_event, found.Channel, found.Epoch) : throw new InvalidOperationException($"Event {found.Place} vanished within a snapshot.");
        }
        finally
        {
            _event.Reset();
        }
    }
}
