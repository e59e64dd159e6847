using Tidings.Realtime.Channels;

namespace Tidings.Server.Scaleout.Redis;

/// <summary>
/// The names that this installation of Tidings has in Redis. All begin with a fixed prefix, and what comes from outside stands at the end
/// of a name: it can neither be taken for another nor, for want of braces in its alphabet, choose a slot.
/// </summary>
internal sealed class RedisNames(string appId)
{
    private readonly string _channels = $"tidings:{appId}:channel:";

    /// <summary>The Redis channel for what every node hears.</summary>
    public string Nodes { get; } = $"tidings:{appId}:nodes";

    /// <summary>What the keys of presence begin with.</summary>
    public string Presence { get; } = $"tidings:{appId}:presence:";

    /// <summary>What the keys begin with that tell how many readers each node's channels have.</summary>
    public string Readers { get; } = $"tidings:{appId}:readers:";

    /// <summary>What the keys begin with that tell which node publishes a message of a backend.</summary>
    public string Ingress { get; } = $"tidings:{appId}:ingress:";

    /// <summary>The Redis channel that carries one of ours.</summary>
    public string Of(ChannelName channel) => _channels + channel.Value;

    /// <summary>Which of ours a Redis channel carries; null if none.</summary>
    public ReadOnlySpan<char> ChannelOf(string name) => name.StartsWith(_channels, StringComparison.Ordinal) ? name.AsSpan(_channels.Length) : default;
}
