using Microsoft.AspNetCore.Http.HttpResults;
using Tidings.Server.Auth;

namespace Tidings.Server.Features.Accounts;

/// <summary><c>POST /api/auth/logout</c>: ends the session of the request, and with it its cookie, its tokens and its live connections.</summary>
internal static class Logout
{
    public static async Task<NoContent> HandleAsync(HttpContext context, Sessions sessions, CancellationToken cancellationToken)
    {
        if (SignedIn.SessionIdOf(context.User) is { } session) await sessions.EndAsync(session, cancellationToken);
        SessionCookie.Delete(context);
        return TypedResults.NoContent();
    }
}
