using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Http.HttpResults;
using Tidings.Server.Auth;
using Tidings.Server.Auth.Jwt;

namespace Tidings.Server.Features.Accounts;

/// <summary>
/// <c>POST /api/auth/token</c>: a short token for live connections and for places where a token may leak, such as a URL. It belongs to the
/// request's session. One that was got for a token ends no later than that token, so that a stolen one cannot be kept alive.
/// </summary>
internal static class IssueToken
{
    public static readonly TimeSpan Lifetime = TimeSpan.FromMinutes(15);

    public sealed record Answer(string Token, DateTimeOffset ExpiresAt)
    {
        /// <summary>Printing it shows no token.</summary>
        public override string ToString() => nameof(Answer);
    }

    public static async Task<Ok<Answer>> HandleAsync(CurrentUser user, HttpContext context, JwtMinter minter)
    {
        var authentication = await context.AuthenticateAsync();
        var minted = minter.Mint(user.Id, Lifetime, SignedIn.SessionIdOf(context.User), notAfter: authentication.Properties?.ExpiresUtc);
        return TypedResults.Ok(new Answer(minted.Token, minted.ExpiresAt));
    }
}
