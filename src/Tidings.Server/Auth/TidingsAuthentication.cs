using System.Text.Encodings.Web;
using Microsoft.AspNetCore.Authentication;
using Microsoft.Extensions.Options;
using Tidings.Server.Auth.Jwt;
using Tidings.Server.Host;

namespace Tidings.Server.Auth;

/// <summary>
/// The authentication scheme of the REST API: a bearer (a token of ours or the host app's, or the app's secret), else the session cookie.
/// An unsafe request by cookie must come from a page of ours. A host app that embeds Tidings may use a scheme of its own instead; what
/// the endpoints need is the claim <c>sub</c>.
/// </summary>
internal sealed class TidingsAuthentication(
    IOptionsMonitor<AuthenticationSchemeOptions> schemeOptions,
    ILoggerFactory loggers,
    UrlEncoder encoder,
    BackendSecret backends,
    BearerTokens tokens,
    Sessions sessions,
    Origins origins) : AuthenticationHandler<AuthenticationSchemeOptions>(schemeOptions, loggers, encoder)
{
    public new const string Scheme = "Tidings";

    private bool _isForged;
    private JwtError _tokenError;

    /// <inheritdoc />
    protected override async Task<AuthenticateResult> HandleAuthenticateAsync()
    {
        if (Bearer.Of(Request) is { } bearer) return await AuthenticateBearerAsync(bearer);
        return SessionCookie.Of(Request) is { } cookie ? await AuthenticateCookieAsync(cookie) : AuthenticateResult.NoResult();
    }

    /// <inheritdoc />
    protected override async Task HandleChallengeAsync(AuthenticationProperties properties)
    {
        await HandleAuthenticateOnceSafeAsync();
        if (_isForged)
        {
            await Problems.Problem(403, "origin_required", "With the cookie, this request needs the Origin of this server or an allowed one.")
                .ExecuteAsync(Context);
            return;
        }

        Response.Headers.WWWAuthenticate = _tokenError == JwtError.None ? "Bearer" : "Bearer error=\"invalid_token\"";
        var detail = _tokenError switch
        {
            JwtError.None => "Sign in first.",
            JwtError.Expired => "The token has expired.",
            _ => "The token is not accepted.",
        };
        await Problems.Problem(401, "unauthorized", detail).ExecuteAsync(Context);
    }

    /// <inheritdoc />
    protected override Task HandleForbiddenAsync(AuthenticationProperties properties) =>
        Problems.Problem(403, "forbidden", "This is not for you to do.").ExecuteAsync(Context);

    private async Task<AuthenticateResult> AuthenticateBearerAsync(string bearer)
    {
        if (backends.Matches(bearer)) return Succeed(SignedIn.Backend(), expiresAt: null);

        var verdict = await tokens.AcceptAsync(bearer, Context.RequestAborted);
        if (verdict.Jwt is { } jwt) return Succeed(SignedIn.User(jwt.UserId, jwt.SessionId), jwt.ExpiresAt);

        _tokenError = verdict.Error;
        return AuthenticateResult.Fail($"The token is refused: {verdict.Error}.");
    }

    private async Task<AuthenticateResult> AuthenticateCookieAsync(string cookie)
    {
        if (await sessions.FindByCookieAsync(cookie, Context.RequestAborted) is not { } session) return AuthenticateResult.NoResult();

        if (!IsSafe(Request.Method) && !origins.IsOurPage(Request))
        {
            _isForged = true;
            return AuthenticateResult.Fail("The cookie came without an allowed Origin.");
        }

        if (await sessions.RenewAsync(session, Context.RequestAborted) is not null) SessionCookie.Append(Context, cookie);
        return Succeed(SignedIn.User(session.UserId, session.Id), expiresAt: null);
    }

    private static AuthenticateResult Succeed(System.Security.Claims.ClaimsPrincipal principal, DateTimeOffset? expiresAt) =>
        AuthenticateResult.Success(new AuthenticationTicket(principal, new AuthenticationProperties { ExpiresUtc = expiresAt }, Scheme));

    private static bool IsSafe(string method) => HttpMethods.IsGet(method) || HttpMethods.IsHead(method) || HttpMethods.IsOptions(method);
}
