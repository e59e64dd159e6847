using Tidings.Realtime.Channels;
using Tidings.Realtime.History;
using Tidings.Realtime.Publications;
using Tidings.Realtime.Publishing;

namespace Tidings.Realtime.Brokers;

/// <summary>
/// Where what a broker brings enters the engine, and where lost messages are noticed: what is in the durable log is read from there, and
/// for what is kept in memory the readers are told that something is missing. Any thread.
/// </summary>
internal sealed class BusEnd(RealtimeEngine engine, IBroker broker, MemoryEventLog memory, OwnStreams ownStreams) : IBusReceiver
{
    private static readonly TimeSpan CheckInterval = TimeSpan.FromSeconds(5);

    private readonly OtherStreams _others = new(engine.Clock);
    private long _checkedAt = engine.Clock.GetTimestamp();

    /// <summary>Raised with what another node tells, before this node acts on it.</summary>
    public event Action<ControlMessage>? Heard;

    /// <inheritdoc />
    public void Receive(IReadOnlyList<Publication> publications) => engine.Fanout.Receive(publications);

    /// <inheritdoc />
    public void ReceiveFromOthers(IReadOnlyList<Publication> publications)
    {
        var wanted = new List<Publication>(publications.Count);
        foreach (var publication in publications)
        {
            // Another node may be configured otherwise, or stand on another log.
            if (engine.Catalog.FindRules(publication.Channel) is not { } rules) continue;
            if (publication.Stream is not null)
            {
                if (rules is { Durable: false, History: > 0 }) Keep(publication);
            }
            else if (publication.Sequence == 0 || (rules.Durable && publication.FeedPosition.Epoch == engine.DurableLog.SequenceEpoch))
            {
                wanted.Add(publication);
            }
        }

        if (wanted.Count > 0) engine.Fanout.Receive(wanted);
    }

    /// <inheritdoc />
    public void Hear(ControlMessage message)
    {
        Heard?.Invoke(message);
        switch (message)
        {
            case DisconnectUser disconnect:
                engine.DisconnectHere(disconnect);
                break;
            case RevokeChannel revoke:
                _ = engine.RevokeHereAsync(revoke.Channel, revoke.UserId);
                break;
            case RereadMember reread:
                engine.RereadMemberHere(reread.UserId);
                break;
            case StreamHeads { Heads: var heads }:
                foreach (var head in heads)
                    if (_others.IsBehind(head)) Renew(head.Channel);
                break;
            case NewInLog { Channel: var channel, UpTo: var place }:
                if (engine.Channels.Find(channel)?.IsBehind(place) == true) _ = CatchUpAsync(); // one look at the log serves many
                break;
            case AskForHeads:
                ownStreams.TellAgain();
                break;
        }
    }

    /// <inheritdoc />
    public void CameBack()
    {
        ownStreams.TellAgain();
        broker.Tell(new AskForHeads());
        _ = CatchUpAsync();
    }

    /// <summary>A channel is live on this node from now on.</summary>
    public void Watch(ChannelName channel, ChannelRules rules)
    {
        if (!broker.HasOthers) return;
        if (IsKeptInMemory(rules)) _others.Begin(channel);
        broker.Watch(channel);
    }

    /// <summary>A channel is live on this node no more.</summary>
    public void Unwatch(ChannelName channel, ChannelRules rules)
    {
        if (!broker.HasOthers) return;
        if (IsKeptInMemory(rules)) _others.End(channel);
        broker.Unwatch(channel);
    }

    /// <summary>Completes when what other nodes publish to a channel arrives here. Where it stands must not be read before.</summary>
    public async Task SettleAsync(ChannelName channel, ChannelRules rules)
    {
        if (!broker.HasOthers) return;
        await broker.SettledAsync().ConfigureAwait(false);
        if (!IsKeptInMemory(rules)) return;

        // What others published to it while nobody watched is not here: whoever has a position from before must hear that.
        _others.Settle(channel);
        memory.Renew(channel);
    }

    /// <summary>Looks for what was lost without a trace, from time to time.</summary>
    public void Tick(long now)
    {
        if (!broker.HasOthers || engine.Clock.GetElapsedTime(_checkedAt, now) < CheckInterval) return;
        _checkedAt = now;
        _ = CatchUpAsync();
        foreach (var heads in ownStreams.TakeUntold().Chunk(BusCodec.MaxHeads)) broker.Tell(new StreamHeads(heads));
    }

    private async Task CatchUpAsync()
    {
        try
        {
            await engine.CatchUpAsync().ConfigureAwait(false);
        }
#pragma warning disable CA1031 // The next look finds it.
        catch (Exception exception)
#pragma warning restore CA1031
        {
            engine.LogFault("looking for what the bus lost", exception);
        }
    }

    private static bool IsKeptInMemory(ChannelRules rules) => rules is { Durable: false, History: > 0 };

    private void Keep(Publication publication)
    {
        var step = _others.Take(publication.Channel, publication.Stream!.Value);
        if (step == StreamStep.Missed) Renew(publication.Channel);
        if (step != StreamStep.Known) memory.Adopt(publication.Draft, Receive);
    }

    /// <summary>Something of a channel that is kept in memory is missing here for ever: its history begins anew, and readers are told when they come back.</summary>
    private void Renew(ChannelName channel)
    {
        engine.Metrics.CountHole();
        memory.Renew(channel);
        engine.Channels.Find(channel)?.BeginAnew();
    }
}
