using Tidings.Realtime.Channels;
using Tidings.Realtime.Connections;
using Tidings.Realtime.Fanout;

namespace Tidings.Realtime.Presence;

/// <summary>
/// Which of the users whose home is one shard are in which channels. Connections come and go here at once; the store is told afterwards, one call for a
/// membership at a time, until it has what is true. The engine's tick does all that is due: there is no timer per member. Shard only.
/// </summary>
internal sealed class ShardMembers(Shard shard, RealtimeEngine engine)
{
    /// <summary>How many users' info is read at once.</summary>
    private const int BatchLimit = 256;

    private readonly Dictionary<(ChannelName Channel, string UserId), Membership> _memberships = [];
    private readonly PriorityQueue<Membership, long> _due = new();
    private readonly List<Membership> _arrivals = [];

    /// <summary>A connection of a user is there: the user is online, and within a tick others hear of it, many at a time.</summary>
    public void Connect(string? userId)
    {
        if (userId is null || engine.Options.OnlineChannel is not { } online) return;
        var membership = Enter(online, userId);
        if (membership is { Readers: 1, IsPut: false }) _arrivals.Add(membership);
    }

    /// <summary>A connection of a user is gone.</summary>
    public void Disconnect(string? userId)
    {
        if (userId is not null && engine.Options.OnlineChannel is { } online) Leave(online, userId);
    }

    /// <summary>A subscription with presence is there.</summary>
    public void Join(Subscription subscription)
    {
        if (subscription.Channel == engine.Options.OnlineChannel) return;
        var member = subscription.Member!;
        var membership = Enter(subscription.Channel, member.UserId);
        membership.Member ??= subscription.Channel.IsForeign ? member : OnlineMember(membership.UserId);
        if (membership.Readers == 1) Settle(membership, subscription.Connection.Id);
    }

    /// <summary>A subscription with presence has ended.</summary>
    public void Leave(Subscription subscription)
    {
        if (subscription.Channel != engine.Options.OnlineChannel) Leave(subscription.Channel, subscription.Member!.UserId);
    }

    /// <summary>A channel has one reader more.</summary>
    public void Occupy(string channel)
    {
        var membership = Enter(ForeignChannels.Occupied, channel);
        membership.Member ??= new PresenceMember(channel, default);
        if (membership.Readers == 1) Settle(membership);
    }

    /// <summary>A channel has one reader less.</summary>
    public void Vacate(string channel) => Leave(ForeignChannels.Occupied, channel);

    /// <summary>Reads again what others see of a user, and whether the user wants to be seen online.</summary>
    public void Reread(string userId)
    {
        if (engine.Options.OnlineChannel is not { } online || !_memberships.TryGetValue((online, userId), out var membership)) return;
        membership.Reads++;
        _ = RereadAsync(membership, membership.Reads);
    }

    /// <summary>Calls back, on this shard, when the store knows whether a user is in a channel.</summary>
    public void WhenSettled(ChannelName channel, string userId, Action action)
    {
        if (_memberships.TryGetValue((channel, userId), out var membership) && membership.IsBusy) membership.Settled += action;
        else action();
    }

    /// <summary>Tells the store everything once more: it took this node for dead.</summary>
    public void PutAgain()
    {
        foreach (var membership in _memberships.Values.ToList())
        {
            if (!membership.IsPut) continue;
            MarkPut(membership, false);
            Settle(membership);
        }
    }

    /// <summary>Does what is due, about once a second.</summary>
    public void Tick(long now)
    {
        while (_due.TryPeek(out var membership, out var at) && at <= now)
        {
            _due.Dequeue();
            membership.IsDue = false;
            if (membership.LookAgainAt > now) LookAgain(membership, membership.LookAgainAt);
            else Settle(membership);
        }

        var arrived = _arrivals.Where(static membership => membership is { Readers: > 0, IsPut: false, IsBusy: false, IsHidden: false }).ToList();
        _arrivals.Clear();
        foreach (var batch in arrived.Chunk(BatchLimit)) Put(batch, null);
    }

    private Membership Enter(ChannelName channel, string userId)
    {
        if (!_memberships.TryGetValue((channel, userId), out var membership))
            _memberships[(channel, userId)] = membership = new Membership(channel, userId);
        membership.Readers++;
        return membership;
    }

    private void Leave(ChannelName channel, string userId)
    {
        if (!_memberships.TryGetValue((channel, userId), out var membership) || --membership.Readers > 0) return;
        if (membership is { IsPut: false, IsBusy: false }) _memberships.Remove((channel, userId));
        else LookAgain(membership, engine.Clock.GetTimestamp() + InClockTicks(engine.Options.PresenceGrace));
    }

    private void LookAgain(Membership membership, long at)
    {
        membership.LookAgainAt = at;
        if (membership.IsDue) return;
        membership.IsDue = true;
        _due.Enqueue(membership, at);
    }

    /// <summary>Tells the store what is true, if it knows otherwise.</summary>
    private void Settle(Membership membership, string? connectionId = null)
    {
        if (membership.IsBusy) return;
        var isInGrace = membership.IsPut && membership.Readers == 0 && engine.Clock.GetTimestamp() < membership.LookAgainAt;
        var belongs = !membership.IsHidden && (membership.Readers > 0 || isInGrace);
        if (belongs != membership.IsPut)
        {
            if (belongs) Put([membership], connectionId);
            else Remove(membership);
            return;
        }

        if (membership is { Readers: 0, IsPut: false }) _memberships.Remove((membership.Channel, membership.UserId));
        var settled = membership.Settled;
        membership.Settled = null;
        settled?.Invoke();
    }

    private void Put(Membership[] batch, string? connectionId)
    {
        foreach (var membership in batch) membership.IsBusy = true;
        _ = PutAsync(batch, [.. batch.Select(static membership => (membership.Member, membership.Reads))], connectionId);
    }

    private async Task PutAsync(Membership[] batch, (PresenceMember? Member, ushort Reads)[] known, string? connectionId)
    {
        IReadOnlyDictionary<string, MemberInfo>? infos = null;
        for (var index = 0; index < batch.Length; index++)
        {
            var (membership, member, isHidden, isPut) = (batch[index], known[index].Member, false, false);
            try
            {
                if (member is null)
                {
                    infos ??= await engine.MemberInfo.ReadAsync(
                        [.. batch.Select(static each => each.UserId)], CancellationToken.None).ConfigureAwait(false);
                    var info = infos.GetValueOrDefault(membership.UserId, MemberInfo.None);
                    member = new PresenceMember(membership.UserId, info.Info);
                    isHidden = !info.ShowsOnline && membership.Channel == engine.Options.OnlineChannel;
                }

                if (!isHidden)
                {
                    await engine.Members.PutAsync(membership.Channel, member, connectionId).ConfigureAwait(false);
                    isPut = true;
                }
            }
#pragma warning disable CA1031 // Whatever went wrong, it is tried again after a while.
            catch (Exception exception)
#pragma warning restore CA1031
            {
                engine.LogFault("putting a member into a channel", exception);
            }

            var reads = known[index].Reads;
            shard.Post(() =>
            {
                if (membership.Reads == reads)
                {
                    membership.Member = member;
                    membership.IsHidden = isHidden;
                }

                Done(membership, isPut, isPut || isHidden);
            });
        }
    }

    private void Remove(Membership membership)
    {
        membership.IsBusy = true;
        _ = RemoveAsync(membership, membership.Member!);
    }

    private async Task RemoveAsync(Membership membership, PresenceMember member)
    {
        var isPut = false;
        try
        {
            await engine.Members.RemoveAsync(membership.Channel, member).ConfigureAwait(false);
        }
#pragma warning disable CA1031 // Whatever went wrong, it is tried again after a while.
        catch (Exception exception)
#pragma warning restore CA1031
        {
            engine.LogFault("removing a member from a channel", exception);
            isPut = true;
        }

        shard.Post(() => Done(membership, isPut, !isPut));
    }

    private void Done(Membership membership, bool isPut, bool isDone)
    {
        membership.IsBusy = false;
        MarkPut(membership, isPut);
        if (isDone)
        {
            Settle(membership);
            return;
        }

        LookAgain(membership, engine.Clock.GetTimestamp() + InClockTicks(engine.Options.PresenceGrace));
        var settled = membership.Settled;
        membership.Settled = null;
        settled?.Invoke();
    }

    private async Task RereadAsync(Membership membership, ushort reads)
    {
        var info = new MemberInfo(default, ShowsOnline: false); // what can't be read is rather not shown
        try
        {
            var infos = await engine.MemberInfo.ReadAsync([membership.UserId], CancellationToken.None).ConfigureAwait(false);
            info = infos.GetValueOrDefault(membership.UserId, MemberInfo.None);
        }
#pragma warning disable CA1031 // See above.
        catch (Exception exception)
#pragma warning restore CA1031
        {
            engine.LogFault("reading what others see of a user", exception);
        }

        shard.Post(() =>
        {
            if (membership.Reads != reads) return;
            membership.Member = new PresenceMember(membership.UserId, info.Info);
            membership.IsHidden = !info.ShowsOnline;
            Settle(membership);
        });
    }

    private void MarkPut(Membership membership, bool isPut)
    {
        if (membership.IsPut != isPut) engine.Metrics.CountMembers(isPut ? 1 : -1);
        membership.IsPut = isPut;
    }

    /// <summary>What is known of a user who is online needs no second look.</summary>
    private PresenceMember? OnlineMember(string userId) =>
        engine.Options.OnlineChannel is { } online && _memberships.TryGetValue((online, userId), out var membership) ? membership.Member : null;

    private long InClockTicks(TimeSpan time) => (long)(time.TotalSeconds * engine.Clock.TimestampFrequency);
}
