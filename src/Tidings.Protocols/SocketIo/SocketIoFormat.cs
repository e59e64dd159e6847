using System.Text;
using System.Text.Json;
using Tidings.Protocols.EngineIo;
using Tidings.Protocols.Native;
using Tidings.Protocols.WebSockets;
using Tidings.Realtime.Channels;
using Tidings.Realtime.Connections;
using Tidings.Realtime.Publications;

namespace Tidings.Protocols.SocketIo;

/// <summary>
/// The engine's messages as Socket.IO packets of the main namespace, each in a WebSocket frame. Every event ends with the offset from
/// which its reader resumes.
/// </summary>
internal sealed class SocketIoFormat(ChannelCatalog catalog) : IWireFormat
{
    /// <summary>The number of a command whose sender wants no answer: that of an acknowledgement is never negative.</summary>
    public const long NoAck = -1;

    private const string Main = "/";

    /// <inheritdoc />
    public int Slot => FormatSlots.SocketIo;

    /// <inheritdoc />
    public string Name => "socketio";

    /// <summary>None: the heartbeat is Engine.IO's, which clients wait for however busy the connection is.</summary>
    public ReadOnlyMemory<byte> Heartbeat => default;

    /// <inheritdoc />
    public ReadOnlyMemory<byte> Probe => EnginePackets.Ping;

    /// <inheritdoc />
    public bool ExpectsAnswer => false;

    /// <summary>Clients before 4.6 bring nothing back. One that does takes the same connection's place, so nothing is remembered of it twice.</summary>
    public bool TellsNoPlace => true;

    private static ReadOnlySpan<byte> OffsetStart => ",\""u8;

    private static ReadOnlySpan<byte> OffsetEnd => "\"]"u8;

    /// <inheritdoc />
    public EncodedPush EncodePush(Publication publication, PublicationForm form) => new SocketPush(catalog, publication, form);

    /// <inheritdoc />
    public void WritePush(Connection connection, Subscription subscription, Publication publication, EncodedPush push)
    {
        var bytes = (SocketPush)push;
        var (head, tail) = subscription.IsFeed ? bytes.ForFeeds : (bytes.Whole, []);
        var feed = tail.Length > 0 ? subscription.Channel.Value : "";

        Span<byte> offset = stackalloc byte[RecoveryOffset.MaxLength];
        offset = offset[..RecoveryOffset.Write(connection, offset)];

        var payload = head.Length + feed.Length + tail.Length + OffsetStart.Length + offset.Length + OffsetEnd.Length;
        var room = connection.TakeRoom(FrameWriter.HeaderLength(payload) + payload);
        var rest = room.Span;
        rest = rest[FrameWriter.WriteHeader(rest, FrameOpcode.Text, payload)..];
        Put(head, ref rest);
        rest = rest[Encoding.ASCII.GetBytes(feed, rest)..];
        Put(tail, ref rest);
        Put(OffsetStart, ref rest);
        Put(offset, ref rest);
        Put(OffsetEnd, ref rest);
        connection.QueueRoom(room);
    }

    /// <inheritdoc />
    public void WriteMessage(Connection connection, ServerMessage message)
    {
        var state = (SocketState)connection.ProtocolState!;
        switch (message)
        {
            case ConnectedMessage connected:
                state.ExpiresAt = connected.ExpiresAt;
                if (!state.IsRecovering) WriteReply(connection, state);
                return;

            case SocketReadyMessage:
                state.IsReady = true;
                if (state.IsRecovering) WriteReply(connection, state);
                WriteNotice(connection, "connected", new ConnectedMessage(connection.Id, connection.Identity.UserId, connection.Engine.Options.HeartbeatInterval, state.ExpiresAt));
                return;

            case SocketReplyMessage:
                WriteReply(connection, state);
                return;

            case SubscribedMessage subscribed when !state.IsReady:
                state.HasFailed |= subscribed.Recovered == false;
                return;

            case ErrorMessage when !state.IsReady && state.IsRecovering:
                state.HasFailed = true;
                return;

            case SubscribedMessage { Id: var id }:
                WriteNotice(connection, "subscribed", message);
                WriteAck(connection, id, message);
                return;

            case UnsubscribedMessage { Id: var id }:
                WriteNotice(connection, "unsubscribed", message);
                WriteAck(connection, id, message);
                return;

            case ErrorMessage { Id: >= 0 } error:
                WriteRefusal(connection, error);
                return;

            // To join what one has joined is no mistake here, and needs no notice.
            case ErrorMessage { Code: ErrorCode.AlreadySubscribed }:
                return;

            case ErrorMessage error:
                connection.Queue(SocketPackets.Event(Main, "error", Build(error)));
                return;

            case TokenExpiringMessage:
                connection.Queue(SocketPackets.Event(Main, "token_expiring", Build(message)));
                return;

            case PublishedMessage { Id: var id }:
                WriteAck(connection, id, message);
                return;

            case PresenceMessage { Id: var id }:
                WriteAck(connection, id, message);
                return;

            case HistoryMessage { Id: var id }:
                WriteAck(connection, id, message);
                return;

            case AuthenticatedMessage { Id: var id } authenticated:
                state.ExpiresAt = authenticated.ExpiresAt;
                WriteAck(connection, id, message);
                return;
        }
    }

    private static void WriteReply(Connection connection, SocketState state) => connection.Queue(SocketPackets.Connected(Main, connection.Id, state.Pid));

    private static void Put(scoped ReadOnlySpan<byte> bytes, ref Span<byte> rest)
    {
        bytes.CopyTo(rest);
        rest = rest[bytes.Length..];
    }

    /// <summary>An event that is the server's own; it carries the offset, which a change of the channels has changed.</summary>
    private void WriteNotice(Connection connection, string name, ServerMessage message)
    {
        Span<byte> offset = stackalloc byte[RecoveryOffset.MaxLength];
        offset = offset[..RecoveryOffset.Write(connection, offset)];
        connection.Queue(SocketPackets.Event(Main, name, [.. Build(message), .. OffsetStart, .. offset, (byte)'"']));
    }

    private void WriteAck(Connection connection, long? id, ServerMessage message)
    {
        if (id is not >= 0) return;
        connection.Queue(SocketPackets.Ack(Main, id.Value, Build(message, isAck: true)));
    }

    private static void WriteRefusal(Connection connection, ErrorMessage error)
    {
        var scratch = JsonScratch.Take();
        var json = scratch.Writer;
        json.WriteStartObject();
        json.WriteBoolean("ok"u8, error.Code == ErrorCode.AlreadySubscribed); // see above
        if (error.Code == ErrorCode.AlreadySubscribed)
        {
            json.WriteString("channel"u8, error.Channel);
        }
        else
        {
            json.WriteStartObject("error"u8);
            json.WriteString("code"u8, Admission.Problems.CodeOf(error.Code));
            json.WriteString("message"u8, error.Message);
            if (error.Channel is { } channel) json.WriteString("channel"u8, channel);
            json.WriteEndObject();
        }

        json.WriteEndObject();
        json.Flush();
        connection.Queue(SocketPackets.Ack(Main, error.Id!.Value, scratch.Bytes.WrittenSpan.ToArray()));
    }

    private byte[] Build(ServerMessage message, bool isAck = false)
    {
        var scratch = JsonScratch.Take();
        var json = scratch.Writer;
        json.WriteStartObject();
        if (isAck) json.WriteBoolean("ok"u8, true);
        MessageJson.WriteFields(json, message, catalog, withId: false);
        json.WriteEndObject();
        json.Flush();
        return scratch.Bytes.WrittenSpan.ToArray();
    }
}
