using Tidings.Realtime.Channels;
using Tidings.Realtime.Connections;

namespace Tidings.Realtime.Publications;

/// <summary>One of the two forms of a publication.</summary>
internal enum PublicationForm
{
    /// <summary>What every reader of the channel may see.</summary>
    Open,

    /// <summary>What a reader sees who holds the right it takes.</summary>
    Full,
}

/// <summary>
/// One message of a channel as it travels through the engine. Immutable apart from a cache of its encodings, which any thread may
/// fill, and from what <see cref="Rewrite"/> does; one instance serves all subscribers.
/// </summary>
internal sealed class Publication
{
    /// <summary>
    /// The type of what stands in for an event that could not be read. Its offset is kept so that the history has no hole, but it is
    /// not delivered.
    /// </summary>
    public const string TombstoneType = "tombstone";

    private EncodedPush?[] _encodings = [];

    /// <summary>Gives a draft its place.</summary>
    /// <param name="draft">What was published.</param>
    /// <param name="position">Its place in its channel; default for a passing event, which has none.</param>
    /// <param name="feedPosition">Its place in the whole durable log, which feeds use; default if it is not in it.</param>
    public Publication(PublicationDraft draft, Position position = default, Position feedPosition = default)
        : this(draft, position, feedPosition, feedPosition.Offset)
    {
    }

    /// <summary>Gives a draft of a log without one order its place.</summary>
    /// <param name="draft">What was published.</param>
    /// <param name="position">Its place in its channel.</param>
    /// <param name="feedPosition">What the reader of a feed holds who has this event: a place up to which everything came before it.</param>
    /// <param name="sequence">Its own place in the whole log.</param>
    public Publication(PublicationDraft draft, Position position, Position feedPosition, long sequence)
    {
        ArgumentNullException.ThrowIfNull(draft);
        Draft = draft;
        IsTombstone = draft.Type == TombstoneType;
        Position = position;
        FeedPosition = feedPosition;
        Sequence = sequence;
    }

    /// <summary>What was published.</summary>
    public PublicationDraft Draft { get; private set; }

    /// <summary>Where it went.</summary>
    public ChannelName Channel => Draft.Channel;

    /// <summary>Its place in its channel; <see cref="Position.None"/> for an event without one.</summary>
    public Position Position { get; }

    /// <summary>
    /// What a feed's reader holds who has this event, a place in the whole durable log: everything up to it came before this event, or is
    /// it. <see cref="Position.None"/> if it is not in the log.
    /// </summary>
    public Position FeedPosition { get; }

    /// <summary>Its place among its node's own, if its channel is kept in memory.</summary>
    public StreamPlace? Stream { get; init; }

    /// <summary>
    /// Its own place in the durable log; 0 if it is not in it. It never falls within a channel. Unless the log has one order of all
    /// channels, events of several channels share a place and arrive in any order.
    /// </summary>
    public long Sequence { get; }

    /// <summary>Whether it stands in for an event that could not be read.</summary>
    public bool IsTombstone { get; }

    /// <summary>The same event as it is handed on by a node of a log without one order.</summary>
    /// <param name="handedOver">Everything up to this place has been handed to the readers on this node before.</param>
    public Publication After(Position handedOver) => new(Draft, Position, handedOver, Sequence);

    /// <summary>
    /// Takes in what has become of it in the log: what it carries and the right that this takes, nothing else of it. Any thread. Whoever is
    /// writing it at this moment writes it as it was, or as it is.
    /// </summary>
    /// <param name="change">What it is now, or null if it stays.</param>
    public void Rewrite(Func<PublicationDraft, PublicationDraft?> change)
    {
        ArgumentNullException.ThrowIfNull(change);
        if (change(Draft) is not { } rewritten) return;
        Draft = rewritten;
        Interlocked.Exchange(ref _encodings, new EncodedPush?[1]); // one of its own, so that nobody takes it for the one before
    }

    /// <summary>The form that a reader with these rights gets.</summary>
    public PublicationForm FormFor(IReaderRights rights)
    {
        ArgumentNullException.ThrowIfNull(rights);
        return Draft.FullNeeds is { } need && rights.Holds(need) ? PublicationForm.Full : PublicationForm.Open;
    }

    /// <summary>The payload of a form.</summary>
    public ReadOnlyMemory<byte> PayloadOf(PublicationForm form) =>
        form == PublicationForm.Full && Draft.FullPayload is { } full ? full : Draft.Payload;

    /// <summary>The bytes of this publication in one wire format and one form, built on first use and shared from then on.</summary>
    public EncodedPush EncodingFor(IWireFormat format, PublicationForm form)
    {
        ArgumentNullException.ThrowIfNull(format);
        var slot = (format.Slot * 2) + (int)form;

        var known = _encodings;
        if (slot < known.Length && known[slot] is { } encoded) return encoded;

        // Two shards may encode the same thing at the same moment; both results are equal and one is dropped. What was encoded while the
        // publication was rewritten is not kept.
        encoded = format.EncodePush(this, form);
        var grown = new EncodedPush?[Math.Max(slot + 1, known.Length)];
        known.CopyTo(grown, 0);
        grown[slot] = encoded;
        Interlocked.CompareExchange(ref _encodings, grown, known);
        return encoded;
    }
}
