using Tidings.Realtime.Channels;
using Tidings.Realtime.Publications;
using Tidings.Realtime.Scheduling;

namespace Tidings.Realtime.Connections;

/// <summary>One channel on one connection. Touched only on the connection's shard.</summary>
internal sealed class Subscription
{
    private List<Publication>? _held;
    private Position _givenUpThrough;
    private IReadOnlyList<Publication> _missed = [];
    private readonly KeptBack? _keptBack;
    private int _replayed;

    internal Subscription(Connection connection, ChannelName channel, ChannelRules rules, IReaderRights rights)
    {
        Connection = connection;
        Channel = channel;
        IsFeed = rules.IsFeed;
        if (rules.SlowReader != SlowReaderPolicy.Cut) _keptBack = new KeptBack(rules.SlowReader, connection.Engine.Options.OutboundBytes, connection.Engine.Outbound);
        Rights = rights;
    }

    /// <summary>The channel.</summary>
    public ChannelName Channel { get; }

    /// <summary>Whether the channel is a feed, so that events arrive from other channels and positions are places in the whole log.</summary>
    public bool IsFeed { get; }

    /// <summary>The place of the last event that was delivered, or passed over, to this subscription.</summary>
    public Position Position { get; internal set; }

    internal Connection Connection { get; }

    internal IReaderRights Rights { get; }

    /// <summary>Its index among the readers of its channel on this shard, kept so that leaving takes no search.</summary>
    internal int ReaderIndex { get; set; } = -1;

    internal bool HasEnded { get; private set; }

    /// <summary>Whether the server subscribed by itself, so that the client may still name the position from which to resume.</summary>
    internal bool IsAttached { get; set; }

    /// <summary>As whom it is in the channel, but for the channel of who is online, where connections count; null if it is not, and hears of no members.</summary>
    internal PresenceMember? Member { get; init; }

    /// <summary>Whether it hears of members.</summary>
    internal bool HasPresence => Member is not null;

    /// <summary>The wire format's own, as given when it was made.</summary>
    internal object? State { get; set; }

    /// <summary>Rewrites what it has not written yet of what was kept for it.</summary>
    internal void Rewrite(HashSet<ChannelName> channels, Func<PublicationDraft, PublicationDraft?> change)
    {
        if (_missed.Count == 0 && _held is not { Count: > 0 }) return;
        foreach (var publication in _missed.Concat(_held ?? []))
            if (channels.Contains(publication.Channel)) publication.Rewrite(change);
    }

    /// <summary>The client asks for what the server has subscribed it to by itself.</summary>
    internal void BecomeTheClients(object state) => (State, IsAttached) = (state, false);

    /// <summary>Nothing more is delivered, and nothing is kept for it.</summary>
    internal void End()
    {
        HasEnded = true;
        _keptBack?.Clear();
    }

    /// <summary>From now on live events wait, until <see cref="Start"/> or <see cref="Release"/>: what was missed comes first.</summary>
    internal void Hold() => _held = [];

    /// <summary>Answers, and delivers what comes after a place.</summary>
    internal void Start(long? requestId, Position top)
    {
        var held = _held ?? [];
        _held = null;
        Position = Later(top, _givenUpThrough);
        Connection.Write(new SubscribedMessage(requestId, Channel, Position, null));
        foreach (var publication in held) Push(publication);
    }

    /// <summary>Delivers one publication, or keeps it back while holding. What the reader already has is passed over.</summary>
    internal void Deliver(Publication publication)
    {
        if (_held is null)
        {
            Push(publication);
            return;
        }

        if (_held.Count < Connection.Engine.Options.HeldEvents)
        {
            _held.Add(publication);
            return;
        }

        // Too much happened during the replay, of which the client has been told that it is whole: it comes back for the rest.
        if (_replayed < _missed.Count)
        {
            Connection.Engine.Metrics.CountSlowReader();
            Connection.Close(CloseReason.TooSlow);
            return;
        }

        // Too much happened during the recovery. It ends as "not recovered", behind what is given up here.
        foreach (var held in _held) _givenUpThrough = Later(_givenUpThrough, PlaceOf(held));
        _givenUpThrough = Later(_givenUpThrough, PlaceOf(publication));
        _held.Clear();
    }

    /// <summary>Ends holding: answers, replays what was missed, then what arrived meanwhile, newer only.</summary>
    /// <param name="requestId">The client's number.</param>
    /// <param name="since">The position that the client named.</param>
    /// <param name="top">Where the channel stood when holding began.</param>
    /// <param name="missed">What came after it, or null if it can't be had.</param>
    internal void Release(long? requestId, Position since, Position top, IReadOnlyList<Publication>? missed)
    {
        var isRecovered = missed is not null && !_givenUpThrough.Exists;
        top = Later(top, _givenUpThrough);
        if (IsFeed && isRecovered && _held is { Count: > 0 }) ForgetHeld(missed!);

        Position = isRecovered ? since : top;
        Connection.Write(new SubscribedMessage(requestId, Channel, top, isRecovered));
        if (isRecovered) _missed = missed!;
        _held ??= [];
        ContinueReplay();
    }

    /// <summary>The connection has room again.</summary>
    internal void Continue()
    {
        if (_keptBack is null)
        {
            ContinueReplay();
            return;
        }

        while (_keptBack.Count > 0 && !HasEnded)
        {
            if (Connection.IsBehind)
            {
                Connection.ContinueLater(this);
                return;
            }

            Write(_keptBack.Take());
        }
    }

    /// <summary>Replays as much of what was missed as there is room for; at its end what was held follows, and holding is over.</summary>
    internal void ContinueReplay()
    {
        if (Mutants.Active == Mutant.ReleaseBeforeReplay) ReleaseHeld();
        for (; _replayed < _missed.Count; _replayed++)
        {
            if (HasEnded || !Connection.MayReplay(this)) return;
            Push(_missed[_replayed]);
        }

        var held = _held ?? [];
        (_held, _missed, _replayed) = (null, [], 0);
        foreach (var publication in held) Push(publication);
    }

    private void ReleaseHeld()
    {
        foreach (var publication in _held ?? []) Push(publication);
        _held = [];
    }

    /// <summary>Without one order of the whole log, what a feed's reader missed may have been held as well.</summary>
    private void ForgetHeld(IReadOnlyList<Publication> missed)
    {
        var ids = missed.Select(static publication => publication.Draft.Id).ToHashSet(StringComparer.Ordinal);
        _held!.RemoveAll(held => ids.Contains(held.Draft.Id));
    }

    private static Position Later(Position one, Position other) => other.Exists && other.Offset > one.Offset ? other : one;

    private Position PlaceOf(Publication publication) => IsFeed ? publication.FeedPosition : publication.Position;

    private void Push(Publication publication)
    {
        if (HasEnded) return;

        var place = PlaceOf(publication);
        if (place.Exists)
        {
            var own = IsFeed ? publication.Sequence : place.Offset;
            if (own <= Position.Offset && place.Epoch == Position.Epoch && Mutants.Active != Mutant.KeepDuplicates) return;

            // A channel's offsets have no holes, so a reader never sees one: rather no connection than a silent gap.
            if (!IsFeed && (place.Epoch != Position.Epoch || place.Offset != Position.Offset + 1) && Mutants.Active == Mutant.None)
            {
                Connection.Engine.Metrics.CountHole();
                Connection.Close(CloseReason.GoingAway(TimeSpan.FromSeconds(1)));
                return;
            }

            if (!IsFeed || place.Epoch != Position.Epoch || place.Offset > Position.Offset) Position = place;
        }
        else if (IsFeed || (publication.Draft.IsForMembers && !HasPresence))
        {
            return;
        }

        if (publication.IsTombstone || publication.Draft.ExcludedConnectionId == Connection.Id || Rights.Hides(publication)) return;

        if (_keptBack is { } keptBack && (keptBack.Count > 0 || Connection.IsBehind))
        {
            if (keptBack.Count == 0) Connection.ContinueLater(this);
            Connection.Engine.Metrics.CountDropped(keptBack.Add(publication));
            return;
        }

        Write(publication);
    }

    private void Write(Publication publication)
    {
        var form = Mutants.Active == Mutant.FullFormInReplay && _missed.Count > 0 ? PublicationForm.Full : publication.FormFor(Rights);
        try
        {
            var push = publication.EncodingFor(Connection.Format, form);
            Connection.Format.WritePush(Connection, this, publication, push);
            Connection.Shard.CountDelivery(Connection.Format, publication);
        }
#pragma warning disable CA1031 // What one wire format can't write must not keep it from the readers of the others.
        catch (Exception exception)
#pragma warning restore CA1031
        {
            Connection.FailToWrite("an event", exception);
        }
    }
}
