using Npgsql;
using NpgsqlTypes;
using Tidings.Realtime.Channels;
using Tidings.Realtime.Publications;

namespace Tidings.Server.Storage.Postgres;

/// <summary>
/// Gives out places in the log and writes its rows, in one statement: the only code that does. It locks the channels' rows in the order of
/// their names, so that no two transactions wait for each other, and it is the last before the commit, so that nobody waits long.
/// </summary>
internal sealed class PostgresAppend
{
    private const string Sql = """
        WITH asked AS MATERIALIZED (
            SELECT * FROM unnest($1::text[], $2::bigint[], $3::bigint[]) AS a (name, epoch, added)),
        held AS (
            INSERT INTO channels AS c (name, epoch, last_offset, last_place)
            SELECT name, epoch, added, pg_current_xact_id()::text::bigint FROM asked ORDER BY name COLLATE "C"
            ON CONFLICT (name) DO UPDATE
            SET last_offset = c.last_offset + excluded.last_offset, last_place = greatest(c.last_place, excluded.last_place)
            RETURNING id, name, epoch, last_offset, last_place),
        added AS (
            INSERT INTO events (xid, place, channel_id, "offset", created_at, id, type, payload, full_payload, full_needs, effect, effect_target, excluded_connection)
            SELECT pg_current_xact_id()::text::bigint, h.last_place, h.id, h.last_offset - d.back, d.created_at, d.id, d.type, d.payload, d.full_payload,
                   d.full_needs, d.effect, d.effect_target, d.excluded_connection
            FROM unnest($4::text[], $5::bigint[], $6::bigint[], $7::text[], $8::text[], $9::bytea[], $10::bytea[], $11::text[], $12::bigint[], $13::text[], $14::text[])
                 WITH ORDINALITY AS d (name, back, created_at, id, type, payload, full_payload, full_needs, effect, effect_target, excluded_connection, nth)
                 JOIN held h ON h.name = d.name
            ORDER BY d.nth)
        SELECT name, epoch, last_offset, last_place FROM held
        """;

    private readonly PublicationDraft[] _drafts;
    private readonly long[] _back;
    private readonly LogPositions _positions;

    public PostgresAppend(IEnumerable<PublicationDraft> drafts, LogPositions positions)
    {
        _positions = positions;
        _drafts = [.. drafts.OrderBy(draft => draft.Channel.Value, StringComparer.Ordinal)]; // a stable sort
        _back = new long[_drafts.Length];
        var channels = new List<(ChannelName Channel, long Added)>();
        for (var index = _drafts.Length - 1; index >= 0; index--)
        {
            var channel = _drafts[index].Channel;
            if (channels is [.., var last] && last.Channel == channel) channels[^1] = (channel, last.Added + 1);
            else channels.Add((channel, 1));
            _back[index] = channels[^1].Added - 1;
        }

        Command = new NpgsqlBatchCommand(Sql);
        Add(NpgsqlDbType.Text, channels.ConvertAll(channel => channel.Channel.Value).ToArray());
        Add(NpgsqlDbType.Bigint, channels.ConvertAll(channel => positions.FirstEpochOf(channel.Channel)).ToArray());
        Add(NpgsqlDbType.Bigint, channels.ConvertAll(channel => channel.Added).ToArray());
        Add(NpgsqlDbType.Text, Array.ConvertAll(_drafts, draft => draft.Channel.Value));
        Add(NpgsqlDbType.Bigint, _back);
        Add(NpgsqlDbType.Bigint, Array.ConvertAll(_drafts, draft => draft.Timestamp.ToUnixTimeMilliseconds()));
        Add(NpgsqlDbType.Text, Array.ConvertAll(_drafts, draft => draft.Id));
        Add(NpgsqlDbType.Text, Array.ConvertAll(_drafts, draft => draft.Type));
        Add(NpgsqlDbType.Bytea, Array.ConvertAll(_drafts, draft => draft.Payload.ToArray()));
        Add(NpgsqlDbType.Bytea, Array.ConvertAll(_drafts, draft => draft.FullPayload?.ToArray()));
        Add(NpgsqlDbType.Text, Array.ConvertAll(_drafts, draft => draft.FullNeeds));
        Add(NpgsqlDbType.Bigint, Array.ConvertAll(_drafts, draft => (long?)draft.Effect?.Kind));
        Add(NpgsqlDbType.Text, Array.ConvertAll(_drafts, draft => draft.Effect?.Target?.Value));
        Add(NpgsqlDbType.Text, Array.ConvertAll(_drafts, draft => draft.ExcludedConnectionId));
    }

    public NpgsqlBatchCommand Command { get; }

    /// <summary>The publications with their places, in the order of the log; true once the transaction is committed.</summary>
    public IReadOnlyList<Publication> Publications { get; private set; } = [];

    /// <summary>Reads the statement's answer.</summary>
    public async Task ReadAsync(NpgsqlDataReader reader)
    {
        var channels = new Dictionary<string, (ulong Epoch, long LastOffset, long Place)>(StringComparer.Ordinal);
        while (await reader.ReadAsync().ConfigureAwait(false))
            channels.Add(reader.GetString(0), (_positions.EpochOf(reader.GetInt64(1)), reader.GetInt64(2), reader.GetInt64(3)));

        var publications = new Publication[_drafts.Length];
        for (var index = 0; index < publications.Length; index++)
        {
            var (epoch, lastOffset, place) = channels[_drafts[index].Channel.Value];
            publications[index] = new Publication(_drafts[index], new Position(epoch, lastOffset - _back[index]), _positions.InLog(place));
        }

        Publications = publications;
    }

    private void Add(NpgsqlDbType type, object values) => Command.Parameters.Add(new NpgsqlParameter { NpgsqlDbType = NpgsqlDbType.Array | type, Value = values });
}
