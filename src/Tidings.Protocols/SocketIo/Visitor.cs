using Tidings.Protocols.Admission;

namespace Tidings.Protocols.SocketIo;

/// <summary>What the handshake of a session told of its client, until it says itself who it is.</summary>
/// <param name="Token">The token in the request; null if it had none.</param>
/// <param name="Otherwise">Who it is without a token: by its cookie, or nobody.</param>
/// <param name="At">When that was found out, a timestamp.</param>
internal sealed record Visitor(string? Token, AdmittanceOf Otherwise, long At)
{
    /// <summary>How long the word of a cookie holds. A session that signs in again later comes back with a new handshake.</summary>
    private static readonly TimeSpan CookieTime = TimeSpan.FromMinutes(1);

    /// <summary>Finds out who it is: by the token that it sends now, else by that of the handshake, else by the cookie.</summary>
    public ValueTask<AdmittanceOf> IdentifyAsync(Gatekeeper gate, string? token, TimeProvider clock, CancellationToken cancellationToken)
    {
        if ((token ?? Token) is { } shown) return gate.IdentifyAsync(shown, cancellationToken);
        return ValueTask.FromResult(Otherwise.Identity?.UserId is not null && clock.GetElapsedTime(At) > CookieTime ? new AdmittanceOf(Admittance.Unavailable) : Otherwise);
    }
}
