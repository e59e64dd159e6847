using Tidings.Realtime.Channels;

namespace Tidings.Protocols.Pusher;

/// <summary>A channel's name as a client spells it. What it takes to read the channel is told by its prefix, the longest that fits.</summary>
/// <param name="Text">The name.</param>
internal readonly record struct PusherName(string Text)
{
    /// <summary>Whether a subscription takes a signature.</summary>
    public bool IsSigned => Text.StartsWith("private-", StringComparison.Ordinal) || IsPresence;

    /// <summary>Whether its subscribers see each other.</summary>
    public bool IsPresence => Text.StartsWith("presence-", StringComparison.Ordinal);

    /// <summary>Whether only its readers can read what is in it.</summary>
    public bool IsEncrypted => Text.StartsWith("private-encrypted-", StringComparison.Ordinal);

    /// <summary>Whether its last event is kept for who comes later.</summary>
    public bool IsCached => ForeignChannels.IsCached(Text);

    /// <summary>The user whose own channel it is, or null.</summary>
    public string? UserId => Text.StartsWith(ForeignChannels.UserPrefix, StringComparison.Ordinal) ? Text[ForeignChannels.UserPrefix.Length..] : null;

    /// <summary>Finds the channel: one of ours in one of its spellings, or one of Pusher's own.</summary>
    public ChannelNameError Find(ChannelCatalog catalog, out ChannelName? channel)
    {
        if (UserId is not { } userId) return Text.Contains(':', StringComparison.Ordinal) ? Malformed(out channel) : catalog.ParseAny(Text, out channel);
        channel = ForeignChannels.OfUser(userId);
        return channel is null ? ChannelNameError.Malformed : ChannelNameError.None;
    }

    /// <summary>
    /// Whether a signature alone opens a channel: one with a name of Pusher's, or of a kind that takes a token of the host's, since what its
    /// endpoint signs with the app's secret is the same word.
    /// </summary>
    public static bool IsHostsWord(ChannelCatalog catalog, ChannelName channel) => channel.IsForeign || catalog.RulesOf(channel).Access == AccessRule.Token;

    /// <summary>A name that a Pusher client could spell, of a channel that nobody has spelled.</summary>
    public static string SpellingOf(ChannelName channel) => channel.IsForeign ? channel.Value : $"{channel.Kind}_{channel.Id}";

    private static ChannelNameError Malformed(out ChannelName? channel)
    {
        channel = null; // no library of Pusher's sends a colon, and a name must not have two sets of rules
        return ChannelNameError.Malformed;
    }
}
