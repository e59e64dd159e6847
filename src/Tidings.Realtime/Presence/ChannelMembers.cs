using System.Buffers.Text;
using System.Security.Cryptography;
using Tidings.Realtime.Channels;
using Tidings.Realtime.Connections;

namespace Tidings.Realtime.Presence;

/// <summary>
/// Tells the store and the subscribers who came and who went. Above a number of members a channel's subscribers get one count a second
/// instead, so that a flood of joins costs what its members are, not their square. Safe for all threads.
/// </summary>
internal sealed class ChannelMembers(RealtimeEngine engine, IPresenceStore store)
{
    /// <summary>How often in its lifetime a node renews what it has put.</summary>
    private const int RenewalsPerLifetime = 3;

    private readonly string _node = Base64Url.EncodeToString(RandomNumberGenerator.GetBytes(12));
    private readonly Lock _lock = new();

    /// <summary>The channels whose members are counted, and whether their count has changed since it was told.</summary>
    private readonly Dictionary<ChannelName, bool> _counted = [];
    private long _renewedAt = engine.Clock.GetTimestamp();
    private int _isRenewing;

    /// <summary>Lists a channel's members.</summary>
    public ValueTask<PresenceList> ListAsync(ChannelName channel, CancellationToken cancellationToken) =>
        store.ListAsync(channel, engine.Options.ListedMembers, cancellationToken);

    /// <summary>Which of some users are in a channel.</summary>
    public ValueTask<IReadOnlySet<string>> FindAsync(ChannelName channel, IReadOnlyCollection<string> userIds, CancellationToken cancellationToken) =>
        store.FindAsync(channel, userIds, cancellationToken);

    /// <summary>A user is in a channel by this node.</summary>
    /// <param name="channel">The channel.</param>
    /// <param name="member">The user.</param>
    /// <param name="connectionId">The connection that knows already.</param>
    public async Task PutAsync(ChannelName channel, PresenceMember member, string? connectionId)
    {
        var change = await store.PutAsync(channel, member, _node, engine.Options.PresenceLifetime, CancellationToken.None).ConfigureAwait(false);
        if (change.IsChange) Tell(PresenceEvents.Joined, channel, member, change.Count, connectionId);
    }

    /// <summary>A user is in a channel by this node no more.</summary>
    public async Task RemoveAsync(ChannelName channel, PresenceMember member)
    {
        var change = await store.RemoveAsync(channel, member.UserId, _node, CancellationToken.None).ConfigureAwait(false);
        if (change.IsChange) Tell(PresenceEvents.Left, channel, member, change.Count, null);
    }

    /// <summary>Tells the counts that have changed, renews what this node has put and clears away what dead nodes had.</summary>
    public void Tick(long now)
    {
        ChannelName[] changed;
        lock (_lock)
        {
            changed = [.. _counted.Where(static channel => channel.Value).Select(static channel => channel.Key)];
            foreach (var channel in changed) _counted[channel] = false;
        }

        foreach (var channel in changed) _ = TellCountAsync(channel);

        if (engine.Clock.GetElapsedTime(_renewedAt, now) < engine.Options.PresenceLifetime / RenewalsPerLifetime) return;
        if (Interlocked.Exchange(ref _isRenewing, 1) != 0) return;
        _renewedAt = now;
        _ = RenewAsync();
    }

    private void Tell(string type, ChannelName channel, PresenceMember member, int count, string? connectionId)
    {
        if (channel.IsForeign && engine.Watcher is { } watcher && TellWatcher(watcher, type == PresenceEvents.Joined, channel, member)) return;
        lock (_lock)
        {
            // Once counted, a channel stays so until the next count has been told: those who were not announced must not be missed.
            if (count > engine.Options.AnnouncedMembers || _counted.ContainsKey(channel))
            {
                _counted[channel] = true;
                return;
            }
        }

        engine.Publisher.PublishPassing(PresenceEvents.OfMember(type, channel, member, connectionId, engine.Clock));
    }

    /// <returns>Whether that was all: who reads a channel is kept as a member of a channel that nobody can read.</returns>
    private static bool TellWatcher(IChannelWatcher watcher, bool isJoined, ChannelName channel, PresenceMember member)
    {
        if (channel == ForeignChannels.Occupied)
        {
            if (isJoined) watcher.Occupied(member.UserId);
            else watcher.Vacated(member.UserId);
            return true;
        }

        if (isJoined) watcher.Joined(channel, member);
        else watcher.Left(channel, member);
        return false;
    }

    private async Task TellCountAsync(ChannelName channel)
    {
        try
        {
            var list = await store.ListAsync(channel, 0, CancellationToken.None).ConfigureAwait(false);
            lock (_lock)
            {
                if (list.Count <= engine.Options.AnnouncedMembers && !_counted.GetValueOrDefault(channel)) _counted.Remove(channel);
            }

            engine.Publisher.PublishPassing(PresenceEvents.OfCount(channel, list.Count, engine.Clock));
        }
#pragma warning disable CA1031 // The next change tries again.
        catch (Exception exception)
#pragma warning restore CA1031
        {
            engine.LogFault("counting the members of a channel", exception);
        }
    }

    private async Task RenewAsync()
    {
        try
        {
            if (!await store.RenewAsync(_node, engine.Options.PresenceLifetime, CancellationToken.None).ConfigureAwait(false))
                foreach (var shard in engine.Shards) shard.Post(shard.Members.PutAgain);

            foreach (var (channel, member, count) in await store.TakeExpiredAsync(CancellationToken.None).ConfigureAwait(false))
                Tell(PresenceEvents.Left, channel, member, count, null);
        }
#pragma warning disable CA1031 // The next time tries again.
        catch (Exception exception)
#pragma warning restore CA1031
        {
            engine.LogFault("renewing this node's members", exception);
        }
        finally
        {
            Volatile.Write(ref _isRenewing, 0);
        }
    }
}
