namespace Tidings.Realtime.Channels;

/// <summary>
/// Channels whose names and rules are those of Pusher Channels: an app that moves here keeps its names. Who may read one is told by its
/// prefix and a signature of the host app, so only the protocol that checks those lets anybody in. Their names have no colon, so none is
/// that of a channel of ours.
/// </summary>
internal static class ForeignChannels
{
    /// <summary>The longest name, in characters (which are all ASCII).</summary>
    public const int MaxLength = 200;

    /// <summary>The name of a user's own channel is this and the user's id.</summary>
    public const string UserPrefix = "#server-to-user-";

    /// <summary>
    /// Where the presence store keeps which channels have readers, each as a member. No client and no backend can name it: it is not read from
    /// outside but by <see cref="ChannelName.TryParse"/>.
    /// </summary>
    public static ChannelName Occupied { get; } = ChannelName.Foreign("#occupied");

    // What a client may have missed is kept for as long as one that comes back may take.
    private static readonly ChannelRules Plain = new() { History = 100, HistoryAge = TimeSpan.FromMinutes(5) };

    // The last event is for everybody who comes within this time, to whatever node: that takes the durable log.
    private static readonly ChannelRules Cached = new() { History = 100, HistoryAge = TimeSpan.FromMinutes(30), Durable = true };

    private static readonly ChannelRules Present = Plain with { Presence = PresenceRule.Always };
    private static readonly ChannelRules PresentCached = Cached with { Presence = PresenceRule.Always };

    /// <summary>Whether a text has Pusher's alphabet and a possible length.</summary>
    public static bool IsName(ReadOnlySpan<char> text)
    {
        if (text.StartsWith(UserPrefix, StringComparison.Ordinal))
            return text.Length is > 16 and <= MaxLength && text[UserPrefix.Length..].IndexOfAnyExcept(IdCharacters) < 0;
        return text.Length is > 0 and <= MaxLength && text.IndexOfAnyExcept(NameCharacters) < 0;
    }

    /// <summary>The channel of a user, whatever the id; null if it is too long or no text.</summary>
    public static ChannelName? OfUser(string userId)
    {
        ArgumentNullException.ThrowIfNull(userId);
        if (userId.Length is 0 or > MaxLength) return null;
        var name = UserPrefix + Uri.EscapeDataString(userId);
        return IsName(name) ? ChannelName.Foreign(name) : null;
    }

    /// <summary>The rules that go with a name's prefix.</summary>
    public static ChannelRules RulesOf(ReadOnlySpan<char> name)
    {
        var isPresent = name.StartsWith("presence-", StringComparison.Ordinal);
        return IsCached(name) ? isPresent ? PresentCached : Cached : isPresent ? Present : Plain;
    }

    /// <summary>Whether the last event is kept for those who come after it.</summary>
    public static bool IsCached(ReadOnlySpan<char> name) =>
        name.StartsWith("private-encrypted-cache-", StringComparison.Ordinal) || name.StartsWith("private-cache-", StringComparison.Ordinal)
        || name.StartsWith("presence-cache-", StringComparison.Ordinal) || name.StartsWith("cache-", StringComparison.Ordinal);

    private static readonly System.Buffers.SearchValues<char> NameCharacters =
        System.Buffers.SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_=@,.;");

    private static readonly System.Buffers.SearchValues<char> IdCharacters =
        System.Buffers.SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.~%");
}
