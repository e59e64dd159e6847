using Tidings.Protocols.Admission;
using Tidings.Protocols.Native;
using Tidings.Realtime.Channels;
using Tidings.Realtime.Connections;
using Tidings.Realtime.Publications;

namespace Tidings.Protocols.SignalR;

/// <summary>
/// SignalR's JSON protocol: events and notices are calls of the client's methods, answers complete the client's own calls. All of it goes
/// through the connection's one queue, so that the answer to <c>Subscribe</c> is there before the events that it brings.
/// </summary>
/// <param name="catalog">The kinds of channels.</param>
/// <param name="keepsAlive">Whether signs of life go both ways; in long polling each poll is one.</param>
internal sealed class HubFormat(ChannelCatalog catalog, bool keepsAlive) : IWireFormat
{
    /// <inheritdoc />
    public int Slot => FormatSlots.SignalR;

    /// <inheritdoc />
    public string Name => "signalr";

    /// <inheritdoc />
    public ReadOnlyMemory<byte> Heartbeat => keepsAlive ? HubFrames.Ping : default;

    /// <inheritdoc />
    public bool ExpectsAnswer => false;

    /// <inheritdoc />
    public bool PeerSpeaksUnasked => true;

    /// <inheritdoc />
    public EncodedPush EncodePush(Publication publication, PublicationForm form) => new HubPush(catalog, publication, form);

    /// <inheritdoc />
    public void WritePush(Connection connection, Subscription subscription, Publication publication, EncodedPush push) =>
        ((HubPush)push).Write(connection, subscription);

    /// <inheritdoc />
    public void WriteMessage(Connection connection, ServerMessage message)
    {
        var client = (HubClient)connection.ProtocolState!;
        if (NumberOf(message) is { } number)
        {
            if (client.Answer(number) is { } invocationId) connection.Queue(Completion(invocationId, message));
            return;
        }

        if (MessageJson.TypeOf(message) is not { } type) return;
        if (message is ConnectedMessage) connection.Queue(HubFrames.HandshakeAccepted); // only now it is certain that there is a connection
        var json = MessageJson.Build(message, catalog).ToArray();
        if (client.WantsReceive) connection.Queue(HubFrames.Invocation("receive", json));
        if (client.WantsNamed) connection.Queue(HubFrames.Invocation(type, json));
    }

    /// <summary>The text of an error: our code, then what it means for people.</summary>
    public static string TextOf(ErrorMessage error) => $"{Problems.CodeOf(error.Code)}: {error.Message}";

    private static long? NumberOf(ServerMessage message) => message switch
    {
        SubscribedMessage it => it.Id,
        UnsubscribedMessage it => it.Id,
        PublishedMessage it => it.Id,
        PresenceMessage it => it.Id,
        HistoryMessage it => it.Id,
        AuthenticatedMessage it => it.Id,
        ErrorMessage it => it.Id,
        _ => null,
    };

    private byte[] Completion(string invocationId, ServerMessage message) => HubFrames.Object(json =>
    {
        json.WriteNumber("type"u8, 3);
        json.WriteString("invocationId"u8, invocationId);
        if (message is ErrorMessage error)
        {
            json.WriteString("error"u8, TextOf(error));
            return;
        }

        json.WriteStartObject("result"u8);
        MessageJson.WriteFields(json, message, catalog, withId: false);
        json.WriteEndObject();
    });
}
