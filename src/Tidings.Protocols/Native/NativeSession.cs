using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using Tidings.Protocols.Admission;
using Tidings.Protocols.WebSockets;
using Tidings.Realtime;
using Tidings.Realtime.Channels;
using Tidings.Realtime.Commands;
using Tidings.Realtime.Connections;

namespace Tidings.Protocols.Native;

/// <summary>What all sessions share.</summary>
internal sealed record NativeSessionContext(
    RealtimeEngine Engine, NativeFormat Format, NativeBatchFormat BatchFormat, CommandParser Parser, Gatekeeper Gate, TimeSpan MessageTimeout, ILogger Logger);

/// <summary>What a client asked for in its handshake.</summary>
/// <param name="AttachOwn"><c>subscribe=own</c>: its own channels are attached.</param>
/// <param name="Batches"><c>batch=1</c>: events that wait together come as one message.</param>
internal readonly record struct NativeWishes(bool AttachOwn, bool Batches)
{
    /// <summary>Reads them.</summary>
    public static NativeWishes Of(HttpRequest request) => new(request.Query["subscribe"] == "own", request.Query["batch"] == "1");
}

/// <summary>One client on one WebSocket, from the accepted handshake to the end: reads, and runs what it asks one after the other.</summary>
internal sealed partial class NativeSession(NativeSessionContext shared, WebSocketReceiver receiver, WebSocketTransport transport, NativeWishes wishes)
{
    /// <summary>How many pings and pongs a second a client may send.</summary>
    public const int ControlFramesPerSecond = 10;

    private readonly RealtimeEngine _engine = shared.Engine;
    private readonly MessageRate _messages = new(shared.Engine.Options.MessagesPerSecond, shared.Engine.Options.MessageBurst, shared.Engine.Clock);
    private readonly MessageRate _controls = new(ControlFramesPerSecond, ControlFramesPerSecond, shared.Engine.Clock);
    private long _unfinishedSince;

    /// <summary>Serves the client until it is gone.</summary>
    /// <param name="admittance">What the handshake told of it.</param>
    /// <param name="cancellationToken">Ends with the link.</param>
    public async Task RunAsync(AdmittanceOf admittance, CancellationToken cancellationToken)
    {
        using var place = admittance.Place;
        using var received = receiver;
        if (await OpenAsync(admittance) is not { } connection) return;

        CloseReason? reason = null;
        try
        {
            await AttachAsync(connection, cancellationToken);
            while (reason is null)
            {
                var message = await receiver.ReceiveAsync(CancellationToken.None);
                if (message.Kind is InboundKind.Close or InboundKind.End || connection.IsClosing) break;

                connection.MarkAlive();
                reason = IsUnfinishedForLong()
                    ? new CloseReason(CloseCodes.ProtocolError, "unfinished_message")
                    : await TakeAsync(connection, message, cancellationToken);
            }
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            // The link broke while a command was being run.
        }
#pragma warning disable CA1031 // Whatever it was, the client is told that it was not its fault.
        catch (Exception exception)
#pragma warning restore CA1031
        {
            Log.Fault(shared.Logger, connection.Id, exception);
            reason = new CloseReason(CloseCodes.UnexpectedError, "");
        }

        if (reason is not null)
        {
            CountRefusal(reason);
            Log.Ended(shared.Logger, connection.Id, reason.Code, reason.Reason);
        }

        connection.Close(reason ?? CloseReason.Normal);
        await HearOutAsync();
        await connection.Completion;
    }

    /// <summary>Opens the connection, or says why there is none.</summary>
    private async ValueTask<Connection?> OpenAsync(AdmittanceOf admittance)
    {
        var entry = admittance.Outcome == Admittance.NoToken
            ? await new FirstMessage(shared, receiver, transport).ReadAsync()
            : FirstMessage.EntryOf(admittance);
        var refusal = entry.Refusal;
        var connection = entry.Identity is { } identity ? TryConnect(identity, out refusal) : null;
        if (connection is null) await RefuseAsync(refusal!);
        else if (entry.Id is { } id) connection.Send(new AuthenticatedMessage(id, entry.Identity!.ExpiresAt));
        return connection;
    }

    private Connection? TryConnect(ClientIdentity identity, out CloseReason? refusal) => wishes.Batches
        ? _engine.TryConnect(identity, shared.BatchFormat, transport, new NativeBatch(_engine.Options.MessageBytes), out refusal)
        : _engine.TryConnect(identity, shared.Format, transport, null, out refusal);

    /// <summary>Deals with one message.</summary>
    /// <returns>Why the connection must end, or null.</returns>
    private async ValueTask<CloseReason?> TakeAsync(Connection connection, InboundMessage message, CancellationToken cancellationToken)
    {
        switch (message.Kind)
        {
            case InboundKind.Text:
                return await RunCommandAsync(connection, shared.Parser.Parse(message.Payload.Span), cancellationToken);

            case InboundKind.Ping:
                var verdict = _controls.Take();
                if (verdict == RateVerdict.OverForLong) return CloseReason.OverLimit(RetryDelay.Long());
                if (verdict == RateVerdict.Within) connection.Send(new PongFrame(FrameWriter.Frame(FrameOpcode.Pong, message.Payload.Span)));
                else _engine.Metrics.CountRefusal(Refusal.ControlFrames);
                return null;

            case InboundKind.Pong:
                return _controls.Take() == RateVerdict.OverForLong ? CloseReason.OverLimit(RetryDelay.Long()) : null;

            case InboundKind.Partial:
                return null;

            default:
                return FirstMessage.ReasonFor(message);
        }
    }

    private async ValueTask<CloseReason?> RunCommandAsync(Connection connection, ParsedCommand parsed, CancellationToken cancellationToken)
    {
        if (parsed.Malformed is { } what) return CloseReason.Malformed(what);

        switch (_messages.Take())
        {
            case RateVerdict.OverForLong:
                return CloseReason.OverLimit(RetryDelay.Long());
            case RateVerdict.Over:
                _engine.Metrics.CountRefusal(Refusal.Messages);
                connection.Send(new ErrorMessage(parsed.Command?.Id ?? parsed.Error?.Id, ErrorCode.RateLimited, "Too many messages."));
                return null;
        }

        if (parsed.Error is { } error)
        {
            connection.Send(error);
            return null;
        }

        await _engine.HandleAsync(connection, parsed.Command!, cancellationToken);
        return null;
    }

    private bool IsUnfinishedForLong()
    {
        if (!receiver.IsMidMessage)
        {
            _unfinishedSince = 0;
            return false;
        }

        if (_unfinishedSince == 0) _unfinishedSince = _engine.Clock.GetTimestamp();
        return _engine.Clock.GetElapsedTime(_unfinishedSince) > shared.MessageTimeout;
    }

    private async Task AttachAsync(Connection connection, CancellationToken cancellationToken)
    {
        foreach (var channel in AttachedChannels.For(connection.Identity, _engine.Catalog, wishes.AttachOwn))
        {
            try
            {
                var grant = await _engine.AuthorizeAsync(connection.Identity, channel, null, cancellationToken);
                if (!grant.IsAllowed) continue;
                await _engine.SubscribeAsync(connection, new SubscribeCommand(null, channel, null, null, null) { IsAttached = true }, grant, cancellationToken);
            }
#pragma warning disable CA1031 // The client hears of it as of any other subscription that failed.
            catch (Exception exception) when (exception is not OperationCanceledException)
#pragma warning restore CA1031
            {
                Log.Fault(shared.Logger, connection.Id, exception);
                connection.Send(new ErrorMessage(null, ErrorCode.Internal, "The server could not subscribe you now.", channel.Value));
            }
        }
    }

    /// <summary>Says why there will be no connection, and waits for the goodbye.</summary>
    private async Task RefuseAsync(CloseReason reason)
    {
        if (reason != CloseReason.Normal)
        {
            CountRefusal(reason);
            Log.Refused(shared.Logger, reason.Code, reason.Reason);
        }

        var closing = transport.CloseAsync(reason, writable: true);
        await HearOutAsync();
        await closing;
    }

    /// <summary>Counts what the client did wrong. Tokens that are not accepted and limits at the door are counted where that is found.</summary>
    private void CountRefusal(CloseReason reason)
    {
        if (reason == CloseReason.MissingToken) _engine.Metrics.CountRefusal(Refusal.MissingToken);
        else if (reason.Code == CloseCodes.TooBig) _engine.Metrics.CountRefusal(Refusal.TooLarge);
        else if (reason.Code is 4400 or 1003 or CloseCodes.ProtocolError or CloseCodes.NotUtf8) _engine.Metrics.CountRefusal(Refusal.Malformed);
    }

    /// <summary>Reads on until the peer has said goodbye or the transport has given it up, so that our last words arrive.</summary>
    private async ValueTask HearOutAsync()
    {
        receiver.SkipAll();
        while (!receiver.Ended.IsCompleted) await receiver.ReceiveAsync(CancellationToken.None);
    }

    private static partial class Log
    {
        [LoggerMessage(EventId = 2101, Level = LogLevel.Information, Message = "Refused a WebSocket with {Code} {Reason}")]
        public static partial void Refused(ILogger logger, int code, string reason);

        [LoggerMessage(EventId = 2102, Level = LogLevel.Information, Message = "Ended connection {ConnectionId} with {Code} {Reason}")]
        public static partial void Ended(ILogger logger, string connectionId, int code, string reason);

        [LoggerMessage(EventId = 2103, Level = LogLevel.Error, Message = "A fault on connection {ConnectionId}")]
        public static partial void Fault(ILogger logger, string connectionId, Exception exception);
    }
}
