using System.IO.Pipelines;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.Extensions.Logging;
using Tidings.Protocols.Admission;
using Tidings.Protocols.Native;
using Tidings.Protocols.WebSockets;
using Tidings.Realtime;
using Tidings.Realtime.Connections;

namespace Tidings.Protocols.SignalR;

/// <summary>What all sessions share.</summary>
/// <param name="Engine">The engine.</param>
/// <param name="Formats">The format for an encoding, and for whether signs of life go both ways.</param>
/// <param name="Methods">What clients may call.</param>
/// <param name="Logger">Hears of ends and faults.</param>
internal sealed record HubContext(RealtimeEngine Engine, Func<IHubEncoding, bool, HubFormat> Formats, HubMethods Methods, ILogger Logger);

/// <summary>One SignalR client, from its handshake to the end: reads, and runs what it asks one after the other.</summary>
internal sealed partial class HubSession(HubContext shared, IDuplexPipe link, ITransferFormatFeature carrier, HubTransport transport, HubClient client, bool isPolling)
{
    private readonly RealtimeEngine _engine = shared.Engine;
    private readonly HubReader _reader = new(link.Input, shared.Engine.Options.MessageBytes);
    private readonly MessageRate _messages = new(shared.Engine.Options.MessagesPerSecond, shared.Engine.Options.MessageBurst, shared.Engine.Clock);
    private readonly MessageRate _signs = new(WebSocketSession.ControlFramesPerSecond, WebSocketSession.ControlFramesPerSecond, shared.Engine.Clock);

    /// <summary>Serves the client until it is gone.</summary>
    /// <param name="admittance">What the door found out about it.</param>
    /// <param name="cancellationToken">Ends with the link.</param>
    public async Task RunAsync(AdmittanceOf admittance, CancellationToken cancellationToken)
    {
        if (await OpenAsync(admittance, cancellationToken) is not { } connection) return;

        CloseReason? reason = null;
        try
        {
            await AttachedChannels.SubscribeAsync(_engine, connection, own: true, shared.Logger, cancellationToken);
            while (reason is null)
            {
                var (reading, record) = await _reader.ReadAsync(transport.Encoding, cancellationToken);
                if (reading == HubReading.End || connection.IsClosing) break;

                connection.MarkAlive();
                reason = reading == HubReading.TooBig ? CloseReason.TooBig : await TakeAsync(connection, record, cancellationToken);
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
            if (reason.Code is 4400) _engine.Metrics.CountRefusal(Refusal.Malformed);
            else if (reason == CloseReason.TooBig) _engine.Metrics.CountRefusal(Refusal.TooLarge);
            Log.Ended(shared.Logger, connection.Id, reason.Code, reason.Reason);
        }

        connection.Close(reason ?? CloseReason.Normal);
        await connection.Completion;
    }

    /// <summary>Shakes hands and opens the connection, or says why there is none.</summary>
    private async ValueTask<Connection?> OpenAsync(AdmittanceOf admittance, CancellationToken cancellationToken)
    {
        using var limit = new CancellationTokenSource(_engine.Options.AuthenticationTimeout, _engine.Clock);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, cancellationToken);
        try
        {
            var (reading, record) = await _reader.ReadAsync(transport.Encoding, either.Token);
            if (reading == HubReading.End) return null;
            IHubEncoding encoding = JsonHubEncoding.Instance;
            var wrong = reading == HubReading.TooBig
                ? "too_large: The handshake is too long."
                : HubHandshake.Judge(record.Span, carrier.SupportedFormats.HasFlag(TransferFormat.Binary), out encoding);
            if (wrong is not null)
            {
                _engine.Metrics.CountRefusal(Refusal.Malformed);
                await transport.WriteAsync([JsonHubEncoding.HandshakeRefused(wrong)], either.Token);
                return null;
            }

            carrier.ActiveFormat = encoding.IsBinary ? TransferFormat.Binary : TransferFormat.Text;
            transport.Encoding = encoding;

            // A refusal is the answer to the handshake, not a close after it: a client that comes back then waits longer each time.
            var refusal = _engine.IsOpen ? FirstMessage.EntryOf(admittance).Refusal : CloseReason.Unavailable(RetryDelay.Long());
            var connection = refusal is null
                ? _engine.TryConnect(admittance.Identity!, shared.Formats(encoding, !isPolling), transport, client, out refusal)
                : null;
            if (connection is null) await transport.WriteAsync([JsonHubEncoding.HandshakeRefused(HubTransport.TextOf(refusal!))], either.Token);
            return connection;
        }
        catch (Exception exception) when (exception is OperationCanceledException or IOException)
        {
            return null;
        }
    }

    /// <summary>Deals with one record.</summary>
    /// <returns>Why the connection must end, or null.</returns>
    private async ValueTask<CloseReason?> TakeAsync(Connection connection, ReadOnlyMemory<byte> text, CancellationToken cancellationToken)
    {
        if (transport.Encoding.TryRead(text, out var record) is { } wrong) return CloseReason.Malformed(wrong);
        switch (record!.Type)
        {
            case HubRecordType.Invocation or HubRecordType.StreamInvocation:
                return await CallAsync(connection, record, cancellationToken);

            case HubRecordType.Close:
                return CloseReason.Normal;

            default: // signs of life, and parts of what was never begun
                return _signs.Take() == RateVerdict.OverForLong ? CloseReason.OverLimit(RetryDelay.Long()) : null;
        }
    }

    private async ValueTask<CloseReason?> CallAsync(Connection connection, HubRecord call, CancellationToken cancellationToken)
    {
        var verdict = _messages.Take();
        if (verdict == RateVerdict.OverForLong) return CloseReason.OverLimit(RetryDelay.Long());

        long? number = call.InvocationId is { } id ? client.Open(id) : null;
        if (verdict == RateVerdict.Over)
        {
            _engine.Metrics.CountRefusal(Refusal.Messages);
            connection.Send(new ErrorMessage(number, ErrorCode.RateLimited, "Too many messages."));
            return null;
        }

        var parsed = shared.Methods.Parse(call, number);
        if (parsed.Malformed is { } what) return CloseReason.Malformed(what);
        if (parsed.Error is { } error) connection.Send(error);
        else await _engine.HandleAsync(connection, parsed.Command!, cancellationToken);
        return null;
    }

    private static partial class Log
    {
        [LoggerMessage(EventId = 2601, Level = LogLevel.Information, Message = "Ended connection {ConnectionId} with {Code} {Reason}")]
        public static partial void Ended(ILogger logger, string connectionId, int code, string reason);

        [LoggerMessage(EventId = 2602, Level = LogLevel.Error, Message = "A fault on connection {ConnectionId}")]
        public static partial void Fault(ILogger logger, string connectionId, Exception exception);
    }
}
