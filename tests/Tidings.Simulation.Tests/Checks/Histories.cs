using Tidings.Realtime.Channels;
using Tidings.Realtime.Publications;

namespace Tidings.Simulation.Tests.Checks;

/// <summary>An event that was committed, with the step at which it was.</summary>
internal sealed record Entry(Publication Publication, int CommittedAt)
{
    /// <summary>Whether it can't always be read, so that a reader may or may not see it.</summary>
    public bool IsPoison => Publication.Draft.Type == Poison;

    public const string Poison = "poison";
}

/// <summary>
/// What really happened, which nothing trims: each channel's events in each of its epochs, the whole durable log, and who followed
/// whom from where to where. The truth that readers are held against.
/// </summary>
internal sealed class Histories
{
    private readonly Dictionary<(ChannelName Channel, ulong Epoch), List<Entry>> _channels = [];
    private readonly List<Entry> _all = [];
    private readonly List<Follow> _follows = [];
    private readonly Dictionary<string, Entry> _byId = [];

    public void Commit(Publication publication, int step)
    {
        var entry = new Entry(publication, step);
        _byId[publication.Draft.Id] = entry;
        if (publication.Position.Exists) Of(publication.Channel, publication.Position.Epoch).Add(entry);
        if (publication.Sequence == 0) return;

        _all.Add(entry);
        if (publication.Draft.Effect is not { Target: { } target } effect) return;
        _follows.RemoveAll(follow => follow.Feed == publication.Channel && follow.Creator == target && follow.Until == long.MaxValue && Ends(follow));
        if (effect.Kind == ChannelEffectKind.Attach) _follows.Add(new Follow(publication.Channel, target, publication.Sequence, long.MaxValue));

        bool Ends(Follow follow)
        {
            _ended.Add(follow with { Until = publication.Sequence });
            return true;
        }
    }

    private readonly List<Follow> _ended = [];

    /// <summary>The creators that a feed follows now, each with the place from which on.</summary>
    public IEnumerable<Follow> FollowsOf(ChannelName feed) => _follows.Where(follow => follow.Feed == feed);

    public Entry? Find(string id) => _byId.GetValueOrDefault(id);

    /// <summary>The events of a direct channel, by offset from 1.</summary>
    public List<Entry> Of(ChannelName channel, ulong epoch)
    {
        if (!_channels.TryGetValue((channel, epoch), out var entries)) _channels[(channel, epoch)] = entries = [];
        return entries;
    }

    /// <summary>The events of the durable log, by place from 1.</summary>
    public List<Entry> All => _all;

    /// <summary>Whether an event has ever belonged in a feed.</summary>
    public bool MayBelong(ChannelName feed, Publication publication) =>
        publication.Channel == feed || _follows.Concat(_ended).Any(follow => follow.Covers(feed, publication));

    /// <summary>Whether an event belongs in a feed still: who was unfollowed since is out of what a reader catches up on.</summary>
    public bool Belongs(ChannelName feed, Publication publication) =>
        publication.Channel == feed || _follows.Any(follow => follow.Covers(feed, publication));
}

/// <summary>A feed takes in a creator after one place of the log and before another.</summary>
internal sealed record Follow(ChannelName Feed, ChannelName Creator, long From, long Until)
{
    public bool Covers(ChannelName feed, Publication publication) =>
        Feed == feed && Creator == publication.Channel && publication.Sequence > From && publication.Sequence < Until;
}
