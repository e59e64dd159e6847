using Tidings.Protocols.Admission;
using Tidings.Protocols.Native;
using Tidings.Realtime.Channels;
using Tidings.Realtime.Connections;
using Tidings.Realtime.Publications;

namespace Tidings.Protocols.SignalR;

/// <summary>
/// SignalR's hub protocol: events and notices are calls of the client's methods, answers complete the client's own calls. All of it goes
/// through the connection's one queue, so that the answer to <c>Subscribe</c> is there before the events that it brings.
/// </summary>
/// <param name="catalog">The kinds of channels.</param>
/// <param name="encoding">How records are written.</param>
/// <param name="keepsAlive">Whether signs of life go both ways; in long polling each poll is one.</param>
internal sealed class HubFormat(ChannelCatalog catalog, IHubEncoding encoding, bool keepsAlive) : IWireFormat
{
    /// <inheritdoc />
    public int Slot => encoding.Slot;

    /// <inheritdoc />
    public string Name => "signalr";

    /// <inheritdoc />
    public ReadOnlyMemory<byte> Heartbeat => keepsAlive ? encoding.Ping : default;

    /// <inheritdoc />
    public bool ExpectsAnswer => false;

    /// <inheritdoc />
    public bool PeerSpeaksUnasked => true;

    /// <inheritdoc />
    public EncodedPush EncodePush(Publication publication, PublicationForm form) => new HubPush(catalog, publication, form, encoding);

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
        if (message is ConnectedMessage) connection.Queue(JsonHubEncoding.HandshakeAccepted); // only now it is certain that there is a connection
        var json = MessageJson.Build(message, catalog).ToArray();
        if (client.WantsReceive) connection.Queue(encoding.Invocation("receive", json));
        if (client.WantsNamed) connection.Queue(encoding.Invocation(type, json));
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

    private byte[] Completion(string invocationId, ServerMessage message)
    {
        if (message is ErrorMessage error) return encoding.Failure(invocationId, TextOf(error));

        var scratch = JsonScratch.Take();
        scratch.Writer.WriteStartObject();
        MessageJson.WriteFields(scratch.Writer, message, catalog, withId: false);
        scratch.Writer.WriteEndObject();
        scratch.Writer.Flush();
        return encoding.Completion(invocationId, scratch.Bytes.WrittenSpan.ToArray());
    }
}
