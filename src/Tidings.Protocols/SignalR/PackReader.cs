using System.Buffers.Binary;
using System.Text;
using System.Text.Json;
using System.Text.Unicode;
using Tidings.Protocols.Native;

namespace Tidings.Protocols.SignalR;

/// <summary>
/// Reads MessagePack that a client sent. Whatever is wrong with it, a method answers false and nothing is thrown; what it claims to hold is never
/// allocated before it is there.
/// </summary>
internal ref struct PackReader(ReadOnlySpan<byte> bytes)
{
    private ReadOnlySpan<byte> _rest = bytes;

    /// <summary>Whether all has been read.</summary>
    public readonly bool IsAtEnd => _rest.IsEmpty;

    /// <summary>Reads the beginning of an array.</summary>
    public bool TryReadArray(out int count) => TryReadCount(0x90, 0xDC, out count);

    /// <summary>Reads a whole number.</summary>
    public bool TryReadInteger(out long value)
    {
        value = 0;
        if (!TryTake(1, out var head)) return false;
        switch (head[0])
        {
            case <= 0x7F:
                value = head[0];
                return true;
            case >= 0xE0:
                value = (sbyte)head[0];
                return true;
            case >= 0xCC and <= 0xCF:
                if (!TryTake(1 << (head[0] - 0xCC), out var unsigned)) return false;
                foreach (var octet in unsigned) value = (value << 8) | octet;
                return value >= 0;
            case >= 0xD0 and <= 0xD3:
                if (!TryTake(1 << (head[0] - 0xD0), out var signed)) return false;
                value = (sbyte)signed[0];
                foreach (var octet in signed[1..]) value = (value << 8) | octet;
                return true;
            default:
                return false;
        }
    }

    /// <summary>Reads a text, or nothing.</summary>
    public bool TryReadText(out string? text)
    {
        text = null;
        if (_rest is [0xC0, ..])
        {
            _rest = _rest[1..];
            return true;
        }

        if (!TryReadTextBytes(out var utf8)) return false;
        text = Encoding.UTF8.GetString(utf8);
        return true;
    }

    /// <summary>Passes over one thing.</summary>
    public bool TrySkip() => TryReadAsJson(null, JsonFields.MaxDepth);

    /// <summary>Reads one thing and writes it as JSON.</summary>
    public bool TryReadAsJson(Utf8JsonWriter json) => TryReadAsJson(json, JsonFields.MaxDepth - 4); // what is put around it counts too

    private bool TryReadAsJson(Utf8JsonWriter? json, int depth)
    {
        if (_rest.IsEmpty || depth == 0) return false;
        switch (_rest[0])
        {
            case 0xC0:
                _rest = _rest[1..];
                json?.WriteNullValue();
                return true;
            case 0xC2 or 0xC3:
                json?.WriteBooleanValue(_rest[0] == 0xC3);
                _rest = _rest[1..];
                return true;
            case 0xCA or 0xCB:
                return TryReadReal(json);
            case 0xC4 or 0xC5 or 0xC6:
                if (!TryTake(1, out var kind) || !TryReadLength(1 << (kind[0] - 0xC4), out var length) || !TryTake(length, out var bytes)) return false;
                json?.WriteBase64StringValue(bytes);
                return true;
            case (>= 0xA0 and <= 0xBF) or 0xD9 or 0xDA or 0xDB:
                if (!TryReadTextBytes(out var utf8)) return false;
                json?.WriteStringValue(utf8);
                return true;
            case (>= 0x90 and <= 0x9F) or 0xDC or 0xDD:
                return TryReadArrayAsJson(json, depth);
            case (>= 0x80 and <= 0x8F) or 0xDE or 0xDF:
                return TryReadMapAsJson(json, depth);
            default:
                if (!TryReadInteger(out var value)) return false;
                json?.WriteNumberValue(value);
                return true;
        }
    }

    private bool TryReadArrayAsJson(Utf8JsonWriter? json, int depth)
    {
        if (!TryReadArray(out var count)) return false;
        json?.WriteStartArray();
        for (; count > 0; count--)
            if (!TryReadAsJson(json, depth - 1)) return false;
        json?.WriteEndArray();
        return true;
    }

    private bool TryReadMapAsJson(Utf8JsonWriter? json, int depth)
    {
        if (!TryReadCount(0x80, 0xDE, out var count)) return false;
        json?.WriteStartObject();
        for (; count > 0; count--)
        {
            if (!TryReadTextBytes(out var name)) return false;
            json?.WritePropertyName(name);
            if (!TryReadAsJson(json, depth - 1)) return false;
        }

        json?.WriteEndObject();
        return true;
    }

    private bool TryReadReal(Utf8JsonWriter? json)
    {
        var isDouble = _rest[0] == 0xCB;
        _rest = _rest[1..];
        if (!TryTake(isDouble ? 8 : 4, out var bytes)) return false;
        var value = isDouble ? BinaryPrimitives.ReadDoubleBigEndian(bytes) : BinaryPrimitives.ReadSingleBigEndian(bytes);
        if (!double.IsFinite(value)) return false; // there is no such number in JSON
        json?.WriteNumberValue(value);
        return true;
    }

    private bool TryReadTextBytes(out ReadOnlySpan<byte> utf8)
    {
        utf8 = default;
        if (!TryTake(1, out var head)) return false;
        int length;
        if (head[0] is >= 0xA0 and <= 0xBF) length = head[0] & 0x1F;
        else if (head[0] is < 0xD9 or > 0xDB || !TryReadLength(1 << (head[0] - 0xD9), out length)) return false;
        return TryTake(length, out utf8) && Utf8.IsValid(utf8);
    }

    private bool TryReadCount(byte shortest, byte with16Bits, out int count)
    {
        count = 0;
        if (!TryTake(1, out var head)) return false;
        if ((head[0] & 0xF0) == shortest)
        {
            count = head[0] & 0x0F;
            return true;
        }

        return (head[0] == with16Bits || head[0] == with16Bits + 1) && TryReadLength(head[0] == with16Bits ? 2 : 4, out count);
    }

    /// <summary>Reads a length, which can be no more than there is: everything takes a byte at least.</summary>
    private bool TryReadLength(int octets, out int length)
    {
        length = 0;
        if (!TryTake(octets, out var bytes)) return false;
        long value = 0;
        foreach (var octet in bytes) value = (value << 8) | octet;
        length = (int)Math.Min(value, int.MaxValue);
        return value <= _rest.Length;
    }

    private bool TryTake(int length, out ReadOnlySpan<byte> taken)
    {
        taken = default;
        if (length > _rest.Length) return false;
        taken = _rest[..length];
        _rest = _rest[length..];
        return true;
    }
}
