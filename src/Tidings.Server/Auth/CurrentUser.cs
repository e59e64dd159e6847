using System.Security.Claims;

namespace Tidings.Server.Auth;

/// <summary>The signed-in user of a request. A handler that takes one belongs to an endpoint that requires authorization.</summary>
internal sealed record CurrentUser(string Id)
{
    /// <summary>Called by minimal APIs to bind the parameter.</summary>
    public static ValueTask<CurrentUser?> BindAsync(HttpContext context) => ValueTask.FromResult(Of(context.User));

    private static CurrentUser? Of(ClaimsPrincipal principal) =>
        principal.FindFirstValue("sub") is { } id ? new CurrentUser(id) : null;
}

/// <summary>Who looks: a signed-in user, or a visitor whose id is null.</summary>
internal sealed record Viewer(string? UserId)
{
    /// <summary>Called by minimal APIs to bind the parameter.</summary>
    public static ValueTask<Viewer?> BindAsync(HttpContext context) => ValueTask.FromResult<Viewer?>(new Viewer(context.User.FindFirstValue("sub")));
}
