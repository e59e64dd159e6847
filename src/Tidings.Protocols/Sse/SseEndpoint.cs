using System.Buffers;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Http.Timeouts;
using Microsoft.Extensions.Logging;
using Tidings.Protocols.Admission;
using Tidings.Protocols.Streams;
using Tidings.Realtime;
using Tidings.Realtime.Commands;
using Tidings.Realtime.Connections;

namespace Tidings.Protocols.Sse;

/// <summary>
/// <c>/sse</c>: from a request to an event stream. Once a client may have its stream the status is 200 whatever happens, because a
/// browser's <c>EventSource</c> gives up for good on any other.
/// </summary>
internal sealed partial class SseEndpoint(RealtimeEngine engine, StreamDoor door, ILogger<SseEndpoint> logger)
{
    private readonly SseFormat _format = new(engine.Catalog);

    /// <summary>Answers a request, and serves the client to its end.</summary>
    public async Task HandleAsync(HttpContext context)
    {
        if (await door.EnterAsync(context, ComeBackAsync) is not { } entry) return;
        using var place = entry.Place;

        var namesEvents = context.Request.Query["events"] != "message";
        await BeginAsync(context, RetryDelay.Ordinary());

        var stream = new SseStream(entry.Request, namesEvents);
        var transport = new SseTransport(context.Response.BodyWriter, namesEvents, context.Abort, engine.Options.CloseTimeout, engine.Clock);
        var connection = engine.TryConnect(entry.Identity, _format, transport, stream, out var refusal);
        if (connection is null)
        {
            await transport.CloseAsync(refusal!, writable: true);
            return;
        }

        using var aborted = context.RequestAborted.Register(static state => ((Connection)state!).Close(CloseReason.Normal), connection);
        await SubscribeAsync(connection, entry, context.RequestAborted);
        await connection.Completion;
    }

    /// <summary>The head of the response, and how long to wait before coming back, on the wire at once.</summary>
    private static async Task BeginAsync(HttpContext context, TimeSpan retry)
    {
        var response = context.Response;
        response.ContentType = "text/event-stream";
        response.Headers.CacheControl = "no-store, no-transform";
        response.Headers["X-Accel-Buffering"] = "no";
        context.Features.Get<IHttpResponseBodyFeature>()?.DisableBuffering();
        context.Features.Get<IHttpRequestTimeoutFeature>()?.DisableTimeout();

        SseWriter.WriteRetry(response.BodyWriter, retry);
        response.BodyWriter.Write("\n"u8);
        await response.BodyWriter.FlushAsync(context.RequestAborted);
    }

    /// <summary>A server that can't serve now sends the client away with 200, or it would never come back.</summary>
    private static async Task ComeBackAsync(HttpContext context, CloseReason reason)
    {
        await BeginAsync(context, RetryDelay.Of(reason)!.Value);
        context.Response.BodyWriter.Write(SseFormat.Closing(reason, context.Request.Query["events"] != "message"));
        await context.Response.BodyWriter.FlushAsync(context.RequestAborted);
    }

    private async Task SubscribeAsync(Connection connection, StreamEntry entry, CancellationToken cancellationToken)
    {
        try
        {
            foreach (var channel in entry.Dropped) connection.Send(new UnsubscribedMessage(null, channel, "access_revoked"));
            foreach (var (channel, grant) in entry.Granted)
                await engine.SubscribeAsync(connection, new SubscribeCommand(null, channel.Name, channel.Since, null, null), grant, cancellationToken);
        }
#pragma warning disable CA1031 // A stream without one of its channels would be silent about it: it ends, and its client comes back.
        catch (Exception exception)
#pragma warning restore CA1031
        {
            if (!cancellationToken.IsCancellationRequested) Log.CannotSubscribe(logger, connection.Id, exception);
            connection.Close(CloseReason.Unavailable(RetryDelay.Long()));
        }
    }

    private static partial class Log
    {
        [LoggerMessage(EventId = 2301, Level = LogLevel.Error, Message = "Could not subscribe the event stream {ConnectionId}")]
        public static partial void CannotSubscribe(ILogger logger, string connectionId, Exception exception);
    }
}
