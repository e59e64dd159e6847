using Tidings.Realtime.Channels;
using Tidings.Realtime.Feeds;
using Tidings.Realtime.History;
using Tidings.Realtime.Publications;

namespace Tidings.Realtime.Tests;

/// <summary>A node's way to a log that another node has too: what it appends, it carries. It does not say that it has one order.</summary>
internal sealed class SharedLog(EngineHost host, MemoryEventLog log) : IConcurrentEventLog
{
    /// <summary>Whose publications are being appended on this thread; null: those of the node that made the log.</summary>
    [field: ThreadStatic]
    public static EngineHost? Writer { get; private set; }

    public ulong SequenceEpoch => log.SequenceEpoch;

    public ValueTask<IReadOnlyList<Publication>> AppendAsync(IReadOnlyList<PublicationDraft> drafts, CancellationToken cancellationToken)
    {
        Writer = host;
        try
        {
            return log.AppendAsync(drafts, cancellationToken); // at once, on this thread
        }
        finally
        {
            Writer = null;
        }
    }

    public ValueTask<ChannelSnapshot> ReadChannelAsync(ChannelName channel, int recent, CancellationToken cancellationToken) =>
        log.ReadChannelAsync(channel, recent, cancellationToken);

    public ValueTask<IReadOnlyList<Publication>> ReadSinceAsync(ChannelName channel, long offset, int limit, CancellationToken cancellationToken) =>
        log.ReadSinceAsync(channel, offset, limit, cancellationToken);

    public ValueTask<int> TrimAsync(CancellationToken cancellationToken) => log.TrimAsync(cancellationToken);

    public ValueTask<long> ReadLastSequenceAsync(CancellationToken cancellationToken) => log.ReadLastSequenceAsync(cancellationToken);

    public ValueTask<FeedPage> ReadFeedSinceAsync(IReadOnlyList<FeedSource> sources, long sequence, int limit, CancellationToken cancellationToken) =>
        log.ReadFeedSinceAsync(sources, sequence, limit, cancellationToken);

    public ValueTask<IReadOnlyList<Publication>> ReadAllSinceAsync(long sequence, int limit, CancellationToken cancellationToken) =>
        log.ReadAllSinceAsync(sequence, limit, cancellationToken);

    public async ValueTask<LogMark> ReadChangesAsync(LogMark? since, Action<Publication> take, CancellationToken cancellationToken)
    {
        var last = await log.ReadLastSequenceAsync(cancellationToken);
        if (since is not null)
            foreach (var publication in await log.ReadAllSinceAsync(since.CompleteThrough, int.MaxValue - 1, cancellationToken)) if (publication.Sequence <= last) take(publication);
        return new LogMark(last, "");
    }
}
