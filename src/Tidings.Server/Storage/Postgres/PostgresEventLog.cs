using Npgsql;
using NpgsqlTypes;
using Tidings.Realtime.Channels;
using Tidings.Realtime.Feeds;
using Tidings.Realtime.History;
using Tidings.Realtime.Publications;

namespace Tidings.Server.Storage.Postgres;

/// <summary>
/// The event log in PostgreSQL. A place in it is a transaction's number: everything up to the oldest one that is still open is there
/// (ADR 0013).
/// </summary>
internal sealed class PostgresEventLog(PostgresStore store, PostgresTrimming trimming) : IConcurrentEventLog
{
    public ulong SequenceEpoch => store.Positions.SequenceEpoch;

    public async ValueTask<IReadOnlyList<Publication>> AppendAsync(IReadOnlyList<PublicationDraft> drafts, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(drafts);
        if (drafts.Count == 0) return [];

        var committed = await store.CommitAsync(
            write =>
            {
                foreach (var draft in drafts) write.Append(draft);
                return ValueTask.FromResult(true);
            },
            cancellationToken).ConfigureAwait(false);
        return committed.InOrderOf(drafts);
    }

    public async ValueTask<ChannelSnapshot> ReadChannelAsync(ChannelName channel, int recent, CancellationToken cancellationToken)
    {
        var newest = new List<Publication>();
        return await store.ReadOnceAsync(
            async connection =>
            {
                newest.Clear();
                var snapshot = new ChannelSnapshot(store.Positions.EpochOf(store.Positions.FirstEpochOf(channel)), 0, 0, newest);
                await using var command = Command(connection, PostgresQueries.ChannelAndRecent, (NpgsqlDbType.Text, channel.Value), (NpgsqlDbType.Bigint, (long)recent));
                await using var reader = await command.ExecuteReaderAsync(cancellationToken).ConfigureAwait(false);
                while (await reader.ReadAsync(cancellationToken).ConfigureAwait(false))
                {
                    var epoch = store.Positions.EpochOf(reader.GetInt64(PostgresQueries.EpochColumn));
                    snapshot = new ChannelSnapshot(epoch, reader.GetInt64(PostgresQueries.LastOffsetColumn), reader.GetInt64(PostgresQueries.TrimmedColumn), newest);
                    if (!reader.IsDBNull(0)) newest.Add(store.Rows.Read(PostgresQueries.Event(reader), channel, epoch));
                }

                return snapshot;
            },
            cancellationToken).ConfigureAwait(false);
    }

    public async ValueTask<IReadOnlyList<Publication>> ReadSinceAsync(ChannelName channel, long offset, int limit, CancellationToken cancellationToken) =>
        await ListAsync(
            PostgresQueries.Since,
            cancellationToken,
            (NpgsqlDbType.Text, channel.Value), (NpgsqlDbType.Bigint, offset), (NpgsqlDbType.Bigint, (long)limit)).ConfigureAwait(false);

    public async ValueTask<long> ReadLastSequenceAsync(CancellationToken cancellationToken) => await store.ReadOnceAsync(
        async connection =>
        {
            await using var command = Command(connection, PostgresQueries.Place);
            return (long)(await command.ExecuteScalarAsync(cancellationToken).ConfigureAwait(false))!;
        },
        cancellationToken).ConfigureAwait(false);

    public async ValueTask<FeedPage> ReadFeedSinceAsync(IReadOnlyList<FeedSource> sources, long sequence, int limit, CancellationToken cancellationToken)
    {
        if (sources.Count == 0) return new FeedPage([], IsTrimmed: false, HasMore: false);

        var names = sources.Select(source => source.Channel.Value).ToArray();
        var since = sources.Select(source => Math.Max(sequence, source.Since)).ToArray();
        return await store.ReadInSnapshotAsync(
            async connection =>
            {
                await using var batch = new NpgsqlBatch(connection);
                batch.BatchCommands.Add(PostgresQueries.Command(PostgresQueries.Place));
                batch.BatchCommands.Add(PostgresQueries.Command(PostgresQueries.IsTrimmed, (TextArray, names), (BigintArray, since)));
                batch.BatchCommands.Add(PostgresQueries.Command(PostgresQueries.Feed, (TextArray, names), (BigintArray, since), (NpgsqlDbType.Bigint, limit + 1L)));
                await using var reader = await batch.ExecuteReaderAsync(cancellationToken).ConfigureAwait(false);

                await reader.ReadAsync(cancellationToken).ConfigureAwait(false);
                var complete = reader.GetInt64(0);
                await reader.NextResultAsync(cancellationToken).ConfigureAwait(false);
                await reader.ReadAsync(cancellationToken).ConfigureAwait(false);
                var isTrimmed = reader.GetBoolean(0);
                await reader.NextResultAsync(cancellationToken).ConfigureAwait(false);
                var events = await ReadAllAsync(reader, cancellationToken).ConfigureAwait(false);
                return PageOf(events, limit, complete, isTrimmed);
            },
            cancellationToken).ConfigureAwait(false);
    }

    public async ValueTask<IReadOnlyList<Publication>> ReadAllSinceAsync(long sequence, int limit, CancellationToken cancellationToken) =>
        await ListAsync(PostgresQueries.AllSince, cancellationToken, (NpgsqlDbType.Bigint, sequence), (NpgsqlDbType.Bigint, (long)limit)).ConfigureAwait(false);

    public async ValueTask<LogMark> ReadChangesAsync(LogMark? since, Action<Publication> take, CancellationToken cancellationToken)
    {
        var events = new List<Publication>();
        var mark = await store.ReadInSnapshotAsync(
            async connection =>
            {
                events.Clear();
                await using var batch = new NpgsqlBatch(connection);
                batch.BatchCommands.Add(PostgresQueries.Command(PostgresQueries.Snapshot));
                if (since is not null)
                {
                    var then = Snapshot.Parse(since.Snapshot);
                    batch.BatchCommands.Add(PostgresQueries.Command(
                        PostgresQueries.Changes, (NpgsqlDbType.Bigint, then.Oldest), (NpgsqlDbType.Bigint, then.Next), (BigintArray, then.Running)));
                }

                await using var reader = await batch.ExecuteReaderAsync(cancellationToken).ConfigureAwait(false);
                await reader.ReadAsync(cancellationToken).ConfigureAwait(false);
                var snapshot = reader.GetString(0);
                if (await reader.NextResultAsync(cancellationToken).ConfigureAwait(false))
                    events.AddRange(await ReadAllAsync(reader, cancellationToken).ConfigureAwait(false));
                return new LogMark(Snapshot.Parse(snapshot).Oldest - 1, snapshot);
            },
            cancellationToken).ConfigureAwait(false);

        foreach (var publication in events) take(publication);
        return mark;
    }

    public ValueTask<int> TrimAsync(CancellationToken cancellationToken) => trimming.RunAsync(cancellationToken);

    private const NpgsqlDbType TextArray = NpgsqlDbType.Array | NpgsqlDbType.Text;
    private const NpgsqlDbType BigintArray = NpgsqlDbType.Array | NpgsqlDbType.Bigint;

    /// <summary>
    /// Cuts a page where a place ends, if there is more than a page. An event carries the place before its own, from which it comes again
    /// together with the others there; the last of a place carries that place.
    /// </summary>
    private FeedPage PageOf(List<Publication> events, int limit, long complete, bool isTrimmed)
    {
        var hasMore = events.Count > limit;
        if (hasMore)
        {
            var cut = limit;
            while (cut < events.Count && events[cut].Sequence == events[cut - 1].Sequence) cut++;
            hasMore = cut < events.Count || events[cut - 1].Sequence == events[limit].Sequence;
            events.RemoveRange(cut, events.Count - cut);
        }

        for (var index = 0; index < events.Count; index++)
        {
            var isLast = index + 1 == events.Count || events[index + 1].Sequence != events[index].Sequence;
            events[index] = events[index].After(store.Positions.InLog(Math.Min(complete, events[index].Sequence - (isLast ? 0 : 1))));
        }

        return new FeedPage(events, isTrimmed, hasMore);
    }

    private Task<List<Publication>> ListAsync(string sql, CancellationToken cancellationToken, params (NpgsqlDbType Type, object Value)[] parameters) => store.ReadOnceAsync(
        async connection =>
        {
            await using var command = Command(connection, sql, parameters);
            await using var reader = await command.ExecuteReaderAsync(cancellationToken).ConfigureAwait(false);
            return await ReadAllAsync(reader, cancellationToken).ConfigureAwait(false);
        },
        cancellationToken);

    /// <summary>Reads rows that have their channel's name and epoch. Those of channels that cannot be are passed over: nobody is subscribed to them.</summary>
    private async Task<List<Publication>> ReadAllAsync(NpgsqlDataReader reader, CancellationToken cancellationToken)
    {
        var found = new List<Publication>();
        while (await reader.ReadAsync(cancellationToken).ConfigureAwait(false))
        {
            var row = PostgresQueries.Event(reader);
            if (store.Rows.ChannelOf(reader.GetString(PostgresQueries.NameColumn), row.Sequence) is { } channel)
                found.Add(store.Rows.Read(row, channel, store.Positions.EpochOf(reader.GetInt64(PostgresQueries.EpochColumn))));
        }

        return found;
    }

    private static NpgsqlCommand Command(NpgsqlConnection connection, string sql, params (NpgsqlDbType Type, object Value)[] parameters)
    {
        var command = new NpgsqlCommand(sql, connection);
        foreach (var (type, value) in parameters) command.Parameters.Add(new NpgsqlParameter { NpgsqlDbType = type, Value = value });
        return command;
    }
}
