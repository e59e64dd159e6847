using System.Security.Claims;
using Microsoft.AspNetCore.Http;
using Tidings.Realtime.Connections;

namespace Tidings.Protocols.Admission;

/// <summary>The user whom the host app's own ASP.NET Core authentication found.</summary>
internal sealed class SignedInUser : IRequestIdentity
{
    /// <inheritdoc />
    public ValueTask<ClientIdentity?> OfAsync(HttpContext context) => ValueTask.FromResult(Of(context.User));

    private static ClientIdentity? Of(ClaimsPrincipal user) =>
        user.Identity is { IsAuthenticated: true } && (user.FindFirstValue("sub") ?? user.FindFirstValue(ClaimTypes.NameIdentifier)) is { Length: > 0 } id
            ? new ClientIdentity(id, null)
            : null;
}
