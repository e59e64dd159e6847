using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Tidings.Protocols.Admission;
using Tidings.Realtime;
using Tidings.Realtime.Connections;

namespace Tidings.Protocols.SignalR;

/// <summary>
/// What is checked before the framework sees a request: the origin of all, limits and token of those that begin something. Who begins
/// without being let in is told by HTTP, which is what SignalR's clients report.
/// </summary>
internal sealed class HubDoor(RealtimeEngine engine, Gatekeeper gate, HubVisits visits)
{
    private const string Methods = "GET, POST, DELETE";
    private const string Headers = "Authorization, Content-Type, X-Requested-With, X-SignalR-User-Agent, Cache-Control, Last-Event-ID";

    /// <summary>Lets a request through, or answers it.</summary>
    public async Task EnterAsync(HttpContext context, bool isNegotiation, RequestDelegate next)
    {
        var origin = gate.JudgeOrigin(context.Request);
        CrossOrigin.Allow(context, origin);
        if (origin == OriginVerdict.Refused)
        {
            await Problems.OriginRefusedAsync(context);
            return;
        }

        if (HttpMethods.IsOptions(context.Request.Method))
        {
            CrossOrigin.AnswerPreflight(context, Methods, Headers);
            return;
        }

        if (!isNegotiation && !IsLasting(context))
        {
            await ServeAsync(context, next); // a poll, or a message: whoever knows the connection's secret id was let in when it began
            return;
        }

        var admittance = engine.IsOpen
            ? await gate.IdentifyAsync(context, origin)
            : new AdmittanceOf(Admittance.OverLimit, Limit: CloseReason.Unavailable(RetryDelay.Long()));
        using var place = admittance.Place;
        if (admittance.Identity is null)
        {
            await RefuseAsync(context, admittance);
            return;
        }

        if (!isNegotiation) context.Features.Set(new AdmittedClient(admittance));
        if (IsWebSocket(context)) ForgetNegotiation(context.Request);
        await ServeAsync(context, next);
    }

    private async Task ServeAsync(HttpContext context, RequestDelegate next)
    {
        if (!visits.TryBegin())
        {
            await RefuseAsync(context, new AdmittanceOf(Admittance.OverLimit, Limit: CloseReason.Unavailable(RetryDelay.Long())));
            return;
        }

        try
        {
            await next(context);
        }
        finally
        {
            visits.End();
        }
    }

    /// <summary>
    /// A WebSocket is a connection by itself: without the id that a negotiation gave it the framework makes a new one, so it does not matter which
    /// node the negotiation came to.
    /// </summary>
    private static void ForgetNegotiation(HttpRequest request)
    {
        if (request.Query.ContainsKey("id")) request.QueryString = QueryString.Create(request.Query.Where(static field => field.Key != "id"));
    }

    private static bool IsWebSocket(HttpContext context) =>
        context.Features.Get<IHttpUpgradeFeature>()?.IsUpgradableRequest == true
        || context.Features.Get<IHttpExtendedConnectFeature>()?.IsExtendedConnect == true;

    private static bool IsLasting(HttpContext context) =>
        IsWebSocket(context)
        || (HttpMethods.IsGet(context.Request.Method)
            && context.Request.Headers.Accept.Any(static accept => accept?.Contains("text/event-stream", StringComparison.OrdinalIgnoreCase) == true));

    private Task RefuseAsync(HttpContext context, AdmittanceOf admittance)
    {
        if (admittance.Outcome == Admittance.NoToken) engine.Metrics.CountRefusal(Refusal.MissingToken);
        return admittance switch
        {
            { Limit: { Code: 4429 } limit } => Problems.ComeBackAsync(
                context, StatusCodes.Status429TooManyRequests, "rate_limited", "Too many connections.", RetryDelay.Of(limit) ?? RetryDelay.Long()),
            { Limit: { } limit } => Problems.ComeBackAsync(
                context, StatusCodes.Status503ServiceUnavailable, "unavailable", "The server takes no connections now.", RetryDelay.Of(limit) ?? RetryDelay.Long()),
            { Outcome: Admittance.Unavailable } => Problems.ComeBackAsync(
                context, StatusCodes.Status503ServiceUnavailable, "unavailable", "The server cannot find out now who you are.", RetryDelay.Long()),
            _ => Problems.NotAdmittedAsync(context, admittance.Outcome),
        };
    }
}
