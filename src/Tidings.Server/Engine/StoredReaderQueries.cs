using System.Text.Json;
using Tidings.Realtime.Returning;
using Tidings.Server.Storage;

namespace Tidings.Server.Engine;

/// <summary>What has become of a connection since it was last written.</summary>
/// <param name="Reader">Which.</param>
/// <param name="Channels">What it reads or read; null if it is to be forgotten.</param>
/// <param name="LostAt">When it vanished; null while it is there.</param>
/// <param name="ReceivedThrough">What was sent until then it has received, or was not for it.</param>
internal sealed record ReaderChange(ReaderKey Reader, IReadOnlyList<string>? Channels, DateTimeOffset? LostAt, DateTimeOffset ReceivedThrough);

/// <summary>A row of a connection, with its node's last sign of life.</summary>
internal sealed record LiveReader(
    string ConnectionId, string UserId, string Protocol, string Channels, DateTimeOffset? LostAt, DateTimeOffset ReceivedThrough, DateTimeOffset SeenAt);

/// <summary>The statements of <see cref="StoredReaders"/>.</summary>
internal sealed class StoredReaderQueries
{
    private readonly Store _store;
    private readonly TimeProvider _clock;
    private readonly TimeSpan _window;
    private readonly string _node;
    private readonly BatchLoader<string, IReadOnlyList<LiveReader>> _byUser;

    /// <param name="store">Where they run.</param>
    /// <param name="clock">Tells what is too old.</param>
    /// <param name="window">How long a lost connection is remembered.</param>
    /// <param name="node">This node.</param>
    public StoredReaderQueries(Store store, TimeProvider clock, TimeSpan window, string node)
    {
        (_store, _clock, _window, _node) = (store, clock, window, node);
        _byUser = new BatchLoader<string, IReadOnlyList<LiveReader>>(LoadAsync, clock);
    }

    /// <summary>The connections of a user in a protocol that are lost, or are another node's, and are not too old.</summary>
    public async Task<IReadOnlyList<LiveReader>> FindAsync(string userId, string protocol, CancellationToken cancellationToken)
    {
        var rows = await _byUser.LoadAsync(userId, cancellationToken).ConfigureAwait(false);
        return rows is null ? [] : [.. rows.Where(row => row.Protocol == protocol)];
    }

    /// <summary>Takes a connection's row away, for one caller only.</summary>
    public async Task<bool> TryTakeAsync(string connectionId, CancellationToken cancellationToken) =>
        await _store.WriteAsync(async write => await write.ExecuteAsync(Sql.Remove, new { ConnectionId = connectionId }), cancellationToken).ConfigureAwait(false) == 1;

    /// <summary>Writes changes and the node's sign of life.</summary>
    public Task WriteAsync(IReadOnlyList<ReaderChange> changes, bool cleansUp, CancellationToken cancellationToken)
    {
        var now = _clock.GetUtcNow();
        return _store.WriteAsync(
            async write =>
            {
                foreach (var (reader, channels, lostAt, receivedThrough) in changes)
                {
                    if (channels is null)
                    {
                        write.Enqueue(Sql.Remove, new { reader.ConnectionId });
                        continue;
                    }

                    write.Enqueue(Sql.Put, new
                    {
                        reader.ConnectionId,
                        Node = _node,
                        reader.UserId,
                        reader.Protocol,
                        Channels = JsonSerializer.Serialize(channels),
                        LostAt = lostAt,
                        ReceivedThrough = receivedThrough,
                    });
                }

                if (cleansUp)
                {
                    write.Enqueue(Sql.RemoveOld, new { Since = now - _window });
                    write.Enqueue(Sql.RemoveOfDead, new { Since = now - _window });
                    write.Enqueue(Sql.RemoveDead, new { Since = now - _window });
                }

                await write.ExecuteAsync(Sql.Sign, new { Node = _node, Now = now });
            },
            cancellationToken);
    }

    private async Task<IReadOnlyDictionary<string, IReadOnlyList<LiveReader>>> LoadAsync(IReadOnlyCollection<string> users)
    {
        var rows = await _store.QueryAsync<LiveReader>(
            Sql.Find,
            new { Users = JsonSerializer.Serialize(users), Node = _node, Since = _clock.GetUtcNow() - _window },
            CancellationToken.None).ConfigureAwait(false);
        return rows.GroupBy(static row => row.UserId).ToDictionary(static group => group.Key, static group => (IReadOnlyList<LiveReader>)[.. group], StringComparer.Ordinal);
    }

    private static class Sql
    {
        public const string Put = """
            INSERT INTO live_readers (connection_id, node, user_id, protocol, channels, lost_at, received_through)
            VALUES (@ConnectionId, @Node, @UserId, @Protocol, @Channels, @LostAt, @ReceivedThrough)
            ON CONFLICT (connection_id) DO UPDATE SET node = excluded.node, channels = excluded.channels, lost_at = excluded.lost_at, received_through = excluded.received_through
            """;

        public const string Remove = "DELETE FROM live_readers WHERE connection_id = @ConnectionId";

        public const string Sign = "INSERT INTO reader_nodes (node, seen_at) VALUES (@Node, @Now) ON CONFLICT (node) DO UPDATE SET seen_at = excluded.seen_at";

        public const string RemoveOld = "DELETE FROM live_readers WHERE lost_at < @Since";

        public const string RemoveOfDead = "DELETE FROM live_readers WHERE node IN (SELECT node FROM reader_nodes WHERE seen_at < @Since)";

        public const string RemoveDead = "DELETE FROM reader_nodes WHERE seen_at < @Since";

        public const string Find = """
            SELECT r.connection_id AS ConnectionId, r.user_id AS UserId, r.protocol AS Protocol, r.channels AS Channels, r.lost_at AS LostAt,
                   r.received_through AS ReceivedThrough, n.seen_at AS SeenAt
            FROM live_readers r JOIN reader_nodes n ON n.node = r.node
            WHERE r.user_id IN (SELECT value FROM json_each(@Users)) AND (r.lost_at >= @Since OR (r.lost_at IS NULL AND r.node <> @Node AND n.seen_at >= @Since))
            """;
    }
}
