using Tidings.Protocols.Admission;
using Tidings.Realtime.Connections;

namespace Tidings.Server.Auth;

/// <summary>Tells who a request comes from by its session cookie. The caller has checked that it is a page of ours that sent it.</summary>
internal sealed class RequestIdentity(Sessions sessions, Lazy<Suspensions> suspensions) : IRequestIdentity
{
    /// <inheritdoc />
    public async ValueTask<ClientIdentity?> OfAsync(HttpContext context)
    {
        if (SessionCookie.Of(context.Request) is not { } cookie) return null;
        return await sessions.FindByCookieAsync(cookie, context.RequestAborted) is { } session && suspensions.Value.Of(session.UserId) is null
            ? new ClientIdentity(session.UserId, session.ExpiresAt, session.Id)
            : null;
    }
}
