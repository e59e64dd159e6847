using Microsoft.AspNetCore.Authentication;

namespace Tidings.Server.Auth;

/// <summary>
/// Refuses requests to the API whose credentials are not accepted even where none are needed: a client whose token has expired must not
/// silently become a visitor. Endpoints with credentials of another kind, or for those who have none yet, say <see cref="IgnoreCredentials"/>.
/// </summary>
internal static class CredentialsCheck
{
    private sealed class Mark;

    /// <summary>Marks endpoints where a token or cookie that is not accepted does not matter: sign-in, webhooks, the cron endpoint.</summary>
    public static TBuilder IgnoreCredentials<TBuilder>(this TBuilder builder) where TBuilder : IEndpointConventionBuilder =>
        builder.WithMetadata(new Mark());

    /// <summary>Middleware after authentication and routing.</summary>
    public static async Task RunAsync(HttpContext context, RequestDelegate next)
    {
        if (context.Request.Path.StartsWithSegments("/api") && context.GetEndpoint() is { } endpoint && endpoint.Metadata.GetMetadata<Mark>() is null &&
            (await context.AuthenticateAsync()).Failure is not null)
        {
            await context.ChallengeAsync();
            return;
        }

        await next(context);
    }
}
