using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Tidings.Protocols.Admission;
using Tidings.Protocols.Native;
using Tidings.Realtime.Connections;

namespace Tidings.Protocols.Hosting;

/// <summary>
/// Judges a token as the host's own ASP.NET Core authentication would if it came as <c>Authorization: Bearer</c>. So the same tokens open
/// a WebSocket, wherever the client put them, and renew it. A host whose default scheme reads no such header accepts no tokens.
/// </summary>
internal sealed class HostAuthentication(IServiceScopeFactory scopes) : IConnectionAuthenticator
{
    /// <inheritdoc />
    public async ValueTask<TokenVerdict> AuthenticateAsync(string token, CancellationToken cancellationToken)
    {
        await using var scope = scopes.CreateAsyncScope();
        if (scope.ServiceProvider.GetService<IAuthenticationSchemeProvider>() is not { } schemes
            || await schemes.GetDefaultAuthenticateSchemeAsync() is null) return new TokenVerdict(null);

        var context = new DefaultHttpContext { RequestServices = scope.ServiceProvider, RequestAborted = cancellationToken };
        context.Request.Method = HttpMethods.Get;
        context.Request.Path = NativeEndpoint.Path;
        context.Request.Headers.Authorization = $"Bearer {token}";
        var result = await context.AuthenticateAsync();
        return new TokenVerdict(result is { Succeeded: true } ? SignedInUser.Of(result.Principal, result.Properties) : null);
    }
}
