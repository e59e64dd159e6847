namespace Tidings.Realtime;

/// <summary>
/// Why a connection, a message or a request was refused: the closed list of the label <c>reason</c> of <c>tidings_refusals_total</c>.
/// docs/protocol.md has the code of each.
/// </summary>
internal enum Refusal
{
    /// <summary><c>suspended</c>: live connections are switched off.</summary>
    Suspended,

    /// <summary><c>connections_per_user</c>: the user has as many as allowed.</summary>
    ConnectionsPerUser,

    /// <summary><c>connections_per_address</c>: the address has as many as allowed.</summary>
    ConnectionsPerAddress,

    /// <summary><c>connections_total</c>: this node has as many as it can hold.</summary>
    ConnectionsTotal,

    /// <summary><c>handshakes</c>: more came in this second than this node takes.</summary>
    Handshakes,

    /// <summary><c>origin</c>: a page of an origin that is not allowed.</summary>
    Origin,

    /// <summary><c>missing_token</c>: no token, or none in time.</summary>
    MissingToken,

    /// <summary><c>invalid_token</c>: a token that is not accepted.</summary>
    InvalidToken,

    /// <summary><c>token_expired</c>: a token whose time is over.</summary>
    TokenExpired,

    /// <summary><c>unavailable</c>: who it is, or what it may, could not be found out; a fault of ours.</summary>
    Unavailable,

    /// <summary><c>malformed</c>: what was sent can't be understood.</summary>
    Malformed,

    /// <summary><c>too_large</c>: a message over the size limit.</summary>
    TooLarge,

    /// <summary><c>messages</c>: a message over the rate.</summary>
    Messages,

    /// <summary><c>requests</c>: a request of the REST API over the rate, or too many attempts to sign in.</summary>
    Requests,

    /// <summary><c>control_frames</c>: a ping or pong over the rate.</summary>
    ControlFrames,

    /// <summary><c>too_many_subscriptions</c>: the connection has as many as allowed.</summary>
    TooManySubscriptions,

    /// <summary><c>forbidden</c>: not for this user.</summary>
    Forbidden,
}
