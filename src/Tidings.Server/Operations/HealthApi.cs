using Tidings.Realtime;
using Tidings.Realtime.Brokers;
using Tidings.Server.Storage;

namespace Tidings.Server.Operations;

/// <summary>Whether the process lives, and whether it can do its work now.</summary>
internal static class HealthApi
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(2);

    public static void MapHealth(this IEndpointRouteBuilder routes)
    {
        var health = routes.MapGroup("/health").WithTags("operations");
        health.MapGet("/live", static () => TypedResults.Ok(new { status = "live" })).WithSummary("The process answers.");
        health.MapGet("/ready", ReadyAsync).WithSummary("The server can do its work; otherwise 503 with the reasons.");
        routes.MapGet("/api/socket", static () => TypedResults.Text("Tidings speaks tidings.v1 over /ws, /sse and /poll.\n"))
            .WithTags("operations")
            .WithSummary("One line of text, for clients that look whether there is a server.");
    }

    private static async Task<IResult> ReadyAsync(RealtimeEngine engine, IBroker broker, Store store, IHostApplicationLifetime lifetime, TimeProvider clock)
    {
        var reasons = new List<string>();
        if (lifetime.ApplicationStopping.IsCancellationRequested) reasons.Add("The server is shutting down.");
        try
        {
            using var deadline = new CancellationTokenSource(Patience, clock);
            await store.WriteAsync(static _ => ValueTask.CompletedTask, deadline.Token).WaitAsync(deadline.Token);
        }
        catch (Exception exception) when (exception is StoreUnavailableException or OperationCanceledException)
        {
            reasons.Add("The database does not take writes.");
        }

        return reasons.Count == 0
            ? TypedResults.Ok(new { status = "ready", realtime = engine.IsOpen ? "on" : "off", bus = !broker.HasOthers ? "none" : broker.IsUp ? "up" : "down" })
            : TypedResults.Json(new { status = "not_ready", reasons }, statusCode: StatusCodes.Status503ServiceUnavailable);
    }
}
