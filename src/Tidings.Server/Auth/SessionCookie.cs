namespace Tidings.Server.Auth;

/// <summary>The cookie <c>tidings_session</c>: out of reach for scripts, not sent by other sites' forms.</summary>
internal static class SessionCookie
{
    public const string Name = "tidings_session";

    public static string? Of(HttpRequest request) => request.Cookies[Name] is { Length: > 0 } value ? value : null;

    public static void Append(HttpContext context, string value) => context.Response.Cookies.Append(Name, value, Options(context, Sessions.Lifetime));

    public static void Delete(HttpContext context) => context.Response.Cookies.Delete(Name, Options(context, lifetime: null));

    private static CookieOptions Options(HttpContext context, TimeSpan? lifetime) => new()
    {
        HttpOnly = true,
        SameSite = SameSiteMode.Lax,
        Secure = context.Request.IsHttps,
        Path = "/",
        MaxAge = lifetime,
        IsEssential = true,
    };
}
