namespace Tidings.Realtime.Connections;

/// <summary>Why a connection ends: the closed list of docs/protocol.md. A code keeps its meaning for ever.</summary>
/// <param name="Code">The close code.</param>
/// <param name="Reason">The text beside it: stable, at most 123 bytes, for example <c>token_expired</c>.</param>
internal sealed record CloseReason(int Code, string Reason)
{
    /// <summary>The client left, or a normal end.</summary>
    public static CloseReason Normal { get; } = new(1000, "");

    /// <summary>The link broke without a goodbye. The code is a mark of ours, never sent: RFC 6455 section 7.4.1.</summary>
    public static CloseReason Lost { get; } = new(1006, "");

    /// <summary>A message that is not text where text is due.</summary>
    public static CloseReason Binary { get; } = new(1003, "binary_not_supported");

    /// <summary>Text that is not UTF-8.</summary>
    public static CloseReason NotUtf8 { get; } = new(1007, "not_utf8");

    /// <summary>A message over the size limit.</summary>
    public static CloseReason TooBig { get; } = new(1009, "too_big");

    /// <summary>No token within the time allowed.</summary>
    public static CloseReason MissingToken { get; } = new(4401, "missing_token");

    /// <summary>A token that is not accepted.</summary>
    public static CloseReason InvalidToken { get; } = new(4401, "invalid_token");

    /// <summary>The token's time is over.</summary>
    public static CloseReason TokenExpired { get; } = new(4401, "token_expired");

    /// <summary>Disconnected by an operator or the backend.</summary>
    public static CloseReason Disconnected { get; } = new(4403, "disconnected");

    /// <summary>No sign of life in time.</summary>
    public static CloseReason NoPong { get; } = new(4408, "no_pong");

    /// <summary>More was waiting than the outbound limit allows.</summary>
    public static CloseReason TooSlow { get; } = new(4409, "too_slow");

    /// <summary>The message cannot be understood at all; <paramref name="what"/> says which of the three ways.</summary>
    public static CloseReason Malformed(string what) => new(4400, what);

    /// <summary>Over a limit; the client may come back after the delay.</summary>
    public static CloseReason OverLimit(TimeSpan retryAfter) => new(4429, Retry(retryAfter));

    /// <summary>The server is going away; the client may come back after the delay, which the caller jitters.</summary>
    public static CloseReason GoingAway(TimeSpan retryAfter) => new(1001, Retry(retryAfter));

    /// <summary>Overloaded or switched off.</summary>
    public static CloseReason Unavailable(TimeSpan retryAfter) => new(4503, Retry(retryAfter));

    /// <summary>Whether the client may be coming back for what it misses, as far as this reason tells.</summary>
    public bool MayBeComingBack => this != Normal && this != Disconnected && this != InvalidToken;

    private static string Retry(TimeSpan delay) => $"retry={(long)delay.TotalMilliseconds}";
}
