using System.Net;

namespace Tidings.Protocols;

/// <summary>Who may connect, and the times of the native protocol's three transports.</summary>
public sealed class NativeProtocolOptions
{
    /// <summary>Whether a client without a token may connect; it then reaches public channels only.</summary>
    public bool AllowAnonymous { get; set; }

    /// <summary>
    /// The origins of other sites whose pages may connect, each exactly as a browser sends it, for example
    /// <c>https://app.example</c>. The server's own origin is always allowed.
    /// </summary>
    public IList<string> AllowedOrigins { get; } = [];

    /// <summary>The most connections, event streams and waiting polls of one address: an IPv4 address, or an IPv6 network of 64 bits.</summary>
    public int ConnectionsPerAddress { get; set; } = 200;

    /// <summary>The most connections, event streams and waiting polls altogether. Each holds a file handle.</summary>
    public int Connections { get; set; } = int.MaxValue;

    /// <summary>How many more of them are taken in a second, whatever becomes of them.</summary>
    public int HandshakesPerSecond { get; set; } = 5_000;

    /// <summary>
    /// Proxies whose forwarded addresses the host applies before it comes to us. A connection whose address is still one of these is not
    /// counted by address: whose it is, is not known.
    /// </summary>
    public IList<IPNetwork> TrustedProxies { get; } = [IPNetwork.Parse("127.0.0.0/8"), IPNetwork.Parse("::1/128")];

    /// <summary>How long a poll goes on collecting after its first event, so that a burst costs one request.</summary>
    public TimeSpan PollCollectTime { get; set; } = TimeSpan.FromMilliseconds(15);

    /// <summary>How long a message that has begun may take to arrive.</summary>
    public TimeSpan MessageTimeout { get; set; } = TimeSpan.FromSeconds(30);
}
