using Tidings.Protocols.Admission;
using Tidings.Protocols.WebSockets;
using Tidings.Realtime.Commands;
using Tidings.Realtime.Connections;

namespace Tidings.Protocols.Native;

/// <summary>How a client enters: with an identity, or not at all.</summary>
/// <param name="Identity">Who it is.</param>
/// <param name="Id">The client's number of its <c>auth</c> message.</param>
/// <param name="Refusal">Why it may not enter.</param>
internal readonly record struct Entry(ClientIdentity? Identity, long? Id = null, CloseReason? Refusal = null);

/// <summary>The first message of a client whose handshake carried no token: it must bring one, in time.</summary>
internal sealed class FirstMessage(NativeSessionContext shared, WebSocketReceiver receiver, WebSocketTransport transport)
{
    private readonly MessageRate _controls = new(WebSocketSession.ControlFramesPerSecond, WebSocketSession.ControlFramesPerSecond, shared.Engine.Clock);

    /// <summary>What the gatekeeper's answer means here.</summary>
    public static Entry EntryOf(AdmittanceOf admittance, long? id = null) => admittance switch
    {
        { Identity: { } identity } => new(identity, id),
        { Limit: { } limit } => new(null, id, limit),
        { Outcome: Admittance.InvalidToken } => new(null, id, CloseReason.InvalidToken),
        { Outcome: Admittance.TokenExpired } => new(null, id, CloseReason.TokenExpired),
        { Outcome: Admittance.Unavailable } => new(null, id, CloseReason.Unavailable(RetryDelay.Long())),
        _ => new(null, id, CloseReason.MissingToken),
    };

    /// <summary>Waits for it.</summary>
    public async Task<Entry> ReadAsync()
    {
        using var limit = new CancellationTokenSource(shared.Engine.Options.AuthenticationTimeout, shared.Engine.Clock);
        try
        {
            while (true)
            {
                var message = await receiver.ReceiveAsync(limit.Token);
                switch (message.Kind)
                {
                    case InboundKind.Text:
                        return await TakeAsync(shared.Parser.Parse(message.Payload.Span), limit.Token);

                    // Nobody else writes yet, so a ping is answered here.
                    case InboundKind.Ping when _controls.Take() == RateVerdict.Within:
                        await transport.WriteAsync([FrameWriter.Frame(FrameOpcode.Pong, message.Payload.Span)], limit.Token);
                        break;

                    case InboundKind.Partial or InboundKind.Ping or InboundKind.Pong:
                        break;

                    default:
                        return new(null, Refusal: WebSocketSession.ReasonFor(message));
                }
            }
        }
        catch (Exception exception) when (exception is OperationCanceledException or IOException)
        {
            return new(null, Refusal: CloseReason.MissingToken);
        }
    }

    private async ValueTask<Entry> TakeAsync(ParsedCommand parsed, CancellationToken cancellationToken)
    {
        if (parsed.Malformed is { } what) return new(null, Refusal: CloseReason.Malformed(what));
        if (parsed.Command is not AuthenticateCommand auth) return new(null, Refusal: CloseReason.MissingToken);
        return EntryOf(await shared.Gate.IdentifyAsync(auth.Token, cancellationToken), auth.Id);
    }
}
