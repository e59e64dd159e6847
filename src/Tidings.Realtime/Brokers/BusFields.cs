using System.Buffers;
using System.Buffers.Binary;
using System.Text;
using System.Text.Unicode;
using Tidings.Realtime.Channels;
using Tidings.Realtime.Connections;
using Tidings.Realtime.Publications;

namespace Tidings.Realtime.Brokers;

/// <summary>Reads fields one after the other. The first that is wrong makes it <see cref="HasFailed"/>, and all after it are empty.</summary>
internal ref struct BusFields(ReadOnlySpan<byte> bytes)
{
    private ReadOnlySpan<byte> _rest = bytes;

    /// <summary>Whether a field was not what it must be.</summary>
    public bool HasFailed { get; private set; }

    /// <summary>Whether nothing is left.</summary>
    public readonly bool IsAtEnd => _rest.IsEmpty;

    /// <summary>One byte.</summary>
    public byte ReadByte() => Take(1) is [var value] ? value : (byte)0;

    /// <summary>A number from 0 to <see cref="long.MaxValue"/>, in its shortest spelling.</summary>
    public long ReadNumber()
    {
        var number = 0UL;
        for (int index = 0, shift = 0; index < _rest.Length && shift < 63; index++, shift += 7)
        {
            number |= (ulong)(_rest[index] & 0x7F) << shift;
            if ((_rest[index] & 0x80) != 0) continue;
            if (_rest[index] == 0 && shift > 0) break;
            _rest = _rest[(index + 1)..];
            return (long)number;
        }

        return Fail(0L);
    }

    /// <summary>Eight bytes, the highest first.</summary>
    public ulong ReadFixed() => Take(sizeof(ulong)) is { Length: sizeof(ulong) } eight ? BinaryPrimitives.ReadUInt64BigEndian(eight) : 0;

    /// <summary>A moment, in milliseconds.</summary>
    public DateTimeOffset ReadMoment()
    {
        var milliseconds = ReadNumber();
        return milliseconds <= DateTimeOffset.MaxValue.ToUnixTimeMilliseconds()
            ? DateTimeOffset.FromUnixTimeMilliseconds(milliseconds)
            : Fail(DateTimeOffset.UnixEpoch);
    }

    /// <summary>A duration, in milliseconds.</summary>
    public TimeSpan ReadDuration()
    {
        var milliseconds = ReadNumber();
        return milliseconds <= (long)TimeSpan.MaxValue.TotalMilliseconds - 1 ? TimeSpan.FromMilliseconds(milliseconds) : Fail(TimeSpan.Zero);
    }

    /// <summary>Bytes, at most so many.</summary>
    public ReadOnlySpan<byte> ReadBytes(int most)
    {
        var length = ReadNumber();
        return length <= most ? Take((int)length) : Fail();
    }

    /// <summary>Text, of at least one and at most so many bytes of UTF-8.</summary>
    public string ReadText(int most)
    {
        var bytes = ReadBytes(most);
        return !bytes.IsEmpty && Utf8.IsValid(bytes) ? Encoding.UTF8.GetString(bytes) : Fail("");
    }

    /// <summary>JSON on one line.</summary>
    public byte[] ReadJson(int most)
    {
        var bytes = ReadBytes(most);
        return !HasFailed && JsonLine.Is(bytes) ? bytes.ToArray() : Fail(Array.Empty<byte>());
    }

    /// <summary>An id of the alphabet of channels.</summary>
    public string ReadId()
    {
        var text = ReadText(ChannelName.MaxIdLength);
        return ChannelName.IsId(text) ? text : Fail("");
    }

    /// <summary>The id of a user, which need not be of that alphabet: the host app's sign-ins may name anybody.</summary>
    public string ReadUser()
    {
        var text = ReadText(ClientIdentity.MaxUserIdBytes);
        return ClientIdentity.IsUserId(text) ? text : Fail("");
    }

    /// <summary>The name of a channel; null only if it has failed.</summary>
    public ChannelName? ReadChannel()
    {
        var text = ReadText(ForeignChannels.MaxLength); // the longer of the two forms
        return ChannelName.TryParse(text, out var name) ? name : Fail<ChannelName?>(null);
    }

    /// <summary>A place in a history.</summary>
    public Position ReadPosition()
    {
        var epoch = ReadFixed();
        var offset = ReadNumber();
        return epoch != 0 && offset > 0 ? new Position(epoch, offset) : Fail(Position.None);
    }

    /// <summary>Says that what was read cannot be.</summary>
    public T Fail<T>(T instead)
    {
        Fail();
        return instead;
    }

    private ReadOnlySpan<byte> Fail()
    {
        HasFailed = true;
        _rest = default;
        return default;
    }

    private ReadOnlySpan<byte> Take(int count)
    {
        if (count > _rest.Length) return Fail();
        var taken = _rest[..count];
        _rest = _rest[count..];
        return taken;
    }
}

/// <summary>Writes what <see cref="BusFields"/> reads.</summary>
internal static class BusFieldWriting
{
    public static void WriteByte(this ArrayBufferWriter<byte> into, byte value)
    {
        into.GetSpan(1)[0] = value;
        into.Advance(1);
    }

    public static void WriteNumber(this ArrayBufferWriter<byte> into, long number)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(number);
        var span = into.GetSpan(10);
        var length = 0;
        var rest = (ulong)number;
        for (; rest >= 0x80; rest >>= 7) span[length++] = (byte)(rest | 0x80);
        span[length++] = (byte)rest;
        into.Advance(length);
    }

    public static void WriteFixed(this ArrayBufferWriter<byte> into, ulong number)
    {
        BinaryPrimitives.WriteUInt64BigEndian(into.GetSpan(sizeof(ulong)), number);
        into.Advance(sizeof(ulong));
    }

    public static void WriteMoment(this ArrayBufferWriter<byte> into, DateTimeOffset moment) =>
        into.WriteNumber(Math.Max(0, moment.ToUnixTimeMilliseconds()));

    public static void WriteDuration(this ArrayBufferWriter<byte> into, TimeSpan duration) =>
        into.WriteNumber(Math.Max(0, (long)duration.TotalMilliseconds));

    public static void WriteBytes(this ArrayBufferWriter<byte> into, ReadOnlySpan<byte> bytes)
    {
        into.WriteNumber(bytes.Length);
        into.Write(bytes);
    }

    public static void WriteText(this ArrayBufferWriter<byte> into, string text)
    {
        into.WriteNumber(Encoding.UTF8.GetByteCount(text));
        Encoding.UTF8.GetBytes(text, into);
    }

    public static void WritePosition(this ArrayBufferWriter<byte> into, Position position)
    {
        into.WriteFixed(position.Epoch);
        into.WriteNumber(position.Offset);
    }
}
