using Tidings.Server.Auth.Jwt;
using Tidings.Server.Features.Accounts;

namespace Tidings.Server.Auth;

/// <summary>
/// Accepts tokens of users, ours and the host app's alike: the token itself, its session if it belongs to one of ours, and that the user
/// is known here, which an unknown user of a good token becomes.
/// </summary>
internal sealed class BearerTokens(JwtValidator validator, Sessions sessions, HostUsers users)
{
    /// <exception cref="Storage.StoreUnavailableException">The session or the user cannot be looked up now.</exception>
    public async ValueTask<JwtVerdict> AcceptAsync(string token, CancellationToken cancellationToken)
    {
        var verdict = await validator.ValidateAsync(token, cancellationToken);
        if (verdict.Jwt is not { } jwt) return verdict;

        if (jwt.SessionId is { } sessionId &&
            (await sessions.FindByIdAsync(sessionId, cancellationToken) is not { } session || session.UserId != jwt.UserId))
            return JwtError.SessionEnded;

        await users.EnsureAsync(jwt, cancellationToken);
        return verdict;
    }
}
