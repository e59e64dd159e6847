using Npgsql;
using NpgsqlTypes;

namespace Tidings.Server.Storage.Postgres;

/// <summary>The log's reads. Each brings the columns of <see cref="Event"/> first, then those that are named here.</summary>
internal static class PostgresQueries
{
    public const int NameColumn = 12;
    public const int EpochColumn = 13;
    public const int LastOffsetColumn = 14;
    public const int TrimmedColumn = 15;

    private const string Columns =
        "e.seq, e.place, e.\"offset\", e.created_at, e.id, e.type, e.payload, e.full_payload, e.full_needs, e.effect, e.effect_target, e.excluded_connection";

    private const string Rows = $"SELECT {Columns}, c.name, c.epoch FROM events e JOIN channels c ON c.id = e.channel_id";

    /// <summary>Where a channel stands, and its newest events; no row if it has had none.</summary>
    public const string ChannelAndRecent = $"""
        SELECT {Columns}, c.name, c.epoch, c.last_offset, c.trimmed_through
        FROM channels c LEFT JOIN events e ON e.channel_id = c.id AND e."offset" > c.last_offset - $2
        WHERE c.name = $1 ORDER BY e."offset"
        """;

    /// <summary>A channel's events after an offset.</summary>
    public const string Since = $"{Rows} WHERE c.name = $1 AND e.\"offset\" > $2 ORDER BY e.\"offset\" LIMIT $3";

    /// <summary>The place up to which everything is there.</summary>
    public const string Place = "SELECT place FROM log_place";

    /// <summary>All events after a place; all of the last place, even if they are more than the limit.</summary>
    public const string AllSince = $"""
        SELECT * FROM ({Rows} WHERE e.place > $1 ORDER BY e.place FETCH FIRST $2 ROWS WITH TIES) AS page ORDER BY place, seq
        """;

    /// <summary>Which transactions have ended.</summary>
    public const string Snapshot = "SELECT pg_current_snapshot()::text";

    /// <summary>What was committed since a snapshot: of the transactions that had not begun then, and of those that were running.</summary>
    public const string Changes = $"{Rows} WHERE e.place >= $1 AND (e.xid >= $2 OR e.xid = ANY($3)) ORDER BY e.seq";

    /// <summary>Whether a source gave up events past its place.</summary>
    public const string IsTrimmed = """
        SELECT EXISTS (SELECT 1 FROM unnest($1::text[], $2::bigint[]) AS s (name, since) JOIN channels c ON c.name = s.name AND c.trimmed_place > s.since)
        """;

    /// <summary>
    /// What the sources of a feed had after their places. A channel's row tells whether it has anything newer, so a quiet source costs one
    /// look-up; in the others offsets and places rise together, so they are read back from the newest to the first that is not wanted.
    /// </summary>
    public const string Feed = $"""
        SELECT * FROM (
            SELECT {Columns}, c.name, c.epoch
            FROM unnest($1::text[], $2::bigint[]) AS s (name, since)
            JOIN channels c ON c.name = s.name AND c.last_place > s.since
            CROSS JOIN LATERAL (
                SELECT * FROM events n
                WHERE n.channel_id = c.id AND n."offset" > coalesce(
                    (SELECT o."offset" FROM events o WHERE o.channel_id = c.id AND o.place <= s.since ORDER BY o."offset" DESC LIMIT 1), c.trimmed_through)
                ORDER BY n.place FETCH FIRST $3 ROWS WITH TIES) e
            ORDER BY e.place FETCH FIRST $3 ROWS WITH TIES) AS page
        ORDER BY place, seq
        """;

    /// <summary>Reads the event in the row on which a reader stands.</summary>
    public static StoredEvent Event(NpgsqlDataReader row) => new(
        row.GetInt64(0), row.GetInt64(1), row.GetInt64(2), row.GetInt64(3), row.GetString(4), row.GetString(5), row.GetFieldValue<byte[]>(6),
        row.IsDBNull(7) ? null : row.GetFieldValue<byte[]>(7), Text(row, 8), row.IsDBNull(9) ? null : row.GetInt64(9), Text(row, 10), Text(row, 11));

    /// <summary>A query as a part of a batch.</summary>
    public static NpgsqlBatchCommand Command(string sql, params (NpgsqlDbType Type, object Value)[] parameters)
    {
        var command = new NpgsqlBatchCommand(sql);
        foreach (var (type, value) in parameters) command.Parameters.Add(new NpgsqlParameter { NpgsqlDbType = type, Value = value });
        return command;
    }

    private static string? Text(NpgsqlDataReader row, int column) => row.IsDBNull(column) ? null : row.GetString(column);
}
