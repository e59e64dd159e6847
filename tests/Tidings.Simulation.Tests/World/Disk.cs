using Tidings.Realtime.Channels;
using Tidings.Realtime.Feeds;
using Tidings.Realtime.History;
using Tidings.Realtime.Publications;
using Tidings.Simulation.Tests.Checks;

namespace Tidings.Simulation.Tests.World;

/// <summary>What survives a crash: the durable log, which all nodes share, and what was committed with it.</summary>
internal sealed class Disk
{
    private readonly SimulatedWorld _world;
    private readonly MemoryEventLog _log;
    private readonly List<Publication> _committed = [];

    public Disk(SimulatedWorld world)
    {
        _world = world;
        _log = new MemoryEventLog(SimulatedWorld.Catalog, world.Clock, _committed.AddRange, isSequenced: true);
    }

    /// <summary>The channels that have ended.</summary>
    public HashSet<ChannelName> Closed { get; } = [];

    public MemoryEventLog Log => _log;

    /// <summary>Commits, at this moment, events and what changes with them.</summary>
    public IReadOnlyList<Publication> Commit(IReadOnlyList<PublicationDraft> drafts)
    {
        _committed.Clear();
        _ = _log.AppendAsync(drafts, CancellationToken.None).AsTask();
        foreach (var publication in _committed)
        {
            _world.Histories.Commit(publication, _world.Steps.Done);
            if (publication.Draft.Effect?.Kind == ChannelEffectKind.Close) Closed.Add(publication.Channel);
        }

        return [.. _committed];
    }

    /// <summary>The epoch of a channel.</summary>
    public ulong EpochOf(ChannelName channel) => _log.ReadChannelAsync(channel, 0, CancellationToken.None).AsTask().Result.Epoch;

    /// <summary>The sources of a feed as they are at this moment.</summary>
    public IReadOnlyList<FeedSource> SourcesOf(ChannelName feed) =>
        [.. _world.Histories.FollowsOf(feed).Select(static follow => new FeedSource(follow.Creator, follow.From))];

    /// <summary>What a reader of the log gets for an event: what can't be read keeps its place.</summary>
    public static Publication AsRead(Publication publication) => publication.Draft.Type != Entry.Poison
        ? publication
        : new Publication(publication.Draft with { Type = Publication.TombstoneType, Payload = default }, publication.Position, publication.FeedPosition);
}
