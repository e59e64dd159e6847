using Tidings.Realtime.Presence;

namespace Tidings.Realtime.Channels;

/// <summary>Why a text is not the name of a channel.</summary>
internal enum ChannelNameError
{
    /// <summary>It is one.</summary>
    None,

    /// <summary>It does not follow the grammar.</summary>
    Malformed,

    /// <summary>It follows the grammar, but its kind is neither built in nor configured.</summary>
    UnknownKind,
}

/// <summary>
/// The kinds of channels there are, with their rules: the only place where a name that came from outside becomes a
/// <see cref="ChannelName"/>. Immutable and safe for all threads.
/// </summary>
internal sealed class ChannelCatalog
{
    private readonly Dictionary<string, ChannelRules> _kinds;
    private readonly HashSet<string> _flatEvents;

    /// <summary>Makes a catalog.</summary>
    /// <param name="kinds">The kinds and their rules.</param>
    /// <param name="flatEvents">Event names whose payload is flat in whatever channel they are published; the engine's own always are.</param>
    /// <exception cref="ArgumentException">A kind does not follow the grammar, or its rules contradict each other.</exception>
    public ChannelCatalog(IEnumerable<KeyValuePair<string, ChannelRules>> kinds, IEnumerable<string>? flatEvents = null)
    {
        ArgumentNullException.ThrowIfNull(kinds);
        _kinds = new Dictionary<string, ChannelRules>(kinds, StringComparer.Ordinal);
        _flatEvents = new HashSet<string>(flatEvents ?? [], StringComparer.Ordinal)
        {
            PresenceEvents.Joined, PresenceEvents.Left, PresenceEvents.Counted, PresenceEvents.Typing,
        };

        foreach (var (kind, rules) in _kinds)
        {
            if (!ChannelName.IsKind(kind))
                throw new ArgumentException($"'{kind}' is not a channel kind: use a lower-case letter, then lower-case letters and digits, at most 32.");
            if (rules.History < 0 || rules.HistoryAge <= TimeSpan.Zero)
                throw new ArgumentException($"The history of '{kind}' needs a count of at least 0 and an age above zero.");
            if (rules.SlowReader != SlowReaderPolicy.Cut && rules.History > 0)
                throw new ArgumentException($"'{kind}' has a history, so a slow reader must be cut: set History to 0 or SlowReader to cut.");
            if (rules.Durable && rules.History == 0)
                throw new ArgumentException($"'{kind}' is durable but keeps no history: set History above 0 or Durable to false.");
            if (rules.IsFeed && rules.Presence != PresenceRule.None)
                throw new ArgumentException($"'{kind}' is a feed, which has one reader: set Presence to false.");
        }
    }

    /// <summary>The kinds, each with its rules.</summary>
    public IReadOnlyDictionary<string, ChannelRules> Kinds => _kinds;

    /// <summary>The rules of a channel.</summary>
    public ChannelRules RulesOf(ChannelName channel)
    {
        ArgumentNullException.ThrowIfNull(channel);
        return channel.IsForeign ? ForeignChannels.RulesOf(channel.Value) : _kinds[channel.Kind];
    }

    /// <summary>The rules of a channel that another node speaks of, which may be configured otherwise; null if there is no such kind here.</summary>
    public ChannelRules? FindRules(ChannelName channel)
    {
        ArgumentNullException.ThrowIfNull(channel);
        return channel.IsForeign ? ForeignChannels.RulesOf(channel.Value) : _kinds.GetValueOrDefault(channel.Kind);
    }

    /// <summary>Whether an event's payload is flat: its fields stand beside <c>type</c> and <c>id</c> instead of under <c>data</c>.</summary>
    public bool IsFlat(ChannelName channel, string eventType) =>
        RulesOf(channel).FlatEvents || (_flatEvents.Contains(eventType) && (!channel.IsForeign || PresenceEvents.Is(eventType)));

    /// <summary>Whether an event name belongs to the product or the engine, so that clients may not publish it.</summary>
    public bool IsReserved(string eventType) => _flatEvents.Contains(eventType);

    /// <summary>
    /// Parses a name in any of its spellings: <c>kind:id</c>, <c>kind_id</c>, <c>private-kind-id</c>, <c>presence-kind-id</c>. The
    /// older ones are split at the first separator after the kind. Nothing is trimmed, folded or decoded.
    /// </summary>
    public ChannelNameError Parse(ReadOnlySpan<char> text, out ChannelName? name)
    {
        name = null;

        var colon = text.IndexOf(':');
        if (colon >= 0) return Compose(text[..colon], text[(colon + 1)..], out name);

        return TrySplit(text, out var kind, out var id) ? Compose(kind, id, out name) : ChannelNameError.Malformed;
    }

    /// <summary>
    /// Parses a name as <see cref="Parse"/> does; one that has none of our kinds is one of Pusher's if it can be. For those who are allowed
    /// such names: backends, and the protocol that checks their signatures.
    /// </summary>
    public ChannelNameError ParseAny(ReadOnlySpan<char> text, out ChannelName? name)
    {
        var error = Parse(text, out name);
        if (error == ChannelNameError.None || NamesOurKind(text) || !ForeignChannels.IsName(text)) return error;
        name = ChannelName.Foreign(text.ToString());
        return ChannelNameError.None;
    }

    /// <summary>Makes a name of a kind and an id that came from outside.</summary>
    public ChannelNameError Compose(ReadOnlySpan<char> kind, ReadOnlySpan<char> id, out ChannelName? name)
    {
        name = null;
        if (!ChannelName.IsKind(kind) || !ChannelName.IsId(id)) return ChannelNameError.Malformed;
        if (!_kinds.GetAlternateLookup<ReadOnlySpan<char>>().TryGetValue(kind, out var key, out var rules) || rules.IsInternal) return ChannelNameError.UnknownKind;

        name = new ChannelName(key, id.ToString());
        return ChannelNameError.None;
    }

    /// <summary>Splits a spelling without a colon at the first separator after the kind.</summary>
    private static bool TrySplit(ReadOnlySpan<char> text, out ReadOnlySpan<char> kind, out ReadOnlySpan<char> id)
    {
        var separator = '_';
        foreach (var prefix in (ReadOnlySpan<string>)["private-", "presence-"])
        {
            if (!text.StartsWith(prefix, StringComparison.Ordinal)) continue;
            text = text[prefix.Length..];
            separator = '-';
            break;
        }

        var split = text.IndexOf(separator);
        kind = split < 0 ? default : text[..split];
        id = split < 0 ? default : text[(split + 1)..];
        return split >= 0;
    }

    /// <summary>A name of one of our kinds with an id that is none is a mistake, and not one of Pusher's names.</summary>
    private bool NamesOurKind(ReadOnlySpan<char> text) =>
        TrySplit(text, out var kind, out _) && _kinds.GetAlternateLookup<ReadOnlySpan<char>>().TryGetValue(kind, out var rules) && !rules.IsInternal;
}
