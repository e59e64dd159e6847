using Tidings.Realtime.Channels;

namespace Tidings.Server.Storage.Sqlite;

/// <summary>
/// Gives up events that are beyond the limits of their channels' rules: the oldest of a channel first, so that what is left has no
/// holes. Works in small units, so that the writer is never held up; a channel keeps its last offset for ever.
/// </summary>
internal sealed class LogTrimming(SqliteStore store, ChannelCatalog catalog, TimeProvider clock) : IDisposable
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
                var (last, excess) = await store.Readers.ReadAsync(reader => ValueTask.FromResult(FindExcess(reader, after)), cancellationToken).ConfigureAwait(false);
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

    /// <summary>Looks at one page of channels. The first item is the last channel's id, null at the end.</summary>
    private (long? Last, List<Excess> Excess) FindExcess(Reader reader, long after)
    {
        var channels = reader.Statements.Get(
            "SELECT c.id, c.name, c.last_offset, c.trimmed_through, e.created_at AS oldest_at "
            + "FROM channels c LEFT JOIN events e ON e.channel_id = c.id AND e.offset = c.trimmed_through + 1 "
            + $"WHERE c.id > ?1 ORDER BY c.id LIMIT {ChannelsInPage}").Bind(1, after).ReadAll<Row>();

        var now = clock.GetUtcNow();
        var excess = new List<Excess>();
        foreach (var channel in channels)
        {
            var rules = TrimmingPlan.RulesOf(catalog, channel.Name);
            var through = channel.LastOffset - rules.History;
            var oldestKept = (now - rules.HistoryAge).ToUnixTimeMilliseconds();
            if (channel.OldestAt < oldestKept) through = Math.Max(through, NewestBefore(reader, channel, oldestKept));
            if (through > channel.TrimmedThrough) excess.Add(new(channel.Id, channel.TrimmedThrough, through));
        }

        return (channels.Count < ChannelsInPage ? null : channels[^1].Id, excess);
    }

    /// <summary>The offset before the first event that is young enough.</summary>
    private static long NewestBefore(Reader reader, Row channel, long oldestKept) =>
        (reader.Statements.Get("SELECT offset FROM events WHERE channel_id = ?1 AND offset > ?2 AND created_at >= ?3 ORDER BY offset LIMIT 1")
            .Bind(1, channel.Id).Bind(2, channel.TrimmedThrough).Bind(3, oldestKept).ReadSingle<long?>() - 1) ?? channel.LastOffset;

    private Task<int> DeleteAsync(List<Excess> unit, CancellationToken cancellationToken) => store.WriteAsync(
        async write =>
        {
            var deleted = 0;
            foreach (var part in unit)
            {
                await write.ExecuteAsync(
                    "UPDATE channels SET trimmed_through = @Through, trimmed_seq = coalesce("
                    + "(SELECT seq FROM events WHERE channel_id = @ChannelId AND offset <= @Through ORDER BY offset DESC LIMIT 1), trimmed_seq) WHERE id = @ChannelId", part);
                deleted += await write.ExecuteAsync("DELETE FROM events WHERE channel_id = @ChannelId AND offset > @From AND offset <= @Through", part);
            }

            return deleted;
        },
        cancellationToken);
}
