using Microsoft.Extensions.Logging;
using Tidings.Protocols.Admission;
using Tidings.Realtime;
using Tidings.Realtime.Connections;

namespace Tidings.Protocols.WebSockets;

/// <summary>
/// One client on one WebSocket, whatever it speaks: reads its messages one after the other and holds it to the rules of WebSockets and
/// to its rates. A protocol derives from it and takes the messages.
/// </summary>
/// <param name="engine">The engine.</param>
/// <param name="receiver">What the client says.</param>
/// <param name="transport">The way to the client.</param>
/// <param name="messageTimeout">How long a message in pieces may take.</param>
/// <param name="logger">Hears of refusals and faults.</param>
internal abstract partial class WebSocketSession(
    RealtimeEngine engine, WebSocketReceiver receiver, WebSocketTransport transport, TimeSpan messageTimeout, ILogger logger)
{
    /// <summary>How many pings and pongs a second a client may send.</summary>
    public const int ControlFramesPerSecond = 10;

    private readonly MessageRate _messages = new(engine.Options.MessagesPerSecond, engine.Options.MessageBurst, engine.Clock);
    private readonly MessageRate _controls = new(ControlFramesPerSecond, ControlFramesPerSecond, engine.Clock);
    private long _unfinishedSince;

    /// <summary>Why a message that is no text ends the connection.</summary>
    public static CloseReason ReasonFor(InboundMessage message) => message switch
    {
        { Kind: InboundKind.Binary } => CloseReason.Binary,
        { Kind: InboundKind.Violation, Code: CloseCodes.NotUtf8 } => CloseReason.NotUtf8,
        { Kind: InboundKind.Violation, Code: CloseCodes.TooBig } => CloseReason.TooBig,
        { Kind: InboundKind.Violation } => new CloseReason(message.Code, message.Reason),
        _ => CloseReason.Normal,
    };

    /// <summary>The engine.</summary>
    protected RealtimeEngine Engine => engine;

    /// <summary>What the client says.</summary>
    protected WebSocketReceiver Receiver => receiver;

    /// <summary>The way to the client.</summary>
    protected WebSocketTransport Transport => transport;

    /// <summary>Something came from the peer.</summary>
    /// <returns>False if the connection is being closed, so that reading ends.</returns>
    protected abstract bool MarkAlive();

    /// <summary>Sends the answer to a ping, in its order among what is sent.</summary>
    protected abstract void SendPong(ReadOnlyMemory<byte> frame);

    /// <summary>Deals with a text message, whose bytes are its own for the time of the call.</summary>
    /// <returns>Why the connection must end, or null.</returns>
    protected abstract ValueTask<CloseReason?> TakeTextAsync(ReadOnlyMemory<byte> text, CancellationToken cancellationToken);

    /// <summary>Deals with a binary message; a protocol of text does not take any.</summary>
    /// <returns>Why the connection must end, or null.</returns>
    protected virtual ValueTask<CloseReason?> TakeBinaryAsync(ReadOnlyMemory<byte> bytes, CancellationToken cancellationToken) => ValueTask.FromResult<CloseReason?>(CloseReason.Binary);

    /// <summary>Why the connection ends, when reading has ended: ours, or that the client said goodbye, or that it did not.</summary>
    protected CloseReason EndFor(CloseReason? reason) => reason ?? (receiver.PeerClose is null ? CloseReason.Lost : CloseReason.Normal);

    /// <summary>Counts a message of the client against its rate.</summary>
    protected RateVerdict CountMessage()
    {
        var verdict = _messages.Take();
        if (verdict == RateVerdict.Over) engine.Metrics.CountRefusal(Refusal.Messages);
        return verdict;
    }

    /// <summary>Reads until the client is gone or must go, whatever happens. Never throws.</summary>
    /// <param name="name">What the connection is called in the log.</param>
    /// <param name="begin">What comes first, before anything is read; null for nothing.</param>
    /// <param name="cancellationToken">Ends with the link.</param>
    /// <returns>Why it must go; null if it went by itself.</returns>
    protected async Task<CloseReason?> ReceiveAllAsync(string name, Func<CancellationToken, Task>? begin, CancellationToken cancellationToken)
    {
        CloseReason? reason = null;
        try
        {
            if (begin is not null) await begin(cancellationToken);
            while (reason is null)
            {
                var message = await receiver.ReceiveAsync(CancellationToken.None);
                if (message.Kind is InboundKind.Close or InboundKind.End || !MarkAlive()) break;

                reason = IsUnfinishedForLong()
                    ? new CloseReason(CloseCodes.ProtocolError, "unfinished_message")
                    : await TakeAsync(message, cancellationToken);
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
            Log.Fault(logger, name, exception);
            reason = new CloseReason(CloseCodes.UnexpectedError, "");
        }

        if (reason is not null)
        {
            CountRefusal(reason);
            Log.Ended(logger, name, reason.Code, reason.Reason);
        }

        return reason;
    }

    /// <summary>Says why there will be no connection, and waits for the goodbye.</summary>
    protected async Task RefuseAsync(CloseReason reason)
    {
        if (reason != CloseReason.Normal)
        {
            CountRefusal(reason);
            Log.Refused(logger, reason.Code, reason.Reason);
        }

        var closing = transport.CloseAsync(reason, writable: true);
        await HearOutAsync();
        await closing;
    }

    /// <summary>Reads on until the peer has said goodbye or the transport has given it up, so that our last words arrive.</summary>
    protected async ValueTask HearOutAsync()
    {
        receiver.SkipAll();
        while (!receiver.Ended.IsCompleted) await receiver.ReceiveAsync(CancellationToken.None);
    }

    /// <summary>Counts what the client did wrong. Tokens that are not accepted and limits at the door are counted where that is found.</summary>
    protected virtual void CountRefusal(CloseReason reason)
    {
        if (reason == CloseReason.MissingToken) engine.Metrics.CountRefusal(Refusal.MissingToken);
        else if (reason.Code == CloseCodes.TooBig) engine.Metrics.CountRefusal(Refusal.TooLarge);
        else if (reason.Code is CloseCodes.Malformed or CloseCodes.Unsupported or CloseCodes.ProtocolError or CloseCodes.NotUtf8) engine.Metrics.CountRefusal(Refusal.Malformed);
    }

    private async ValueTask<CloseReason?> TakeAsync(InboundMessage message, CancellationToken cancellationToken)
    {
        switch (message.Kind)
        {
            case InboundKind.Text:
                return await TakeTextAsync(message.Payload, cancellationToken);

            case InboundKind.Binary:
                return await TakeBinaryAsync(message.Payload, cancellationToken);

            case InboundKind.Ping:
                var verdict = _controls.Take();
                if (verdict == RateVerdict.OverForLong) return CloseReason.OverLimit(RetryDelay.Long());
                if (verdict == RateVerdict.Within) SendPong(FrameWriter.Frame(FrameOpcode.Pong, message.Payload.Span));
                else engine.Metrics.CountRefusal(Refusal.ControlFrames);
                return null;

            case InboundKind.Pong:
                return _controls.Take() == RateVerdict.OverForLong ? CloseReason.OverLimit(RetryDelay.Long()) : null;

            case InboundKind.Partial:
                return null;

            default:
                return ReasonFor(message);
        }
    }

    private bool IsUnfinishedForLong()
    {
        if (!receiver.IsMidMessage)
        {
            _unfinishedSince = 0;
            return false;
        }

        if (_unfinishedSince == 0) _unfinishedSince = engine.Clock.GetTimestamp();
        return engine.Clock.GetElapsedTime(_unfinishedSince) > messageTimeout;
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
