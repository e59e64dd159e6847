using System.Buffers;
using Tidings.Realtime.Channels;
using Tidings.Realtime.Connections;
using Tidings.Realtime.Publications;

namespace Tidings.Realtime.Brokers;

/// <summary>
/// The bytes of a <see cref="BusMessage"/>: <c>TB</c>, the version, the node, the number, then parts of kind, length and content. What
/// another version added is passed over: a kind that is not known, and what follows the known fields of a part. So fields are only ever
/// added at the end, a kind keeps its meaning for ever, and the version changes only for what an older node must not read at all.
/// Reading throws on no bytes whatever.
/// </summary>
internal static class BusCodec
{
    /// <summary>The longest message. What is longer does not travel: the log has it.</summary>
    public const int MaxBytes = 8 * 1024 * 1024;

    /// <summary>The most heads in one message.</summary>
    public const int MaxHeads = 1_000;

    private const byte Version = 1;
    private const int MaxParts = 10_000;
    private const int MaxText = 1_024;

    [Flags]
    private enum Has : byte
    {
        FullForm = 1,
        Effect = 2,
        ExcludedConnection = 4,
        MembersOnly = 8,
        Position = 16,
        Stream = 32,
    }

    private enum Kind
    {
        Publication = 1,
        DisconnectUser = 16,
        RevokeChannel = 17,
        RereadMember = 18,
        StreamHeads = 19,
        AskForHeads = 20,
        NewInLog = 21,
    }

    private static ReadOnlySpan<byte> Magic => "TB"u8;

    /// <summary>Writes a message.</summary>
    public static void Encode(BusMessage message, ArrayBufferWriter<byte> into)
    {
        into.Write(Magic);
        into.WriteByte(Version);
        into.WriteText(message.Node);
        into.WriteNumber(message.Number);

        var part = new ArrayBufferWriter<byte>();
        foreach (var publication in message.Publications)
        {
            Write(part, publication);
            Add(Kind.Publication);
        }

        foreach (var control in message.Control) Add(Write(part, control));

        void Add(Kind kind)
        {
            into.WriteNumber((long)kind);
            into.WriteBytes(part.WrittenSpan);
            part.ResetWrittenCount();
        }
    }

    /// <summary>Reads a message. What is in it has been checked; whether it is wanted is another question.</summary>
    public static BusVerdict Decode(ReadOnlySpan<byte> bytes, out BusMessage? message)
    {
        message = null;
        if (bytes.Length > MaxBytes || !bytes.StartsWith(Magic) || bytes.Length == Magic.Length) return BusVerdict.Malformed;
        if (bytes[Magic.Length] != Version) return BusVerdict.OtherVersion;

        var fields = new BusFields(bytes[(Magic.Length + 1)..]);
        var node = fields.ReadId();
        var number = fields.ReadNumber();
        var publications = new List<Publication>();
        var control = new List<ControlMessage>();
        var skipped = 0;
        for (var parts = 0; !fields.IsAtEnd; parts++)
        {
            var kind = fields.ReadNumber();
            var content = new BusFields(fields.ReadBytes(MaxBytes));
            if (fields.HasFailed || parts == MaxParts) return BusVerdict.Malformed;

            if (kind == (long)Kind.Publication)
            {
                if (ReadPublication(ref content, out var isKnown) is { } publication) publications.Add(publication);
                else if (!isKnown) skipped++;
            }
            else if (ReadControl((Kind)kind, ref content) is { } read)
            {
                control.Add(read);
            }
            else
            {
                skipped++;
            }

            if (content.HasFailed) return BusVerdict.Malformed;
        }

        if (fields.HasFailed) return BusVerdict.Malformed;
        message = new BusMessage(node, number, publications, control) { Skipped = skipped };
        return BusVerdict.Message;
    }

    private static void Write(ArrayBufferWriter<byte> into, Publication publication)
    {
        var draft = publication.Draft;
        into.WriteByte((byte)(
            (draft.FullNeeds is null ? 0 : Has.FullForm)
            | (draft.Effect is null ? 0 : Has.Effect)
            | (draft.ExcludedConnectionId is null ? 0 : Has.ExcludedConnection)
            | (draft.IsForMembers ? Has.MembersOnly : 0)
            | (publication.Sequence != 0 ? Has.Position : 0)
            | (publication.Stream is null ? 0 : Has.Stream)));
        into.WriteText(draft.Channel.Value);
        into.WriteText(draft.Type);
        into.WriteText(draft.Id);
        into.WriteMoment(draft.Timestamp);
        into.WriteBytes(draft.Payload.Span);
        if (draft.FullNeeds is { } needs)
        {
            into.WriteBytes(publication.PayloadOf(PublicationForm.Full).Span);
            into.WriteText(needs);
        }

        if (draft.Effect is { } effect)
        {
            into.WriteByte((byte)effect.Kind);
            into.WriteByte(effect.Target is null ? (byte)0 : (byte)1);
            if (effect.Target is { } target) into.WriteText(target.Value);
        }

        if (draft.ExcludedConnectionId is { } excluded) into.WriteText(excluded);
        if (publication.Sequence != 0)
        {
            into.WritePosition(publication.Position);
            into.WriteFixed(publication.FeedPosition.Epoch);
            into.WriteNumber(publication.FeedPosition.Offset);
            into.WriteNumber(publication.Sequence);
        }

        if (publication.Stream is { } stream)
        {
            into.WriteFixed(stream.Stream);
            into.WriteNumber(stream.Number);
            into.WriteDuration(stream.PreviousAge);
        }
    }

    private static Publication? ReadPublication(ref BusFields fields, out bool isKnown)
    {
        isKnown = true;
        var has = (Has)fields.ReadByte();
        var draft = new PublicationDraft
        {
            Channel = fields.ReadChannel()!,
            Type = fields.ReadText(MaxText),
            Id = fields.ReadText(MaxText),
            Timestamp = fields.ReadMoment(),
            Payload = fields.ReadJson(MaxBytes),
            FullPayload = has.HasFlag(Has.FullForm) ? fields.ReadJson(MaxBytes) : default(ReadOnlyMemory<byte>?),
            FullNeeds = has.HasFlag(Has.FullForm) ? fields.ReadText(MaxText) : null,
            Effect = has.HasFlag(Has.Effect) ? ReadEffect(ref fields, out isKnown) : null,
            ExcludedConnectionId = has.HasFlag(Has.ExcludedConnection) ? fields.ReadText(MaxText) : null,
            IsForMembers = has.HasFlag(Has.MembersOnly),
        };
        var position = has.HasFlag(Has.Position) ? fields.ReadPosition() : default;
        var feedPosition = has.HasFlag(Has.Position) ? new Position(fields.ReadFixed(), fields.ReadNumber()) : default;
        var sequence = has.HasFlag(Has.Position) ? fields.ReadNumber() : 0;
        StreamPlace? stream = has.HasFlag(Has.Stream) ? new StreamPlace(fields.ReadFixed(), fields.ReadNumber(), fields.ReadDuration()) : null;

        // In the log, or in a stream, or passing.
        if (stream is { } place && (position.Exists || place.Stream == 0 || place.Number == 0)) fields.Fail(false);
        if (position.Exists && (sequence == 0 || !feedPosition.Exists)) fields.Fail(false);
        return fields.HasFailed || !isKnown ? null : new Publication(draft, position, feedPosition, sequence) { Stream = stream };
    }

    private static ChannelEffect? ReadEffect(ref BusFields fields, out bool isKnown)
    {
        var kind = (ChannelEffectKind)fields.ReadByte();
        var target = fields.ReadByte() == 0 ? null : fields.ReadChannel();
        isKnown = kind is ChannelEffectKind.Attach or ChannelEffectKind.Detach or ChannelEffectKind.Close;
        if (kind is ChannelEffectKind.Attach or ChannelEffectKind.Detach && target is null) fields.Fail(false);
        return isKnown ? new ChannelEffect(kind, target) : null;
    }

    private static Kind Write(ArrayBufferWriter<byte> into, ControlMessage message)
    {
        switch (message)
        {
            case DisconnectUser disconnect:
                into.WriteText(disconnect.UserId);
                into.WriteByte(disconnect.Reason == CloseReason.InvalidToken ? (byte)1 : (byte)2);
                WriteOptional(disconnect.SessionId);
                into.WriteByte(disconnect.IssuedThrough is null ? (byte)0 : (byte)1);
                if (disconnect.IssuedThrough is { } issuedThrough) into.WriteMoment(issuedThrough);
                return Kind.DisconnectUser;

            case RevokeChannel revoke:
                into.WriteText(revoke.Channel.Value);
                WriteOptional(revoke.UserId);
                into.WriteMoment(revoke.RevokedAt);
                return Kind.RevokeChannel;

            case RereadMember reread:
                into.WriteText(reread.UserId);
                return Kind.RereadMember;

            case StreamHeads { Heads: var heads }:
                into.WriteNumber(heads.Count);
                foreach (var head in heads)
                {
                    into.WriteText(head.Channel.Value);
                    into.WriteFixed(head.Stream);
                    into.WriteNumber(head.Number);
                    into.WriteDuration(head.Age);
                }

                return Kind.StreamHeads;

            case AskForHeads:
                return Kind.AskForHeads;

            case NewInLog news:
                into.WriteText(news.Channel.Value);
                into.WritePosition(news.UpTo);
                return Kind.NewInLog;

            default:
                throw new ArgumentException($"{message.GetType().Name} has no bytes.", nameof(message));
        }

        void WriteOptional(string? text)
        {
            into.WriteByte(text is null ? (byte)0 : (byte)1);
            if (text is not null) into.WriteText(text);
        }
    }

    /// <returns>Null if the kind is not known, or the content is wrong: then the fields have failed.</returns>
    private static ControlMessage? ReadControl(Kind kind, ref BusFields fields)
    {
        ControlMessage? message = kind switch
        {
            Kind.DisconnectUser => ReadDisconnect(ref fields),
            Kind.RevokeChannel => new RevokeChannel(fields.ReadChannel()!, fields.ReadByte() == 0 ? null : fields.ReadUser(), fields.ReadMoment()),
            Kind.RereadMember => new RereadMember(fields.ReadUser()),
            Kind.StreamHeads => new StreamHeads(ReadHeads(ref fields)),
            Kind.AskForHeads => new AskForHeads(),
            Kind.NewInLog => new NewInLog(fields.ReadChannel()!, fields.ReadPosition()),
            _ => null,
        };
        return fields.HasFailed ? null : message;
    }

    private static DisconnectUser? ReadDisconnect(ref BusFields fields)
    {
        var userId = fields.ReadUser();
        var reason = fields.ReadByte() switch { 1 => CloseReason.InvalidToken, 2 => CloseReason.Disconnected, _ => null };
        var sessionId = fields.ReadByte() == 0 ? null : fields.ReadId();
        DateTimeOffset? issuedThrough = fields.ReadByte() == 0 ? null : fields.ReadMoment();
        return reason is null ? null : new DisconnectUser(userId, sessionId, reason, issuedThrough);
    }

    private static List<StreamHead> ReadHeads(ref BusFields fields)
    {
        var count = fields.ReadNumber();
        var heads = new List<StreamHead>();
        if (count > MaxHeads) fields.Fail(false);
        for (var index = 0; index < count && !fields.HasFailed; index++)
        {
            var channel = fields.ReadChannel();
            heads.Add(new StreamHead(channel!, fields.ReadFixed(), fields.ReadNumber(), fields.ReadDuration()));
        }

        return heads;
    }
}
