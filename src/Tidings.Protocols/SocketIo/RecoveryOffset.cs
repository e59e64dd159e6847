using System.Buffers;
using System.Buffers.Text;
using System.Text;
using Tidings.Realtime.Channels;
using Tidings.Realtime.Connections;
using Tidings.Realtime.Publications;

namespace Tidings.Protocols.SocketIo;

/// <summary>One channel of an offset.</summary>
/// <param name="Channel">Its name.</param>
/// <param name="Position">Where the client stood; <see cref="Position.None"/> if the channel has no history.</param>
/// <param name="HasPresence">Whether the client was to be seen in it.</param>
internal readonly record struct RecoveryPlace(ChannelName Channel, Position Position, bool HasPresence);

/// <summary>
/// The offset that stands behind every event: the channels of a connection and its place in each, in one compact text, so that any node
/// can put the connection back to where it was. It opens nothing, since each channel is authorized again; so it is not signed. A version, then
/// for each channel one byte that says which of the usual ones it is, or its name, and its position.
/// </summary>
internal static class RecoveryOffset
{
    /// <summary>The longest offset, in characters: it is repeated in every event.</summary>
    public const int MaxLength = 1_024;

    private const byte Version = 1;
    private const int MaxBytes = MaxLength / 4 * 3;
    private const int NameBits = 0x07;
    private const int PresenceBit = 0x08;
    private const int PositionBit = 0x10;

    private static readonly string[] OwnKinds = ["", "", "user", "notifications", "feed"];
    private static readonly SearchValues<char> Alphabet = SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_");

    /// <summary>What stands for more channels than fit: a client that comes back with it starts anew.</summary>
    public static ReadOnlySpan<byte> TooMany => "-"u8;

    /// <summary>Writes the offset of a connection as it stands. Shard only.</summary>
    /// <param name="connection">The connection.</param>
    /// <param name="into">At least <see cref="MaxLength"/> bytes.</param>
    /// <returns>The number of bytes written.</returns>
    public static int Write(Connection connection, Span<byte> into)
    {
        Span<byte> bytes = stackalloc byte[MaxBytes];
        bytes[0] = Version;
        var length = 1;
        var subscriptions = connection.Subscriptions;
        for (var index = 0; index < subscriptions.Count; index++)
        {
            var subscription = subscriptions[index];
            if (bytes.Length - length < 2 + ChannelName.MaxKindLength + 1 + ChannelName.MaxIdLength + Position.MaxEncodedLength) return Write(TooMany, into);
            length += Write(subscription, connection.Identity.UserId, bytes[length..]);
        }

        return Base64Url.EncodeToUtf8(bytes[..length], into);
    }

    /// <summary>Reads what <see cref="Write(Connection, Span{byte})"/> writes; anything else is refused as a whole.</summary>
    /// <param name="text">The offset.</param>
    /// <param name="userId">Who comes back with it.</param>
    /// <param name="catalog">The kinds of channels.</param>
    /// <returns>The channels; null if they are not to be had.</returns>
    public static IReadOnlyList<RecoveryPlace>? TryRead(ReadOnlySpan<char> text, string? userId, ChannelCatalog catalog)
    {
        if (text.Length is 0 or > MaxLength || text.ContainsAnyExcept(Alphabet)) return null;
        Span<byte> bytes = stackalloc byte[MaxBytes + 2];
        if (Base64Url.DecodeFromChars(text, bytes, out _, out var count) != OperationStatus.Done || count == 0 || bytes[0] != Version) return null;

        var places = new List<RecoveryPlace>();
        ReadOnlySpan<byte> rest = bytes[1..count];
        while (!rest.IsEmpty)
        {
            if (TryReadPlace(ref rest, userId, catalog) is not { } place || places.Exists(known => known.Channel == place.Channel)) return null;
            places.Add(place);
        }

        return places;
    }

    /// <summary>Whether a channel is one that a connection has without asking.</summary>
    public static bool IsOwn(ChannelName channel, string? userId) => CodeOf(channel, userId) != 0;

    private static int Write(Subscription subscription, string? userId, Span<byte> into)
    {
        var code = CodeOf(subscription.Channel, userId);
        var position = subscription.Position;
        into[0] = (byte)(code | (subscription.HasPresence ? PresenceBit : 0) | (position.Exists ? PositionBit : 0));
        var length = 1;
        if (code == 0)
        {
            var name = Encoding.ASCII.GetBytes(subscription.Channel.Value, into[2..]);
            into[1] = (byte)name;
            length = 2 + name;
        }

        return position.Exists ? length + position.Encode(into[length..]) : length;
    }

    private static int Write(ReadOnlySpan<byte> text, Span<byte> into)
    {
        text.CopyTo(into);
        return text.Length;
    }

    /// <summary>1 for everybody's channel, 2 and up for the user's own, 0 for all others.</summary>
    private static int CodeOf(ChannelName channel, string? userId)
    {
        if (channel is { Kind: "broadcast", Id: "all" }) return 1;
        if (channel.Id != userId) return 0;
        for (var code = 2; code < OwnKinds.Length; code++)
            if (channel.Kind == OwnKinds[code]) return code;
        return 0;
    }

    private static RecoveryPlace? TryReadPlace(ref ReadOnlySpan<byte> rest, string? userId, ChannelCatalog catalog)
    {
        var mark = rest[0];
        var code = mark & NameBits;
        rest = rest[1..];
        ChannelName? channel = null;
        if (code == 1)
        {
            catalog.Compose("broadcast", "all", out channel);
        }
        else if (code != 0)
        {
            if (code < OwnKinds.Length && userId is not null) catalog.Compose(OwnKinds[code], userId, out channel);
        }
        else
        {
            if (rest.IsEmpty || rest.Length - 1 < rest[0]) return null;
            var name = Encoding.ASCII.GetString(rest.Slice(1, rest[0]));
            rest = rest[(1 + rest[0])..];
            if (catalog.Parse(name, out channel) != ChannelNameError.None || channel!.Value != name) return null;
        }

        if (channel is null || mark > (NameBits | PresenceBit | PositionBit)) return null;
        var position = Position.None;
        if ((mark & PositionBit) != 0)
        {
            if (!Position.TryDecode(rest, out position, out var length)) return null;
            rest = rest[length..];
        }

        return new RecoveryPlace(channel, position, (mark & PresenceBit) != 0);
    }
}
