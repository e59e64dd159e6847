using System.Globalization;
using System.Text.Json;
using Dapper;
using Tidings.Realtime.Channels;

namespace Tidings.Server.Storage.Postgres;

/// <summary>
/// Gives up events that are beyond the limits of their channels' rules: the oldest of a channel first, so that what is left has no holes.
/// Works in small units, so that nobody waits long for a channel; a channel keeps its last offset for ever. Nodes may do it at the same time.
/// </summary>
internal sealed class PostgresTrimming(PostgresStore store, ChannelCatalog catalog, TimeProvider clock) : IDisposable
{
    private const int ChannelsInPage = 1_000;

    private readonly SemaphoreSlim _oneAtATime = new(1);

    private sealed record Row(long Id, string Name, long LastOffset, long TrimmedThrough, long? OldestAt);

    /// <summary>Looks at all channels once.</summary>
    /// <returns>How many events were given up.</returns>
    public async ValueTask<int> RunAsync(CancellationToken cancellationToken)
    {
        await _oneAtATime.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            var trimmed = 0;
            for (long after = 0; ;)
            {
                var (last, excess) = await FindExcessAsync(after, cancellationToken).ConfigureAwait(false);
                foreach (var unit in TrimmingPlan.Portions(excess)) trimmed += await DeleteAsync(unit, cancellationToken).ConfigureAwait(false);
                if (last is not { } next) return trimmed;
                after = next;
            }
        }
        finally
        {
            _oneAtATime.Release();
        }
    }

    public void Dispose() => _oneAtATime.Dispose();

    private Task<(long? Last, List<Excess> Excess)> FindExcessAsync(long after, CancellationToken cancellationToken) => store.ReadInSnapshotAsync(
        async connection =>
        {
            var channels = (await connection.QueryAsync<Row>(Sql.Channels, new { After = after, Take = ChannelsInPage }).ConfigureAwait(false)).AsList();
            var now = clock.GetUtcNow();
            var excess = new List<Excess>();
            foreach (var channel in channels)
            {
                var rules = TrimmingPlan.RulesOf(catalog, channel.Name);
                var through = channel.LastOffset - rules.History;
                var oldestKept = (now - rules.HistoryAge).ToUnixTimeMilliseconds();
                if (channel.OldestAt < oldestKept)
                {
                    var youngest = await connection.ExecuteScalarAsync<long?>(Sql.FirstYoung, new { channel.Id, channel.TrimmedThrough, OldestKept = oldestKept }).ConfigureAwait(false);
                    through = Math.Max(through, youngest - 1 ?? channel.LastOffset);
                }

                if (through > channel.TrimmedThrough) excess.Add(new(channel.Id, channel.TrimmedThrough, through));
            }

            return (channels.Count < ChannelsInPage ? (long?)null : channels[^1].Id, excess);
        },
        cancellationToken);

    private Task<int> DeleteAsync(List<Excess> unit, CancellationToken cancellationToken)
    {
        var parameters = new
        {
            Ids = JsonSerializer.Serialize(unit.Select(part => part.ChannelId.ToString(CultureInfo.InvariantCulture))),
            Through = JsonSerializer.Serialize(unit.ToDictionary(part => part.ChannelId.ToString(CultureInfo.InvariantCulture), part => part.Through)),
        };
        return store.WriteAsync(
            async write =>
            {
                await write.QueryAsync<long>(Sql.Lock, parameters);
                await write.ExecuteAsync(Sql.Mark, parameters);
                return await write.ExecuteAsync(Sql.Delete, parameters);
            },
            cancellationToken);
    }

    private static class Sql
    {
        private const string Cuts = "(SELECT key::bigint AS id, value::bigint AS through FROM json_each_text(@Through::json))";

        public const string Channels = """
            SELECT c.id, c.name, c.last_offset, c.trimmed_through, e.created_at AS oldest_at
            FROM channels c LEFT JOIN events e ON e.channel_id = c.id AND e."offset" = c.trimmed_through + 1
            WHERE c.id > @After ORDER BY c.id LIMIT @Take
            """;

        public const string FirstYoung = """
            SELECT "offset" FROM events WHERE channel_id = @Id AND "offset" > @TrimmedThrough AND created_at >= @OldestKept ORDER BY "offset" LIMIT 1
            """;

        // In the order in which an append takes them.
        public const string Lock = "SELECT id FROM channels WHERE id IN (SELECT value::bigint FROM json_each(@Ids)) ORDER BY name FOR UPDATE";

        public const string Mark = $"""
            UPDATE channels c SET trimmed_through = x.through, trimmed_place = coalesce(
                (SELECT e.place FROM events e WHERE e.channel_id = c.id AND e."offset" <= x.through ORDER BY e."offset" DESC LIMIT 1), c.trimmed_place)
            FROM {Cuts} x WHERE c.id = x.id AND c.trimmed_through < x.through
            """;

        public const string Delete = $"""DELETE FROM events e USING {Cuts} x WHERE e.channel_id = x.id AND e."offset" <= x.through""";
    }
}
