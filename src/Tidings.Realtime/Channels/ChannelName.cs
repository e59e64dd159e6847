using System.Diagnostics.CodeAnalysis;

namespace Tidings.Realtime.Channels;

/// <summary>
/// The parsed, canonical name of a channel, <c>kind:id</c>. Immutable; compared byte for byte, never by substring.
/// Names that come from outside are parsed by <see cref="ChannelCatalog"/>, which knows the kinds and their older spellings.
/// </summary>
public sealed class ChannelName : IEquatable<ChannelName>
{
    /// <summary>The longest id, in characters (which are all ASCII).</summary>
    public const int MaxIdLength = 128;

    /// <summary>The longest kind, in characters.</summary>
    public const int MaxKindLength = 32;

    private readonly int _hash;

    /// <summary>Makes a name of parts that are known to be good.</summary>
    /// <exception cref="ArgumentException">The kind or the id does not follow the grammar.</exception>
    public ChannelName(string kind, string id)
    {
        ArgumentNullException.ThrowIfNull(kind);
        ArgumentNullException.ThrowIfNull(id);
        if (!IsKind(kind)) throw new ArgumentException($"'{kind}' is not a channel kind.", nameof(kind));
        if (!IsId(id)) throw new ArgumentException("The id is not 1 to 128 of A-Z a-z 0-9 . _ ~ | @ -.", nameof(id));

        Kind = kind;
        Id = id;
        Value = $"{kind}:{id}";
        _hash = string.GetHashCode(Value, StringComparison.Ordinal);
    }

    private ChannelName(string foreign)
    {
        (Kind, Id, Value) = ("", foreign, foreign);
        _hash = string.GetHashCode(Value, StringComparison.Ordinal);
    }

    /// <summary>What stands before the colon, for example <c>feed</c>; empty if the name is not of this form.</summary>
    public string Kind { get; }

    /// <summary>What stands after the colon.</summary>
    public string Id { get; }

    /// <summary>The whole name, <c>kind:id</c>.</summary>
    public string Value { get; }

    /// <summary>Whether the name is one of Pusher's, which has no kind.</summary>
    internal bool IsForeign => Kind.Length == 0;

    /// <summary>Whether a text may be a kind: a lower-case letter, then lower-case letters and digits, at most 32.</summary>
    public static bool IsKind(ReadOnlySpan<char> text)
    {
        if (text.Length is 0 or > MaxKindLength || !char.IsAsciiLetterLower(text[0])) return false;
        foreach (var character in text)
            if (!char.IsAsciiLetterLower(character) && !char.IsAsciiDigit(character)) return false;
        return true;
    }

    /// <summary>Whether a text may be an id: 1 to 128 of <c>A–Z a–z 0–9 . _ ~ | @ -</c>.</summary>
    public static bool IsId(ReadOnlySpan<char> text)
    {
        if (text.Length is 0 or > MaxIdLength) return false;
        foreach (var character in text)
            if (!char.IsAsciiLetterOrDigit(character) && character is not ('.' or '_' or '~' or '|' or '@' or '-')) return false;
        return true;
    }

    /// <summary>A name that follows <see cref="ForeignChannels.IsName"/>.</summary>
    internal static ChannelName Foreign(string name) => new(name);

    /// <summary>Reads a canonical name, of any kind or of none, as another node or the log has it.</summary>
    internal static bool TryParse(string text, [NotNullWhen(true)] out ChannelName? name)
    {
        var colon = text.IndexOf(':', StringComparison.Ordinal);
        if (colon < 0) name = ForeignChannels.IsName(text) || text == ForeignChannels.Occupied.Value ? new ChannelName(text) : null;
        else name = IsKind(text.AsSpan(0, colon)) && IsId(text.AsSpan(colon + 1)) ? new ChannelName(text[..colon], text[(colon + 1)..]) : null;
        return name is not null;
    }

    /// <inheritdoc />
    public bool Equals(ChannelName? other) =>
        other is not null && (ReferenceEquals(this, other) || (_hash == other._hash && Value == other.Value));

    /// <inheritdoc />
    public override bool Equals(object? obj) => Equals(obj as ChannelName);

    /// <inheritdoc />
    public override int GetHashCode() => _hash;

    /// <inheritdoc />
    public override string ToString() => Value;

    /// <summary>Equality of the names.</summary>
    public static bool operator ==(ChannelName? left, ChannelName? right) => left is null ? right is null : left.Equals(right);

    /// <summary>Inequality of the names.</summary>
    public static bool operator !=(ChannelName? left, ChannelName? right) => !(left == right);
}
