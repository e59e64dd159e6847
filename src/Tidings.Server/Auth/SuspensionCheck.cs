using Tidings.Server.Host;

namespace Tidings.Server.Auth;

/// <summary>Refuses what suspended users ask of the API, but for what <see cref="AllowSuspended"/> marks.</summary>
internal static class SuspensionCheck
{
    private sealed class Mark;

    /// <summary>Marks endpoints that a suspended user may use: to leave, and to take what is theirs along.</summary>
    public static TBuilder AllowSuspended<TBuilder>(this TBuilder builder)
        where TBuilder : IEndpointConventionBuilder => builder.WithMetadata(new Mark());

    /// <summary>Middleware after authentication and routing: 403 <c>suspended</c>.</summary>
    public static Task RunAsync(HttpContext context, RequestDelegate next)
    {
        if (SignedIn.UserIdOf(context.User) is not { } user || context.GetEndpoint()?.Metadata.GetMetadata<Mark>() is not null) return next(context);
        var suspensions = context.RequestServices.GetRequiredService<Suspensions>(); // asked for here: at the start the engine is not there yet
        return suspensions.Of(user) is { } until
            ? Problems.Problem(403, "suspended", $"This account is suspended until {until:yyyy-MM-dd HH:mm} UTC.").ExecuteAsync(context)
            : next(context);
    }
}
