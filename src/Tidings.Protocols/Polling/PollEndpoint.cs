using System.Globalization;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Tidings.Protocols.Admission;
using Tidings.Protocols.Streams;
using Tidings.Realtime;
using Tidings.Realtime.Commands;
using Tidings.Realtime.Connections;

namespace Tidings.Protocols.Polling;

/// <summary>
/// <c>/poll</c>: answers at once when there is something after the client's place, otherwise when there is, or at the timeout. It
/// subscribes before it reads the history, so nothing falls between. The token in the answer is all the state there is.
/// </summary>
internal sealed partial class PollEndpoint(RealtimeEngine engine, StreamDoor door, IOptions<NativeProtocolOptions> options, ILogger<PollEndpoint> logger)
{
    private const int UsualTimeout = 25;
    private const int LongestTimeout = 30;

    private readonly PollFormat _format = new(engine.Catalog);

    /// <summary>Answers a request.</summary>
    public async Task HandleAsync(HttpContext context)
    {
        if (await door.EnterAsync(context, RefuseAsync) is not { } entry) return;
        using var place = entry.Place;
        if (!TryReadTimeout(context.Request, out var timeout))
        {
            await Problems.WriteAsync(context, StatusCodes.Status400BadRequest, "bad_request", "timeout must be a number of seconds.");
            return;
        }

        var collector = new PollCollector(entry.Request);
        var connection = engine.TryConnect(entry.Identity, _format, new PollTransport(collector), collector, out var refusal);
        if (connection is null)
        {
            await RefuseAsync(context, refusal!);
            return;
        }

        try
        {
            await SubscribeAsync(connection, collector, entry, context.RequestAborted);
            // A client without a place gets one at once, and misses nothing from there on.
            if (entry.Request.IsResume) await WaitAsync(collector, timeout, context.RequestAborted);
            await AnswerAsync(context, collector);
        }
        finally
        {
            connection.Close(CloseReason.Normal);
        }
    }

    private static bool TryReadTimeout(HttpRequest request, out TimeSpan timeout)
    {
        var seconds = UsualTimeout;
        var text = request.Query["timeout"].ToString();
        var isGood = text.Length == 0 || int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out seconds);

        // Spread by a tenth, so that clients who came together don't come back together.
        timeout = TimeSpan.FromSeconds(Math.Clamp(seconds, 1, LongestTimeout) * (0.9 + (Random.Shared.NextDouble() * 0.2)));
        return isGood;
    }

    private static Task UnavailableAsync(HttpContext context) => Problems.ComeBackAsync(
        context, StatusCodes.Status503ServiceUnavailable, "unavailable", "The server can't do this now.", RetryDelay.Long());

    private static Task RefuseAsync(HttpContext context, CloseReason reason)
    {
        var after = RetryDelay.Of(reason) ?? RetryDelay.Long();
        return reason.Code switch
        {
            4401 => Problems.NotAdmittedAsync(context, reason == CloseReason.TokenExpired ? Admittance.TokenExpired : Admittance.InvalidToken),
            4403 => Problems.WriteAsync(context, StatusCodes.Status403Forbidden, "forbidden", "You may not connect."),
            4429 => Problems.ComeBackAsync(context, StatusCodes.Status429TooManyRequests, "rate_limited", "There are too many of your connections.", after),
            4503 => Problems.ComeBackAsync(context, StatusCodes.Status503ServiceUnavailable, "unavailable", "The server can't do this now.", after),
            _ => Problems.ComeBackAsync(context, StatusCodes.Status503ServiceUnavailable, "unavailable", "The server is going away.", after),
        };
    }

    private async Task SubscribeAsync(Connection connection, PollCollector collector, StreamEntry entry, CancellationToken cancellationToken)
    {
        try
        {
            foreach (var channel in entry.Dropped) connection.Send(new UnsubscribedMessage(null, channel, "access_revoked"));
            foreach (var (channel, grant) in entry.Granted)
                await engine.SubscribeAsync(connection, new SubscribeCommand(null, channel.Name, channel.Since, null, null), grant, cancellationToken);
        }
#pragma warning disable CA1031 // Told as a fault of ours; the client asks again.
        catch (Exception exception) when (!cancellationToken.IsCancellationRequested)
#pragma warning restore CA1031
        {
            Log.CannotSubscribe(logger, connection.Id, exception);
            collector.Fail();
        }
    }

    private async Task WaitAsync(PollCollector collector, TimeSpan timeout, CancellationToken aborted)
    {
        using var timer = engine.Clock.CreateTimer(static state => ((PollCollector)state!).Wake(), collector, timeout, Timeout.InfiniteTimeSpan);
        using var registration = aborted.Register(static state => ((PollCollector)state!).Wake(), collector);
        await collector.Woken;

        // The rest of a burst comes along.
        if (collector is { HasNews: true, IsFull: false, HasFailed: false } && !aborted.IsCancellationRequested)
            await Task.Delay(options.Value.PollCollectTime, engine.Clock, CancellationToken.None);
    }

    private static async Task AnswerAsync(HttpContext context, PollCollector collector)
    {
        if (context.RequestAborted.IsCancellationRequested) return;

        var answer = collector.Freeze();
        if (collector.HasFailed)
        {
            await UnavailableAsync(context);
            return;
        }

        // Ended by the engine before anything came: a server that leaves answers all who wait, other ends are told as what they are.
        if (collector is { ClosedBy: { Code: not (1001 or 4503) } reason, HasNews: false })
        {
            await RefuseAsync(context, reason);
            return;
        }

        context.Response.ContentType = "application/json";
        context.Response.ContentLength = answer.Length;
        context.Response.Headers.CacheControl = "no-store";
        await context.Response.BodyWriter.WriteAsync(answer, context.RequestAborted);
    }

    private static partial class Log
    {
        [LoggerMessage(EventId = 2401, Level = LogLevel.Error, Message = "Could not subscribe the poll {ConnectionId}")]
        public static partial void CannotSubscribe(ILogger logger, string connectionId, Exception exception);
    }
}
