using Tidings.Realtime.Channels;
using Tidings.Realtime.Connections;

namespace Tidings.Protocols.Admission;

/// <summary>The channels that a connection is subscribed to without asking for each.</summary>
internal static class AttachedChannels
{
    private static readonly string[] OwnKinds = ["user", "notifications", "feed"];

    /// <summary>The channel of everybody, and those of the signed-in user if wanted. Kinds that this host does not have are left out.</summary>
    public static IEnumerable<ChannelName> For(ClientIdentity identity, ChannelCatalog catalog, bool own)
    {
        if (catalog.Compose("broadcast", "all", out var broadcast) == ChannelNameError.None) yield return broadcast!;
        if (!own || identity.UserId is not { } userId) yield break;

        foreach (var kind in OwnKinds)
            if (catalog.Compose(kind, userId, out var channel) == ChannelNameError.None) yield return channel!;
    }
}
