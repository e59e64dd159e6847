using Tidings.Realtime.Channels;
using Tidings.Realtime.Feeds;
using Tidings.Realtime.History;
using Tidings.Realtime.Publications;

namespace Tidings.Server.Storage.Sqlite;

/// <summary>The event log in the store's own file: what a unit appends is in it when the unit is committed, and only then.</summary>
internal sealed class SqliteEventLog(SqliteStore store, LogTrimming trimming) : IDurableEventLog
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

    public async ValueTask<ChannelSnapshot> ReadChannelAsync(ChannelName channel, int recent, CancellationToken cancellationToken) =>
        await store.Readers.ReadOnceAsync(
            reader => ValueTask.FromResult(LogQueries.Snapshot(reader, store.Rows, store.Positions, channel, recent)), cancellationToken).ConfigureAwait(false);

    public async ValueTask<IReadOnlyList<Publication>> ReadSinceAsync(ChannelName channel, long offset, int limit, CancellationToken cancellationToken) =>
        await store.Readers.ReadAsync(
            reader =>
            {
                var row = LogQueries.Channel(reader, store.Positions, channel);
                return ValueTask.FromResult(LogQueries.Since(reader, store.Rows, channel, row, offset, limit));
            },
            cancellationToken).ConfigureAwait(false);

    public ValueTask<long> ReadLastSequenceAsync(CancellationToken cancellationToken) => ValueTask.FromResult(store.CommittedSequence);

    public async ValueTask<FeedPage> ReadFeedSinceAsync(IReadOnlyList<FeedSource> sources, long sequence, int limit, CancellationToken cancellationToken) =>
        await store.Readers.ReadAsync(
            reader => ValueTask.FromResult(new FeedQuery(reader, store.Rows, store.Positions).Read(sources, sequence, limit)), cancellationToken).ConfigureAwait(false);

    public async ValueTask<IReadOnlyList<Publication>> ReadAllSinceAsync(long sequence, int limit, CancellationToken cancellationToken) =>
        await store.Readers.ReadAsync(
            reader => ValueTask.FromResult(LogQueries.AllSince(reader, store.Rows, store.Positions, sequence, limit)), cancellationToken).ConfigureAwait(false);

    public ValueTask<int> TrimAsync(CancellationToken cancellationToken) => trimming.RunAsync(cancellationToken);
}
