using System.Text;
using Tidings.Protocols.Admission;
using Tidings.Protocols.Native;
using Tidings.Protocols.WebSockets;
using Tidings.Realtime.Channels;
using Tidings.Realtime.Commands;
using Tidings.Realtime.Connections;

namespace Tidings.Protocols.Pusher;

/// <summary>One Pusher client, from the accepted handshake to the end: runs what it asks one after the other.</summary>
internal sealed class PusherSession(PusherContext shared, WebSocketReceiver receiver, WebSocketTransport transport)
    : WebSocketSession(shared.Engine, receiver, transport, shared.MessageTimeout, shared.Logger)
{
    private Connection _connection = null!;
    private PusherSignIn _signIn = null!;
    private PusherSubscriber _subscriber = null!;
    private PusherSender _sender = null!;

    /// <summary>Serves the client until it is gone.</summary>
    public async Task RunAsync(ClientIdentity identity, CancellationToken cancellationToken)
    {
        using var receiver = Receiver;
        var state = new PusherState { ActivityTimeout = Engine.Options.HeartbeatInterval };
        var opened = Engine.TryConnect(identity, shared.Format, new PusherTransport(Transport, Engine.Clock), state, out var refusal, SocketId.New());
        if (opened is null)
        {
            await SayAndRefuseAsync(PusherCloses.Of(refusal!));
            return;
        }

        _connection = opened;
        _signIn = new PusherSignIn(shared, opened);
        _subscriber = new PusherSubscriber(shared, opened, _signIn);
        _sender = new PusherSender(shared, opened);
        using var deadline = shared.App.TakesStrangers ? null : Engine.Clock.CreateTimer(_ => opened.Shard.Post(CloseStranger), null, shared.App.StrangersStay, Timeout.InfiniteTimeSpan);
        var reason = await ReceiveAllAsync(opened.Id, AttachAsync, cancellationToken);
        opened.Close(EndFor(reason));
        await HearOutAsync();
        await opened.Completion;
        shared.Watchlists.Forget(opened, _signIn.Watched);
    }

    /// <summary>Tells a client that it gets no connection. Clients that can't see close codes read the message before it.</summary>
    public async Task RefuseClientAsync(CloseReason reason)
    {
        using var receiver = Receiver;
        await SayAndRefuseAsync(reason);
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
        switch (CountMessage())
        {
            case RateVerdict.OverForLong:
                return CloseReason.OverLimit(RetryDelay.Long());

            // A client subscribes to all its channels in one go when it comes back, and never repeats what was refused: it has to wait.
            case RateVerdict.Over:
                await Task.Delay(TimeSpan.FromSeconds(1.0 / Engine.Options.MessagesPerSecond), Engine.Clock, cancellationToken);
                break;
        }

        if (PusherMessage.Read(text.Span, out var message) is { } wrong)
        {
            Reply(PusherJson.Error(null, wrong));
            return null;
        }

        await RunAsync(message!, cancellationToken);
        return null;
    }

    private async ValueTask RunAsync(PusherMessage message, CancellationToken cancellationToken)
    {
        switch (message.Event)
        {
            case "pusher:ping":
                Reply(PusherJson.Pong);
                break;

            case "pusher:pong":
                break;

            case "pusher:subscribe":
                await _subscriber.SubscribeAsync(message, cancellationToken);
                break;

            case "pusher:unsubscribe":
                await _subscriber.UnsubscribeAsync(message, cancellationToken);
                break;

            case "pusher:signin":
                await _signIn.HandleAsync(message);
                break;

            case var name when ClientEvents.IsOne(name):
                await _sender.SendAsync(message, cancellationToken);
                break;

            default:
                Reply(PusherJson.Error(null, "There is no such event for clients to send."));
                break;
        }
    }

    /// <summary>The channel of everybody, which no client asks for. It is told as any other event, and can be subscribed to.</summary>
    private async Task AttachAsync(CancellationToken cancellationToken)
    {
        foreach (var channel in AttachedChannels.For(_connection.Identity, Engine.Catalog, own: false))
        {
            var grant = await Engine.AuthorizeAsync(_connection.Identity, channel, null, cancellationToken);
            if (!grant.IsAllowed) continue;
            var state = new PusherChannel(new PusherName(PusherName.SpellingOf(channel)), channel, waits: false) { IsAttached = true };
            await Engine.SubscribeAsync(_connection, new SubscribeCommand(null, channel, null, false, null) { IsAttached = true, State = state }, grant, cancellationToken);
        }
    }

    /// <summary>Who has not said in time who it is, and shown no signature, has to go. On the connection's shard.</summary>
    private void CloseStranger()
    {
        var isKnown = _connection.Identity.UserId is not null
            || _connection.Subscriptions.Any(static subscription => subscription.State is PusherChannel { Name.IsSigned: true });
        if (!isKnown) _connection.Close(PusherCloses.Unauthorized);
    }

    private async Task SayAndRefuseAsync(CloseReason reason)
    {
        try
        {
            await Transport.WriteAsync([PusherJson.Error(reason.Code, reason.Reason)], CancellationToken.None);
        }
        catch (IOException)
        {
            // It is gone already.
        }

        await RefuseAsync(reason);
    }

    private void Reply(ReadOnlyMemory<byte> frame) => _connection.Send(new PusherReply(frame));
}
