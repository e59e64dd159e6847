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

    /// <summary>How long a poll goes on collecting after its first event, so that a burst costs one request.</summary>
    public TimeSpan PollCollectTime { get; set; } = TimeSpan.FromMilliseconds(15);

    /// <summary>How long a message that has begun may take to arrive.</summary>
    public TimeSpan MessageTimeout { get; set; } = TimeSpan.FromSeconds(30);
}
