using Tidings.Realtime;
using Tidings.Realtime.Channels;
using Tidings.Realtime.Commands;
using Tidings.Realtime.Connections;

namespace Tidings.Protocols.Pusher;

/// <summary>
/// Subscribes a Pusher client. A name with a prefix takes a signature; a channel of ours takes besides that the user may read it, which is
/// asked as in every protocol. Each request gets an answer, since the client waits for it.
/// </summary>
internal sealed class PusherSubscriber(PusherContext shared, Connection connection, PusherSignIn signIn)
{
    /// <summary>The most members of a channel of Pusher's names.</summary>
    public const int MaxMembers = 100;

    private readonly RealtimeEngine _engine = shared.Engine;

    /// <summary>Deals with <c>pusher:subscribe</c>.</summary>
    public async ValueTask SubscribeAsync(PusherMessage message, CancellationToken cancellationToken)
    {
        if (Find(message, out var fields) is not var (name, channel)) return;
        try
        {
            var pass = await AdmitAsync(name, channel, fields, cancellationToken);
            if (pass.Refusal is { } refusal) Reply(PusherJson.SubscriptionError(name.Text, refusal.Type, refusal.Error, refusal.Status));
            else await SubscribeAsync(name, channel, pass, cancellationToken);
        }
#pragma warning disable CA1031 // A fault of ours is answered as one, and the connection goes on.
        catch (Exception exception) when (!cancellationToken.IsCancellationRequested)
#pragma warning restore CA1031
        {
            _engine.LogFault("subscribing a Pusher client", exception);
            await _engine.HandleAsync(connection, new UnsubscribeCommand(null, channel), cancellationToken); // if it came so far
            Reply(PusherJson.SubscriptionError(name.Text, "ServerError", "The server could not subscribe you now.", 500));
        }
    }

    /// <summary>Deals with <c>pusher:unsubscribe</c>.</summary>
    public async ValueTask UnsubscribeAsync(PusherMessage message, CancellationToken cancellationToken)
    {
        if (Find(message, out _) is not var (name, channel)) return;
        Ask(new PusherChannel(name, channel, waits: false));
        await _engine.HandleAsync(connection, new UnsubscribeCommand(PusherCommands.Unsubscribe, channel), cancellationToken);
    }

    private (PusherName Name, ChannelName Channel)? Find(PusherMessage message, out Dictionary<string, string?> fields)
    {
        fields = message.ReadFields() ?? [];
        if (fields.GetValueOrDefault("channel") is not { } text)
        {
            Reply(PusherJson.Error(null, "The message names no channel."));
            return null;
        }

        var name = new PusherName(text);
        if (name.Find(_engine.Catalog, out var channel) == ChannelNameError.None) return (name, channel!);
        Reply(text.Length <= ForeignChannels.MaxLength
            ? PusherJson.SubscriptionError(text, "InvalidChannel", "This is not the name of a channel.", 400)
            : PusherJson.Error(null, "This is not the name of a channel."));
        return null;
    }

    private async ValueTask<Pass> AdmitAsync(PusherName name, ChannelName channel, Dictionary<string, string?> fields, CancellationToken cancellationToken)
    {
        var askedAt = _engine.Clock.GetTimestamp();
        if (name.UserId is { } userId)
            return userId == signIn.UserId ? Pass.To(ChannelGrant.Open with { AskedAt = askedAt }) : Forbid();

        SignedData? signed = null;
        if (name.IsSigned)
        {
            var channelData = fields.GetValueOrDefault("channel_data");
            var verdict = PusherSignature.Judge(shared.App, fields.GetValueOrDefault("auth"), PusherSignature.OfChannel(connection.Id, name.Text, channelData));
            if (verdict != SignatureVerdict.Good) return Unauthorized(verdict);
            if (channelData is not null && (name.IsPresence || !channel.IsForeign))
            {
                signed = SignedData.Read(channelData, "user_id", takesNumber: true);
                if (signed is null) return Pass.Refused("AuthError", "channel_data must be an object with the user_id of a user.", 401);
            }
        }

        if (((PusherState)connection.ProtocolState!).WasTakenAway(channel)) return Forbid();
        if (!channel.IsForeign) return await AdmitToOursAsync(name, channel, signed, cancellationToken);
        return name.IsPresence ? await AdmitMemberAsync(channel, signed ?? signIn.User, askedAt, cancellationToken) : Pass.To(ChannelGrant.Open with { AskedAt = askedAt });
    }

    /// <summary>One of our channels: the signature tells who the reader is, and the rules whether that user may read it.</summary>
    private async ValueTask<Pass> AdmitToOursAsync(PusherName name, ChannelName channel, SignedData? signed, CancellationToken cancellationToken)
    {
        if (signed is not null)
        {
            switch (await _engine.IdentifyAsync(connection, signed.Identity))
            {
                case IdentifyResult.AnotherUser:
                    return Pass.Refused("AuthError", "The connection is another user's.", 403);
                case IdentifyResult.OverLimit:
                    return Pass.Refused("LimitReached", "The user has as many connections as allowed.", 4004);
                case IdentifyResult.Ended:
                    return Pass.Refused("AuthError", "The sign-in has ended.", 401);
            }
        }

        var askedAt = _engine.Clock.GetTimestamp();
        var grant = await _engine.AuthorizeAsync(connection.Identity, channel, null, cancellationToken);
        if (!grant.IsAllowed && name.IsSigned && PusherName.IsHostsWord(_engine.Catalog, channel)) grant = ChannelGrant.Open with { AskedAt = askedAt };
        if (!grant.IsAllowed) return Forbid();
        var member = name.IsPresence && connection.Identity.UserId is { } userId ? new PresenceMember(userId, default) : null;
        return Pass.To(grant, name.IsPresence, member);
    }

    /// <summary>A presence channel of the host's own: the member is whom its endpoint has signed, or who is signed in.</summary>
    private async ValueTask<Pass> AdmitMemberAsync(ChannelName channel, SignedData? who, long askedAt, CancellationToken cancellationToken)
    {
        if (who is null) return Pass.Refused("AuthError", "A presence channel needs channel_data with a user_id, or a signed-in user.", 401);
        if (who.Info.Length > SignedData.MaxInfo) return Pass.Refused("LimitReached", $"user_info may have at most {SignedData.MaxInfo} bytes.", 4004);

        var present = await _engine.ReadPresenceAsync(channel, cancellationToken);
        if (present.Count >= MaxMembers && present.Members.All(member => member.UserId != who.UserId))
            return Pass.Refused("LimitReached", $"A presence channel has at most {MaxMembers} members.", 4004);
        return Pass.To(ChannelGrant.Open with { AskedAt = askedAt }, isPresent: true, new PresenceMember(who.UserId, who.Info));
    }

    private async ValueTask SubscribeAsync(PusherName name, ChannelName channel, Pass pass, CancellationToken cancellationToken)
    {
        var isCached = channel.IsForeign && name.IsCached;
        var state = new PusherChannel(name, channel, waits: isCached || pass.IsPresent);
        Ask(state);
        var command = new SubscribeCommand(PusherCommands.Subscribe, channel, null, pass.IsPresent, null) { Member = pass.Member, State = state };
        await _engine.SubscribeAsync(connection, command, pass.Grant, cancellationToken);
        if (state.IsHeld) await new PusherWelcome(shared, connection, state, pass.Member, isCached).SayAsync(cancellationToken);
    }

    private Pass Forbid()
    {
        _engine.Metrics.CountRefusal(Refusal.Forbidden);
        return Pass.Refused("AuthError", "You may not subscribe to this channel.", 403);
    }

    private Pass Unauthorized(SignatureVerdict verdict)
    {
        _engine.Metrics.CountRefusal(Refusal.Forbidden);
        return Pass.Refused("AuthError", verdict switch
        {
            SignatureVerdict.Malformed => "auth is missing or not of the form key:signature.",
            SignatureVerdict.WrongKey => "auth is signed with the key of another app.",
            _ => "The signature is not of this connection and channel.",
        }, 401);
    }

    private void Ask(PusherChannel asked) => connection.Shard.Post(() => ((PusherState)connection.ProtocolState!).Asked = asked);

    private void Reply(ReadOnlyMemory<byte> frame) => connection.Send(new PusherReply(frame));

    /// <summary>Whether a client gets a channel.</summary>
    private readonly record struct Pass(ChannelGrant Grant, bool IsPresent, PresenceMember? Member, (string Type, string Error, int Status)? Refusal)
    {
        public static Pass To(ChannelGrant grant, bool isPresent = false, PresenceMember? member = null) => new(grant, isPresent, member, null);

        public static Pass Refused(string type, string error, int status) => new(default, false, null, (type, error, status));
    }
}
