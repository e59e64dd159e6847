using System.Runtime.InteropServices;
using Tidings.Realtime.Channels;
using Tidings.Realtime.Connections;

namespace Tidings.Realtime.Presence;

/// <summary>Who is in which channel, in this process. Every call completes at once.</summary>
internal sealed class MemoryPresenceStore(TimeProvider clock) : IPresenceStore
{
    private readonly Lock _lock = new();
    private readonly Dictionary<ChannelName, Dictionary<string, Entry>> _channels = [];
    private readonly Dictionary<string, Lease> _leases = new(StringComparer.Ordinal);

    /// <inheritdoc />
    public ValueTask<PresenceChange> PutAsync(
        ChannelName channel, PresenceMember member, string node, TimeSpan lifetime, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(member);
        lock (_lock)
        {
            _leases[node] = new Lease(clock.GetTimestamp(), lifetime);
            if (!_channels.TryGetValue(channel, out var members)) _channels[channel] = members = new(StringComparer.Ordinal);

            ref var entry = ref CollectionsMarshal.GetValueRefOrAddDefault(members, member.UserId, out var isKnown);
            entry = entry.With(member, node);

            // Known by a dead node: nobody has been told that the user left, so nobody is told of a return.
            return ValueTask.FromResult(new PresenceChange(!isKnown, CountOf(members)));
        }
    }

    /// <inheritdoc />
    public ValueTask<PresenceChange> RemoveAsync(ChannelName channel, string userId, string node, CancellationToken cancellationToken)
    {
        lock (_lock)
        {
            if (!_channels.TryGetValue(channel, out var members)) return default;
            if (!members.TryGetValue(userId, out var entry) || !entry.Has(node)) return ValueTask.FromResult(new PresenceChange(false, CountOf(members)));

            var isGone = Remove(channel, members, userId, entry, node);
            return ValueTask.FromResult(new PresenceChange(isGone, CountOf(members)));
        }
    }

    /// <inheritdoc />
    public ValueTask<bool> RenewAsync(string node, TimeSpan lifetime, CancellationToken cancellationToken)
    {
        lock (_lock)
        {
            if (!_leases.ContainsKey(node)) return ValueTask.FromResult(false);
            _leases[node] = new Lease(clock.GetTimestamp(), lifetime);
            return ValueTask.FromResult(true);
        }
    }

    /// <inheritdoc />
    public ValueTask<PresenceList> ListAsync(ChannelName channel, int limit, CancellationToken cancellationToken)
    {
        lock (_lock)
        {
            if (!_channels.TryGetValue(channel, out var members)) return ValueTask.FromResult(new PresenceList([], 0));
            var listed = new List<PresenceMember>(Math.Min(limit, members.Count));
            foreach (var entry in members.Values)
            {
                if (listed.Count >= limit) break;
                if (IsAlive(entry)) listed.Add(entry.Member);
            }

            return ValueTask.FromResult(new PresenceList(listed, CountOf(members)));
        }
    }

    /// <inheritdoc />
    public ValueTask<IReadOnlySet<string>> FindAsync(ChannelName channel, IReadOnlyCollection<string> userIds, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(userIds);
        lock (_lock)
        {
            var found = new HashSet<string>(StringComparer.Ordinal);
            if (_channels.TryGetValue(channel, out var members))
                foreach (var userId in userIds)
                    if (members.TryGetValue(userId, out var entry) && IsAlive(entry)) found.Add(userId);
            return ValueTask.FromResult<IReadOnlySet<string>>(found);
        }
    }

    /// <inheritdoc />
    public ValueTask<IReadOnlyList<ExpiredMember>> TakeExpiredAsync(CancellationToken cancellationToken)
    {
        lock (_lock)
        {
            var expired = new List<ExpiredMember>();
            foreach (var (node, lease) in _leases)
            {
                if (IsAlive(lease)) continue;
                _leases.Remove(node); // a dictionary may be removed from while it is walked
                foreach (var (channel, members) in _channels)
                {
                    foreach (var (userId, entry) in members)
                        if (entry.Has(node) && Remove(channel, members, userId, entry, node)) expired.Add(new ExpiredMember(channel, entry.Member, CountOf(members)));
                }
            }

            return ValueTask.FromResult<IReadOnlyList<ExpiredMember>>(expired);
        }
    }

    /// <summary>Takes a node from an entry.</summary>
    /// <returns>Whether no other node has the user there.</returns>
    private bool Remove(ChannelName channel, Dictionary<string, Entry> members, string userId, Entry entry, string node)
    {
        if (entry.Without(node) is { } rest)
        {
            members[userId] = rest;
            return false;
        }

        members.Remove(userId);
        if (members.Count == 0) _channels.Remove(channel);
        return true;
    }

    /// <summary>How many members are there by a living node. Walks only while a node is dead and not yet cleared away.</summary>
    private int CountOf(Dictionary<string, Entry> members)
    {
        foreach (var lease in _leases.Values)
            if (!IsAlive(lease)) return members.Values.Count(IsAlive);
        return members.Count;
    }

    private bool IsAlive(Entry entry)
    {
        if (IsAlive(entry.Node)) return true;
        foreach (var other in entry.Others ?? [])
            if (IsAlive(other)) return true;
        return false;
    }

    private bool IsAlive(string node) => _leases.TryGetValue(node, out var lease) && IsAlive(lease);

    private bool IsAlive(Lease lease) => clock.GetElapsedTime(lease.RenewedAt) < lease.Lifetime;

    private readonly record struct Lease(long RenewedAt, TimeSpan Lifetime);

    /// <summary>One user in one channel. Hardly anybody is there by two nodes, so the first one needs no list.</summary>
    private readonly record struct Entry(PresenceMember Member, string Node, string[]? Others)
    {
        public bool Has(string node) => Node == node || (Others?.Contains(node) ?? false);

        public Entry With(PresenceMember member, string node)
        {
            if (Member is null) return new Entry(member, node, null);
            return Has(node) ? this with { Member = member } : new Entry(member, Node, [.. Others ?? [], node]);
        }

        public Entry? Without(string node)
        {
            if (Others is null) return null;
            string[] rest = [.. Others.Prepend(Node).Where(each => each != node)];
            return new Entry(Member, rest[0], rest.Length == 1 ? null : rest[1..]);
        }
    }
}
