using Tidings.Realtime.Channels;
using Tidings.Realtime.History;
using Tidings.Realtime.Publications;

namespace Tidings.Server.Storage.Sqlite;

/// <summary>The log's reads, each within the snapshot that its reader holds.</summary>
internal static class LogQueries
{
    private const string AfterOffset = $"SELECT {StatementEvents.Columns} FROM events e WHERE e.channel_id = ?1 AND e.offset > ?2 ORDER BY e.offset LIMIT ?3";
    private const string InLog = $"SELECT {StatementEvents.Columns}, c.name, c.epoch FROM events e JOIN channels c ON c.id = e.channel_id WHERE e.seq > ?1 ORDER BY e.seq";

    private const string RowAndRecent = $"""
        SELECT {StatementEvents.Columns}, c.epoch, c.last_offset, c.trimmed_through
        FROM channels c LEFT JOIN events e ON e.channel_id = c.id AND e.offset > c.last_offset - ?2
        WHERE c.name = ?1 ORDER BY e.offset
        """;

    /// <summary>A channel's row.</summary>
    public readonly record struct ChannelRow(long Id, ulong Epoch, long LastOffset, long LastSequence, long TrimmedThrough, long TrimmedSequence);

    /// <summary>A channel's row; without an id if it has none yet.</summary>
    public static ChannelRow Channel(Reader reader, LogPositions positions, ChannelName channel)
    {
        var select = reader.Statements.Get("SELECT id, epoch, last_offset, last_seq, trimmed_through, trimmed_seq FROM channels WHERE name = ?1").Bind(1, channel.Value);
        try
        {
            return select.Step()
                ? new(select.ReadInt64(0), positions.EpochOf(select.ReadInt64(1)), select.ReadInt64(2), select.ReadInt64(3), select.ReadInt64(4), select.ReadInt64(5))
                : new(0, positions.EpochOf(positions.FirstEpochOf(channel)), 0, 0, 0, 0);
        }
        finally
        {
            select.Reset();
        }
    }

    /// <summary>Where a channel stands, and its newest events. One statement: in a storm of reconnects every channel asks for this.</summary>
    public static ChannelSnapshot Snapshot(Reader reader, EventRows rows, LogPositions positions, ChannelName channel, int recent)
    {
        const int epochColumn = 11, lastOffsetColumn = 12, trimmedColumn = 13;
        var newest = new List<Publication>();
        var select = reader.Statements.Get(RowAndRecent).Bind(1, channel.Value).Bind(2, (long)recent);
        try
        {
            if (!select.Step()) return new ChannelSnapshot(positions.EpochOf(positions.FirstEpochOf(channel)), 0, 0, newest);

            var epoch = positions.EpochOf(select.ReadInt64(epochColumn));
            var (lastOffset, trimmedThrough) = (select.ReadInt64(lastOffsetColumn), select.ReadInt64(trimmedColumn));
            for (var isEvent = select.ReadInt64(0) != 0; isEvent; isEvent = select.Step()) newest.Add(rows.Read(select, channel, epoch));
            return new ChannelSnapshot(epoch, lastOffset, trimmedThrough, newest);
        }
        finally
        {
            select.Reset();
        }
    }

    /// <summary>The events of a channel after an offset, in order.</summary>
    public static List<Publication> Since(Reader reader, EventRows rows, ChannelName name, ChannelRow channel, long offset, int limit)
    {
        var found = new List<Publication>();
        if (channel.Id == 0 || offset >= channel.LastOffset) return found;

        var select = reader.Statements.Get(AfterOffset).Bind(1, channel.Id).Bind(2, offset).Bind(3, (long)limit);
        try
        {
            while (select.Step()) found.Add(rows.Read(select, name, channel.Epoch));
            return found;
        }
        finally
        {
            select.Reset();
        }
    }

    /// <summary>All channels' events after a place, in the order of the log.</summary>
    public static List<Publication> AllSince(Reader reader, EventRows rows, LogPositions positions, long sequence, int limit)
    {
        var found = new List<Publication>();
        var select = reader.Statements.Get(InLog).Bind(1, sequence);
        try
        {
            // Rows that nobody can be subscribed to don't count: fewer than the limit means the end of the log.
            while (found.Count < limit && select.Step())
                if (rows.ChannelOf(select.ReadString(11), select.ReadInt64(0)) is { } name) found.Add(rows.Read(select, name, positions.EpochOf(select.ReadInt64(12))));
            return found;
        }
        finally
        {
            select.Reset();
        }
    }
}
