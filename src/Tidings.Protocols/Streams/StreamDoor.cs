using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using Tidings.Protocols.Admission;
using Tidings.Realtime;
using Tidings.Realtime.Channels;
using Tidings.Realtime.Connections;

namespace Tidings.Protocols.Streams;

/// <summary>A client that may have its stream.</summary>
/// <param name="Identity">Who it is.</param>
/// <param name="Request">What it asked for.</param>
/// <param name="Granted">The channels that it may read.</param>
/// <param name="Dropped">The channels that it may no longer read; only on a resume.</param>
/// <param name="Place">What it takes of the limits: disposed when the request has been served.</param>
internal sealed record StreamEntry(
    ClientIdentity Identity,
    StreamRequest Request,
    IReadOnlyList<(StreamChannel Channel, ChannelGrant Grant)> Granted,
    IReadOnlyList<ChannelName> Dropped,
    ConnectionPlace Place);

/// <summary>
/// What an event stream and a poll check before they begin, in this order: method, origin, limits, who it is, what it asks, whether it may.
/// </summary>
internal sealed partial class StreamDoor(RealtimeEngine engine, Gatekeeper gate, ILogger<StreamDoor> logger)
{
    /// <summary>Lets a client in, or answers the request itself.</summary>
    /// <param name="context">The request.</param>
    /// <param name="comeBack">Answers that the client must stay away for a while: over a limit, or a fault of ours that keeps us from deciding.</param>
    /// <returns>Null if the request has been answered.</returns>
    public async ValueTask<StreamEntry?> EnterAsync(HttpContext context, Func<HttpContext, CloseReason, Task> comeBack)
    {
        var origin = gate.JudgeOrigin(context.Request);
        CrossOrigin.Allow(context, origin);
        if (origin == OriginVerdict.Refused)
        {
            await Problems.OriginRefusedAsync(context);
            return null;
        }

        if (!HttpMethods.IsGet(context.Request.Method))
        {
            if (HttpMethods.IsOptions(context.Request.Method)) CrossOrigin.AnswerPreflight(context);
            else await Problems.WrongMethodAsync(context);
            return null;
        }

        var admittance = await gate.IdentifyAsync(context, origin);
        var entry = default(StreamEntry);
        try
        {
            return entry = await EnterAsync(context, admittance, comeBack);
        }
        finally
        {
            if (entry is null) admittance.Place?.Dispose();
        }
    }

    private async ValueTask<StreamEntry?> EnterAsync(HttpContext context, AdmittanceOf admittance, Func<HttpContext, CloseReason, Task> comeBack)
    {
        if (admittance is not { Identity: { } identity, Place: { } place })
        {
            if (admittance.Outcome == Admittance.NoToken) engine.Metrics.CountRefusal(Refusal.MissingToken);
            await (admittance switch
            {
                { Limit: { } limit } => comeBack(context, limit),
                { Outcome: Admittance.Unavailable } => comeBack(context, CloseReason.Unavailable(RetryDelay.Long())),
                _ => Problems.NotAdmittedAsync(context, admittance.Outcome),
            });
            return null;
        }

        if (StreamRequest.TryRead(context.Request, engine.Catalog, out var request) is { } mistake)
        {
            engine.Metrics.CountRefusal(mistake.Code == ErrorCode.TooManySubscriptions ? Refusal.TooManySubscriptions : Refusal.Malformed);
            await Problems.WriteAsync(context, StatusCodes.Status400BadRequest, Problems.CodeOf(mistake.Code), mistake.Detail);
            return null;
        }

        ChannelGrant[] grants;
        try
        {
            // All at once, so that an authorizer that collects its questions asks the database once.
            grants = await Task.WhenAll(request!.Channels.Select(
                channel => engine.AuthorizeAsync(identity, channel.Name, channel.Token, context.RequestAborted).AsTask()));
        }
        catch (Exception exception) when (exception is not OperationCanceledException)
        {
            engine.Metrics.CountRefusal(Refusal.Unavailable);
            Log.CannotAuthorize(logger, exception);
            await comeBack(context, CloseReason.Unavailable(RetryDelay.Long()));
            return null;
        }

        var refused = request.Channels.Where((_, index) => !grants[index].IsAllowed).Select(static channel => channel.Name).ToList();
        if (refused.Count > 0 && (!request.IsResume || refused.Count == request.Channels.Count))
        {
            engine.Metrics.CountRefusal(Refusal.Forbidden);
            await Problems.WriteAsync(context, StatusCodes.Status403Forbidden, "forbidden", "You may not read one of these channels.");
            return null;
        }

        return new StreamEntry(identity, request, [.. request.Channels.Zip(grants).Where(static pair => pair.Second.IsAllowed)], refused, place);
    }

    private static partial class Log
    {
        [LoggerMessage(EventId = 2201, Level = LogLevel.Error, Message = "Could not find out what a client may read")]
        public static partial void CannotAuthorize(ILogger logger, Exception exception);
    }
}
