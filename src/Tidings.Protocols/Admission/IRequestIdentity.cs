using Microsoft.AspNetCore.Http;
using Tidings.Realtime.Connections;

namespace Tidings.Protocols.Admission;

/// <summary>
/// Tells who a request comes from by what its browser sends along of itself, a cookie. Asked only for requests without a token, and
/// believed only from pages of an allowed origin.
/// </summary>
public interface IRequestIdentity
{
    /// <summary>The user who is signed in, or null.</summary>
    ValueTask<ClientIdentity?> OfAsync(HttpContext context);
}
