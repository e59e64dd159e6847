using Tidings.Server.Auth;
using Tidings.Server.Host;
using Tidings.Server.Publishing;

namespace Tidings.Server.Features.Scheduling;

/// <summary>
/// For outside schedulers that show <c>Tidings:CronSecret</c>: publishes what is due on this node, whatever its roles, and says how much that was. Beside
/// workers it does no harm, for it claims as they do.
/// </summary>
internal static class CronPublish
{
    /// <summary>Outside schedulers call once in a while; only a longer silence counts as time in which nobody published.</summary>
    private static readonly TimeSpan StoodStill = TimeSpan.FromMinutes(10);
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(25);

    public static async Task<IResult> HandleAsync(HttpContext http, PublishingOptions options, PublishingRun run, CancellationToken cancellationToken)
    {
        if (options.CronSecret is not { } secret || !new BackendSecret(secret).IsBearerOf(http.Request))
        {
            http.Response.Headers.WWWAuthenticate = "Bearer";
            return Problems.Problem(401, "unauthorized", "Show Tidings:CronSecret as the bearer.");
        }

        var processed = await run.DrainAsync(StoodStill, Patience, cancellationToken);
        return TypedResults.Json(new ProcessedAnswer(processed), SchedulingJson.Answers.ProcessedAnswer);
    }
}
