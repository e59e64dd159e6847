using Tidings.Realtime.Connections;
using Tidings.Server.Auth.Jwt;

namespace Tidings.Server.Auth;

/// <summary>Tells the engine who a live connection's token stands for.</summary>
internal sealed class ConnectionAuthenticator(BearerTokens tokens) : IConnectionAuthenticator
{
    /// <inheritdoc />
    public async ValueTask<TokenVerdict> AuthenticateAsync(string token, CancellationToken cancellationToken)
    {
        var verdict = await tokens.AcceptAsync(token, cancellationToken);
        return verdict.Jwt is { } jwt
            ? new TokenVerdict(new ClientIdentity(jwt.UserId, jwt.ExpiresAt, jwt.SessionId))
            : new TokenVerdict(null, IsExpired: verdict.Error == JwtError.Expired);
    }
}
