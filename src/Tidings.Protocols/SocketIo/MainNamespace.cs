using Microsoft.Extensions.Logging;
using Tidings.Protocols.Admission;
using Tidings.Protocols.Native;
using Tidings.Realtime;
using Tidings.Realtime.Commands;
using Tidings.Realtime.Connections;

namespace Tidings.Protocols.SocketIo;

/// <summary>
/// The one namespace there is: a socket in it is a connection of the engine. A client that brings back what it was given last time gets
/// its socket as it was, with everything it missed; from any node, since nothing of it is kept.
/// </summary>
internal sealed partial class MainNamespace(RealtimeEngine engine, Gatekeeper gate, RecoveryKeys keys, ILogger<MainNamespace> logger)
{
    private static readonly TimeSpan LastWordTime = TimeSpan.FromSeconds(1);

    private readonly SocketIoFormat _format = new(engine.Catalog);
    private readonly ClientEvents _events = new(new CommandParser(engine.Catalog));

    /// <summary>The namespaces as one session sees them.</summary>
    /// <param name="visitor">What its handshake told of the client.</param>
    public ISocketNamespaces For(Visitor visitor) => new Entrance(this, visitor);

    private async ValueTask<SocketEntry> ConnectAsync(SocketSession session, Visitor visitor, ReadOnlyMemory<byte> auth, CancellationToken cancellationToken)
    {
        var request = ConnectRequest.Read(auth.Span);
        var admittance = await visitor.IdentifyAsync(gate, request.Token, engine.Clock, cancellationToken);
        if (admittance is not { Identity: { } identity }) return Refuse(admittance);

        var recovery = request is { Pid: { } pid, Offset: { } offset } && keys.Open(pid, identity.UserId) is { } sid
            ? await RecoverAsync(session, identity, pid, sid, offset, cancellationToken)
            : null;
        return recovery is { } connection ? EntryOf(connection) : await BeginAsync(session, identity, cancellationToken);
    }

    private SocketEntry EntryOf(Connection connection) => new(new ClientSocket(engine, _events, keys, connection));

    private SocketEntry Refuse(AdmittanceOf admittance)
    {
        if (admittance.Outcome == Admittance.NoToken) engine.Metrics.CountRefusal(Refusal.MissingToken);
        return admittance.Outcome switch
        {
            Admittance.NoToken => new(null, SocketPackets.ConnectError("/", "Authentication required", CloseReason.MissingToken.Reason)),
            Admittance.TokenExpired => new(null, SocketPackets.ConnectError("/", "Invalid token", CloseReason.TokenExpired.Reason)),
            Admittance.InvalidToken => new(null, SocketPackets.ConnectError("/", "Invalid token", CloseReason.InvalidToken.Reason)),
            _ => new(null, End: admittance.Limit ?? CloseReason.Unavailable(RetryDelay.Long())),
        };
    }

    /// <summary>A client that can wait a moment comes back by itself; one that has too many connections must be told, or it would come back for ever.</summary>
    private static SocketEntry Refuse(CloseReason refusal) => refusal.Code == 4429
        ? new(null, SocketPackets.ConnectError("/", "Too many connections", "rate_limited"))
        : new(null, End: refusal);

    private async ValueTask<SocketEntry> BeginAsync(SocketSession session, ClientIdentity identity, CancellationToken cancellationToken)
    {
        var sid = NewSid();
        var state = new SocketState(keys.Seal(sid, identity.UserId), isRecovering: false);
        var connection = engine.TryConnect(identity, _format, new SessionTransport(session.Engine), state, out var refusal, sid);
        if (connection is null) return Refuse(refusal!);

        await AttachedChannels.SubscribeAsync(engine, connection, own: true, logger, cancellationToken);
        connection.Send(new SocketReadyMessage());
        return EntryOf(connection);
    }

    /// <summary>Puts a socket back to where it was.</summary>
    /// <returns>Null if something of it can't be had: then it is a new one.</returns>
    private async ValueTask<Connection?> RecoverAsync(
        SocketSession session, ClientIdentity identity, string pid, string sid, string offset, CancellationToken cancellationToken)
    {
        if (RecoveryOffset.TryRead(offset, identity.UserId, engine.Catalog) is not { } places) return null;
        var grants = await AuthorizeAsync(identity, places, cancellationToken);
        if (grants is null) return null;

        if (!await ReplaceAsync(identity, pid, sid, cancellationToken)) return null;

        var state = new SocketState(pid, isRecovering: true);
        var connection = engine.TryConnect(identity, _format, new SessionTransport(session.Engine), state, out _, sid);
        if (connection is null) return null;

        try
        {
            for (var index = 0; index < places.Count && !state.HasFailed; index++)
                await engine.SubscribeAsync(connection, CommandFor(places[index], identity), grants[index], cancellationToken);
        }
#pragma warning disable CA1031 // Whatever went wrong, the client starts anew.
        catch (Exception exception) when (exception is not OperationCanceledException)
#pragma warning restore CA1031
        {
            Log.CannotRecover(logger, connection.Id, exception);
            state.HasFailed = true;
        }

        if (!state.HasFailed)
        {
            connection.Send(new SocketReadyMessage());
            return connection;
        }

        connection.Close(CloseReason.Normal);
        await connection.Completion;
        return null;
    }

    /// <summary>
    /// The link broke for the client, but perhaps not yet for us: two sockets with one id would each be taken for the other. Perhaps the
    /// client has left it on purpose, and that is still on its way here.
    /// </summary>
    /// <returns>Whether the socket may come back.</returns>
    private async ValueTask<bool> ReplaceAsync(ClientIdentity identity, string pid, string sid, CancellationToken cancellationToken)
    {
        foreach (var old in engine.ConnectionsOf(identity.UserId))
        {
            if (old.Id != sid) continue;
            await Task.WhenAny(old.Completion, Task.Delay(LastWordTime, engine.Clock, cancellationToken));
            old.Close(CloseReason.Lost);
            await old.Completion.WaitAsync(cancellationToken);
            break;
        }

        return keys.Open(pid, identity.UserId) is not null; // asked again: the goodbye may have come since
    }

    private async ValueTask<ChannelGrant[]?> AuthorizeAsync(ClientIdentity identity, IReadOnlyList<RecoveryPlace> places, CancellationToken cancellationToken)
    {
        try
        {
            var grants = await Task.WhenAll(places.Select(place => engine.AuthorizeAsync(identity, place.Channel, null, cancellationToken).AsTask()));
            return Array.TrueForAll(grants, static grant => grant.IsAllowed) ? grants : null;
        }
#pragma warning disable CA1031 // As above.
        catch (Exception exception) when (exception is not OperationCanceledException)
#pragma warning restore CA1031
        {
            Log.CannotRecover(logger, "", exception);
            return null;
        }
    }

    private SubscribeCommand CommandFor(RecoveryPlace place, ClientIdentity identity)
    {
        var hasPresence = engine.Catalog.RulesOf(place.Channel).Presence != Realtime.Channels.PresenceRule.None;
        return new SubscribeCommand(null, place.Channel, place.Position.Exists ? place.Position : null, hasPresence ? place.HasPresence : null, null)
        {
            IsAttached = RecoveryOffset.IsOwn(place.Channel, identity.UserId),
        };
    }

    private static string NewSid() => System.Buffers.Text.Base64Url.EncodeToString(System.Security.Cryptography.RandomNumberGenerator.GetBytes(15));

    private sealed class Entrance(MainNamespace main, Visitor visitor) : ISocketNamespaces
    {
        public ValueTask<SocketEntry> ConnectAsync(SocketSession session, string name, ReadOnlyMemory<byte> auth, CancellationToken cancellationToken) => name == "/"
            ? main.ConnectAsync(session, visitor, auth, cancellationToken)
            : ValueTask.FromResult(new SocketEntry(null, SocketPackets.ConnectError(name, "Invalid namespace", null)));
    }

    private static partial class Log
    {
        [LoggerMessage(EventId = 2501, Level = LogLevel.Error, Message = "Could not recover the socket {ConnectionId}")]
        public static partial void CannotRecover(ILogger logger, string connectionId, Exception exception);
    }
}
