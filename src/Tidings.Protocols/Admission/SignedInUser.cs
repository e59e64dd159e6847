using System.Security.Claims;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Http;
using Tidings.Realtime.Connections;

namespace Tidings.Protocols.Admission;

/// <summary>The user whom the host app's own ASP.NET Core authentication found.</summary>
internal sealed class SignedInUser : IRequestIdentity
{
    /// <inheritdoc />
    public ValueTask<ClientIdentity?> OfAsync(HttpContext context) =>
        ValueTask.FromResult(Of(context.User, context.Features.Get<IAuthenticateResultFeature>()?.AuthenticateResult?.Properties));

    /// <summary>Who a principal is to us, for as long as its ticket says; null if it is nobody, or has no id.</summary>
    public static ClientIdentity? Of(ClaimsPrincipal user, AuthenticationProperties? ticket) =>
        user.Identity is { IsAuthenticated: true } && (user.FindFirstValue("sub") ?? user.FindFirstValue(ClaimTypes.NameIdentifier)) is { Length: > 0 } id
            ? new ClientIdentity(id, ticket?.ExpiresUtc) { IssuedAt = ticket?.IssuedUtc, Principal = user }
            : null;
}
