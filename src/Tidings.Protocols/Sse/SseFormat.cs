using System.Buffers;
using System.Text.Json;
using Tidings.Protocols.Admission;
using Tidings.Protocols.Native;
using Tidings.Realtime.Channels;
using Tidings.Realtime.Connections;
using Tidings.Realtime.Publications;

namespace Tidings.Protocols.Sse;

/// <summary>
/// The native protocol's messages as an event stream. Every event carries an id, so that an <c>EventSource</c> that breaks off
/// anywhere resumes there. What is shared by all readers comes first, the reader's own id last.
/// </summary>
internal sealed class SseFormat(ChannelCatalog catalog) : IWireFormat, IEventFrame
{
    private static readonly TimeSpan ShortestRetry = TimeSpan.FromSeconds(1); // a browser obeys anything, down to a tight loop
    private static readonly ReadOnlyMemory<byte> Comment = ":\n\n"u8.ToArray();

    /// <inheritdoc />
    public int Slot => FormatSlots.Sse;

    /// <inheritdoc />
    public string Name => "sse";

    /// <inheritdoc />
    public ReadOnlyMemory<byte> Heartbeat => Comment;

    /// <inheritdoc />
    public bool ExpectsAnswer => false;

    /// <inheritdoc />
    public EncodedPush EncodePush(Publication publication, PublicationForm form) => new EventPush(catalog, publication, form, this);

    /// <inheritdoc />
    public void WritePush(Connection connection, Subscription subscription, Publication publication, EncodedPush push)
    {
        var stream = (SseStream)connection.ProtocolState!;
        var bytes = (EventPush)push;
        if (subscription.IsFeed)
        {
            connection.Queue(Named(stream, bytes.ForFeeds.Head));
            connection.Queue(stream.NameOf(subscription.Channel));
            connection.Queue(bytes.ForFeeds.Tail);
        }
        else
        {
            connection.Queue(Named(stream, bytes.Whole));
        }

        stream.Places.Move(subscription.Channel, subscription.Position);
        connection.Queue(stream.Ending());
    }

    /// <inheritdoc />
    public void WriteMessage(Connection connection, ServerMessage message)
    {
        var stream = (SseStream)connection.ProtocolState!;
        switch (message)
        {
            // An event named "error" would be taken for a broken connection, and a stream without one of its channels would be silent
            // about it. It ends, and its client comes back.
            case ErrorMessage:
                connection.Close(CloseReason.Unavailable(RetryDelay.Long()));
                return;

            case SubscribedMessage subscribed when stream.Places.Begin(subscribed):
                Write(connection, stream, "gap", GapJson(subscribed.Channel, stream.NamesEvents));
                break;
        }

        if (MessageJson.TypeOf(message) is { } type) Write(connection, stream, type, MessageJson.Build(message, catalog));
    }

    byte[] IEventFrame.Frame(Publication publication, ReadOnlySpan<byte> json)
    {
        var lines = new ArrayBufferWriter<byte>(json.Length + 64);
        SseWriter.WriteEvent(lines, publication.Draft.Type);
        SseWriter.WriteData(lines, json);
        return lines.WrittenSpan.ToArray();
    }

    EventPush.FeedParts IEventFrame.FrameParts(Publication publication, ReadOnlySpan<byte> head, ReadOnlySpan<byte> tail)
    {
        var lines = new ArrayBufferWriter<byte>(tail.Length + 64);
        SseWriter.WriteEvent(lines, publication.Draft.Type);
        SseWriter.WriteData(lines, head);
        var before = lines.WrittenSpan[..^1].ToArray(); // the line goes on with the name

        lines.ResetWrittenCount();
        SseWriter.WriteData(lines, tail);
        return new(before, lines.WrittenSpan["data: "u8.Length..].ToArray());
    }

    /// <summary>The closing event: the last thing that a stream says.</summary>
    internal static byte[] Closing(CloseReason reason, bool namesEvents)
    {
        var retry = RetryDelay.Of(reason) is { } named ? (named > ShortestRetry ? named : ShortestRetry) : (TimeSpan?)null;
        var lines = new ArrayBufferWriter<byte>();
        if (retry is { } delay) SseWriter.WriteRetry(lines, delay);
        if (namesEvents) SseWriter.WriteEvent(lines, "closing");

        var scratch = JsonScratch.Take();
        var json = scratch.Writer;
        json.WriteStartObject();
        if (!namesEvents) json.WriteString("type"u8, "closing"u8);
        json.WriteNumber("code"u8, reason.Code);
        json.WriteString("reason"u8, reason.Reason);
        if (retry is { } wait) json.WriteNumber("retry"u8, (long)wait.TotalMilliseconds);
        else json.WriteNull("retry"u8);
        json.WriteEndObject();
        json.Flush();

        SseWriter.WriteData(lines, scratch.Bytes.WrittenSpan);
        lines.Write("\n"u8);
        return lines.WrittenSpan.ToArray();
    }

    private static ReadOnlySpan<byte> GapJson(ChannelName channel, bool namesEvents)
    {
        var scratch = JsonScratch.Take();
        var json = scratch.Writer;
        json.WriteStartObject();
        if (!namesEvents) json.WriteString("type"u8, "gap"u8);
        json.WriteStartArray("channels"u8);
        json.WriteStringValue(channel.Value);
        json.WriteEndArray();
        json.WriteEndObject();
        json.Flush();
        return scratch.Bytes.WrittenSpan;
    }

    private static void Write(Connection connection, SseStream stream, string type, ReadOnlySpan<byte> json)
    {
        var lines = new ArrayBufferWriter<byte>(json.Length + 64);
        if (stream.NamesEvents) SseWriter.WriteEvent(lines, type);
        SseWriter.WriteData(lines, json);
        connection.Queue(lines.WrittenMemory);
        connection.Queue(stream.Ending());
    }

    /// <summary>The lines with or without the first, which names the event.</summary>
    private static ReadOnlyMemory<byte> Named(SseStream stream, ReadOnlyMemory<byte> lines)
    {
        if (stream.NamesEvents || !lines.Span.StartsWith("event: "u8)) return lines;
        return lines[(lines.Span.IndexOf((byte)'\n') + 1)..];
    }
}
