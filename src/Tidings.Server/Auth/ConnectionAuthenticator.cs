using Tidings.Realtime.Connections;
using Tidings.Server.Auth.Jwt;

namespace Tidings.Server.Auth;

/// <summary>Tells the engine who a live connection's token stands for.</summary>
internal sealed class ConnectionAuthenticator(BearerTokens tokens, Revocations revocations, Lazy<Suspensions> suspensions) : IConnectionAuthenticator
{
    /// <inheritdoc />
    public async ValueTask<TokenVerdict> AuthenticateAsync(string token, CancellationToken cancellationToken)
    {
        var verdict = await tokens.AcceptAsync(token, cancellationToken);
        if (verdict.Jwt is not { } jwt) return new TokenVerdict(null, IsExpired: verdict.Error == JwtError.Expired);
        return revocations.CoverToken(jwt.UserId, jwt.IssuedAt) || suspensions.Value.Of(jwt.UserId) is not null
            ? new TokenVerdict(null)
            : new TokenVerdict(new ClientIdentity(jwt.UserId, jwt.ExpiresAt, jwt.SessionId) { IssuedAt = jwt.IssuedAt });
    }
}
