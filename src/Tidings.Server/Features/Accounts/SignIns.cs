using Tidings.Server.Auth;
using Tidings.Server.Auth.Jwt;

namespace Tidings.Server.Features.Accounts;

/// <summary>What happens when somebody has proved who they are: a session begins, the browser gets its cookie, other clients a token.</summary>
internal sealed class SignIns(Sessions sessions, JwtMinter minter)
{
    /// <summary>How long the token of a sign-in lives, for clients without cookies. It dies with its session when they sign out.</summary>
    public static readonly TimeSpan TokenLifetime = TimeSpan.FromHours(12);

    public async Task<SignInView> StartAsync(HttpContext context, AccountRow user, CancellationToken cancellationToken)
    {
        var started = await sessions.StartAsync(user.Id, cancellationToken);
        SessionCookie.Append(context, started.CookieValue);
        var minted = minter.Mint(user.Id, TokenLifetime, started.Session.Id);
        return new SignInView(AccountView.Of(user), minted.Token, minted.ExpiresAt);
    }
}
