using System.Globalization;
using Tidings.Protocols.Admission;
using Tidings.Realtime;
using Tidings.Server.Auth;

namespace Tidings.Server.Host;

/// <summary>
/// How many requests a second the REST API takes from one address and from one user, with bursts of three times that. The address is
/// counted before the token is looked at, the user after. Backends with the app's secret are not limited.
/// </summary>
internal sealed class RateLimits(TidingsOptions options, BackendSecret backends, TimeProvider clock)
{
    private const int Burst = 3;

    private readonly TokenBuckets<ClientAddress> _addresses =
        new(options.Limits.RequestsPerSecondPerAddress, options.Limits.RequestsPerSecondPerAddress * Burst, clock);

    private readonly TokenBuckets<string> _users =
        new(options.Limits.RequestsPerSecondPerUser, options.Limits.RequestsPerSecondPerUser * Burst, clock);

    /// <summary>Middleware before authentication.</summary>
    public Task LimitAddressAsync(HttpContext context, RequestDelegate next)
    {
        if (!IsLimited(context) || backends.IsBearerOf(context.Request) || RequestAddress.Of(context, options) is not { } address) return next(context);
        return _addresses.TryTake(address, out var retryAfter) ? next(context) : RefuseAsync(context, retryAfter);
    }

    /// <summary>Middleware after authentication.</summary>
    public Task LimitUserAsync(HttpContext context, RequestDelegate next)
    {
        if (!IsLimited(context) || SignedIn.UserIdOf(context.User) is not { } user) return next(context);
        return _users.TryTake(user, out var retryAfter) ? next(context) : RefuseAsync(context, retryAfter);
    }

    private static bool IsLimited(HttpContext context) => context.Request.Path.StartsWithSegments("/api");

    private static Task RefuseAsync(HttpContext context, TimeSpan retryAfter) => TooMany(context, retryAfter).ExecuteAsync(context);

    /// <summary>The answer 429 <c>rate_limited</c>, with <c>Retry-After</c> in whole seconds. It is counted.</summary>
    public static Microsoft.AspNetCore.Http.HttpResults.ProblemHttpResult TooMany(HttpContext context, TimeSpan retryAfter)
    {
        context.RequestServices.GetService<RealtimeMetrics>()?.CountRefusal(Refusal.Requests); // asked for here: at the start the engine is not there yet
        context.Response.Headers.RetryAfter = Math.Max(1, (long)Math.Ceiling(retryAfter.TotalSeconds)).ToString(CultureInfo.InvariantCulture);
        return Problems.Problem(429, "rate_limited", "Too many requests; try again later.");
    }
}
