using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using Tidings.Protocols.Admission;
using Tidings.Protocols.WebSockets;
using Tidings.Realtime;
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

/// <summary>One client of the native protocol, from the accepted handshake to the end: runs what it asks one after the other.</summary>
internal sealed class NativeSession(NativeSessionContext shared, WebSocketReceiver receiver, WebSocketTransport transport, NativeWishes wishes)
    : WebSocketSession(shared.Engine, receiver, transport, shared.MessageTimeout, shared.Logger)
{
    private Connection _connection = null!;

    /// <summary>Serves the client until it is gone.</summary>
    /// <param name="admittance">What the handshake told of it.</param>
    /// <param name="cancellationToken">Ends with the link.</param>
    public async Task RunAsync(AdmittanceOf admittance, CancellationToken cancellationToken)
    {
        using var place = admittance.Place;
        using var receiver = Receiver;
        if (await OpenAsync(admittance) is not { } connection) return;

        _connection = connection;
        var reason = await ReceiveAllAsync(connection.Id, AttachAsync, cancellationToken);
        connection.Close(EndFor(reason));
        await HearOutAsync();
        await connection.Completion;
    }

    /// <inheritdoc />
    protected override bool MarkAlive()
    {
        _connection.MarkAlive();
        return !_connection.IsClosing;
    }

    /// <inheritdoc />
    protected override void SendPong(ReadOnlyMemory<byte> frame) => _connection.Send(new PongFrame(frame));

    /// <inheritdoc />
    protected override async ValueTask<CloseReason?> TakeTextAsync(ReadOnlyMemory<byte> text, CancellationToken cancellationToken)
    {
        var parsed = shared.Parser.Parse(text.Span);
        if (parsed.Malformed is { } what) return CloseReason.Malformed(what);

        switch (CountMessage())
        {
            case RateVerdict.OverForLong:
                return CloseReason.OverLimit(RetryDelay.Long());
            case RateVerdict.Over:
                _connection.Send(new ErrorMessage(parsed.Command?.Id ?? parsed.Error?.Id, ErrorCode.RateLimited, "Too many messages."));
                return null;
        }

        if (parsed.Error is { } error)
        {
            _connection.Send(error);
            return null;
        }

        await Engine.HandleAsync(_connection, parsed.Command!, cancellationToken);
        return null;
    }

    /// <summary>Opens the connection, or says why there is none.</summary>
    private async ValueTask<Connection?> OpenAsync(AdmittanceOf admittance)
    {
        var entry = admittance.Outcome == Admittance.NoToken
            ? await new FirstMessage(shared, Receiver, Transport).ReadAsync()
            : FirstMessage.EntryOf(admittance);
        var refusal = entry.Refusal;
        var connection = entry.Identity is { } identity ? TryConnect(identity, out refusal) : null;
        if (connection is null) await RefuseAsync(refusal!);
        else if (entry.Id is { } id) connection.Send(new AuthenticatedMessage(id, entry.Identity!.ExpiresAt));
        return connection;
    }

    private Connection? TryConnect(ClientIdentity identity, out CloseReason? refusal) => wishes.Batches
        ? Engine.TryConnect(identity, shared.BatchFormat, Transport, new NativeBatch(Engine.Options.MessageBytes), out refusal)
        : Engine.TryConnect(identity, shared.Format, Transport, null, out refusal);

    private Task AttachAsync(CancellationToken cancellationToken) =>
        AttachedChannels.SubscribeAsync(Engine, _connection, wishes.AttachOwn, shared.Logger, cancellationToken);
}
