using Microsoft.AspNetCore.Http.Features;
using Tidings.Protocols.Pusher;
using Tidings.Server.Host;

namespace Tidings.Server.Features.Pusher;

/// <summary>A request to the HTTP API whose signature is good.</summary>
/// <param name="Body">The body as it was sent.</param>
/// <param name="Parameters">The parameters, with values as they were sent.</param>
internal sealed record AppRequest(ReadOnlyMemory<byte> Body, IReadOnlyList<(string Name, string Raw)> Parameters)
{
    private const int MaxBody = 1024 * 1024;

    /// <summary>A parameter of the request, decoded, or null.</summary>
    public string? this[string name] => AppSignature.ValueOf(Parameters, name);

    /// <summary>What the request wants to be told besides.</summary>
    public IReadOnlySet<string> Info => (this["info"] ?? "").Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries).ToHashSet(StringComparer.Ordinal);

    /// <summary>Makes the handler of a route that only the app's own servers may call.</summary>
    public static Delegate Handler(Func<AppRequest, HttpContext, Task<IResult>> handle) => async (HttpContext context, string appId) =>
    {
        var services = context.RequestServices;
        var (request, problem) = await ReadAsync(context, appId, services.GetRequiredService<PusherApp>(), services.GetRequiredService<TimeProvider>());
        return request is null ? problem! : await handle(request, context);
    };

    private static async Task<(AppRequest? Request, IResult? Problem)> ReadAsync(HttpContext context, string appId, PusherApp app, TimeProvider clock)
    {
        if (appId != app.Id) return (null, Problems.NotFound("app"));
        if (await RawBody.ReadAsync(context.Request, MaxBody, context.RequestAborted) is not { } body) return (null, RawBody.TooLarge(MaxBody));

        // The target as it was sent: what the framework has decoded can't be verified.
        var target = context.Features.GetRequiredFeature<IHttpRequestFeature>().RawTarget;
        if (AppSignature.FindProblem(app, context.Request.Method, target, body.Span, clock.GetUtcNow()) is { } problem)
            return (null, Problems.Problem(401, "unauthorized", problem));
        var query = target.IndexOf('?', StringComparison.Ordinal);
        return (new AppRequest(body, AppSignature.Parse(query < 0 ? "" : target[(query + 1)..])), null);
    }
}
