using Tidings.Realtime.Channels;
using Tidings.Realtime.Feeds;
using Tidings.Realtime.History;
using Tidings.Realtime.Publications;
using Tidings.Realtime.Scheduling;

namespace Tidings.Simulation.Tests.World;

/// <summary>One node's way to the disk: every answer takes its time, and some never come or are faults.</summary>
internal sealed class NodeLog(SimulatedWorld world, Node node) : IDurableEventLog, IFeedSources
{
    public ulong SequenceEpoch => world.Disk.Log.SequenceEpoch;

    public async ValueTask<IReadOnlyList<Publication>> AppendAsync(IReadOnlyList<PublicationDraft> drafts, CancellationToken cancellationToken)
    {
        var acknowledged = new TaskCompletionSource<IReadOnlyList<Publication>>();
        if (Mutants.Active == Mutant.AcknowledgeBeforeCommit)
            world.Steps.Add(node, $"{node} acknowledges", () => acknowledged.TrySetResult([.. drafts.Select(static draft => new Publication(draft))]));
        world.Steps.Add(node, $"{node} commits", () => Commit(drafts, acknowledged));
        return await acknowledged.Task;
    }

    public ValueTask<ChannelSnapshot> ReadChannelAsync(ChannelName channel, int recent, CancellationToken cancellationToken) =>
        ReadAsync("a channel", async log =>
        {
            var snapshot = await log.ReadChannelAsync(channel, recent, cancellationToken);
            return snapshot with { Recent = AsRead(snapshot.Recent) };
        });

    public ValueTask<IReadOnlyList<Publication>> ReadSinceAsync(ChannelName channel, long offset, int limit, CancellationToken cancellationToken) =>
        ReadAsync("since", async log => AsRead(await log.ReadSinceAsync(channel, offset, limit, cancellationToken)));

    public ValueTask<long> ReadLastSequenceAsync(CancellationToken cancellationToken) =>
        ReadAsync("the last place", log => log.ReadLastSequenceAsync(cancellationToken));

    public ValueTask<FeedPage> ReadFeedSinceAsync(IReadOnlyList<FeedSource> sources, long sequence, int limit, CancellationToken cancellationToken) =>
        ReadAsync("a feed", async log =>
        {
            var page = await log.ReadFeedSinceAsync(sources, sequence, limit, cancellationToken);
            return page with { Events = AsRead(page.Events) };
        });

    public ValueTask<IReadOnlyList<Publication>> ReadAllSinceAsync(long sequence, int limit, CancellationToken cancellationToken) =>
        ReadAsync("all since", async log => AsRead(await log.ReadAllSinceAsync(sequence, limit, cancellationToken)));

    public ValueTask<int> TrimAsync(CancellationToken cancellationToken) => world.Disk.Log.TrimAsync(cancellationToken);

    async ValueTask<IReadOnlyList<FeedSource>> IFeedSources.ReadAsync(ChannelName feed, CancellationToken cancellationToken) =>
        await ReadAsync("sources", _ => ValueTask.FromResult(world.Disk.SourcesOf(feed)));

    /// <summary>The node may crash before, between and after what this leads to.</summary>
    private void Commit(IReadOnlyList<PublicationDraft> drafts, TaskCompletionSource<IReadOnlyList<Publication>> acknowledged)
    {
        if (world.Fails())
        {
            acknowledged.TrySetException(new SimulatedFaultException("The transaction was rolled back."));
            return;
        }

        var publications = world.Disk.Commit(drafts);
        var id = publications[0].Draft.Id;
        world.Steps.Add(node, $"{node} hands over {id}", () => node.Engine.Publisher.Carry([.. publications.Select(AsCarried)]));
        world.Steps.Add(node, $"{node} acknowledges {id}", () =>
        {
            if (world.Fails()) acknowledged.TrySetException(new SimulatedFaultException("The answer was lost."));
            else acknowledged.TrySetResult(publications);
        });
    }

    /// <summary>The answer is what was true at some moment between the question and its arrival.</summary>
    private async ValueTask<T> ReadAsync<T>(string what, Func<MemoryEventLog, ValueTask<T>> read)
    {
        await world.Steps.LaterAsync(node, $"{node} reads {what}");
        if (world.Fails()) throw new SimulatedFaultException("The disk could not be read.");
        var answer = await read(world.Disk.Log);
        await world.Steps.LaterAsync(node, $"{node} has read {what}");
        return answer;
    }

    private Publication AsCarried(Publication publication) => world.Happens(50) ? publication : Disk.AsRead(publication);

    private static IReadOnlyList<Publication> AsRead(IReadOnlyList<Publication> publications) => [.. publications.Select(Disk.AsRead)];
}

/// <summary>A fault that the simulation made up.</summary>
internal sealed class SimulatedFaultException(string message) : Exception(message);
