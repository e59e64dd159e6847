using System.Security.Claims;

namespace Tidings.Server.Auth;

/// <summary>What is in the principal of a request, and nothing more: the user, the session if there is one, or that it is a backend.</summary>
internal static class SignedIn
{
    public const string UserIdClaim = "sub";
    public const string SessionIdClaim = "sid";
    public const string BackendClaim = "tidings:backend";

    /// <summary>The principal of a user.</summary>
    public static ClaimsPrincipal User(string userId, string? sessionId)
    {
        var identity = new ClaimsIdentity(TidingsAuthentication.Scheme, UserIdClaim, roleType: null);
        identity.AddClaim(new Claim(UserIdClaim, userId));
        if (sessionId is not null) identity.AddClaim(new Claim(SessionIdClaim, sessionId));
        return new ClaimsPrincipal(identity);
    }

    /// <summary>The principal of whoever holds the app's secret: no user.</summary>
    public static ClaimsPrincipal Backend() =>
        new(new ClaimsIdentity([new Claim(BackendClaim, "true")], TidingsAuthentication.Scheme));

    /// <summary>Whether it is whoever holds the app's secret.</summary>
    public static bool IsBackend(ClaimsPrincipal principal) => principal.HasClaim(static claim => claim.Type == BackendClaim);

    public static string? UserIdOf(ClaimsPrincipal principal) => principal.FindFirstValue(UserIdClaim);

    public static string? SessionIdOf(ClaimsPrincipal principal) => principal.FindFirstValue(SessionIdClaim);
}
