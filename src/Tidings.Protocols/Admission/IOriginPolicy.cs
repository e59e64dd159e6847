namespace Tidings.Protocols.Admission;

/// <summary>What an <c>Origin</c> is worth.</summary>
public enum OriginVerdict
{
    /// <summary>There is none: no browser, or a page of the same origin that reads a stream.</summary>
    Absent,

    /// <summary>The server's own.</summary>
    Own,

    /// <summary>Another one that was configured.</summary>
    Allowed,

    /// <summary>Any other: answered with 403.</summary>
    Refused,
}

/// <summary>Decides which sites' pages may connect. Called before anything else of a handshake is looked at; must not block.</summary>
public interface IOriginPolicy
{
    /// <summary>Judges an origin.</summary>
    /// <param name="origin">The request's <c>Origin</c> as sent; null if absent, empty if sent more than once.</param>
    /// <param name="scheme">The scheme by which the client reached the server, for example <c>https</c>.</param>
    /// <param name="host">The host and port by which the client reached the server.</param>
    OriginVerdict Judge(string? origin, string scheme, string host);
}
