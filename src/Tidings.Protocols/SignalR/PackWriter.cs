using System.Buffers;
using System.Buffers.Binary;
using System.Globalization;
using System.Text;
using System.Text.Json;

namespace Tidings.Protocols.SignalR;

/// <summary>Writes MessagePack, each thing in its shortest form.</summary>
internal static class PackWriter
{
    /// <summary>The deepest nesting of JSON that is written.</summary>
    private const int MaxDepth = 128;

    public static void WriteNull(IBufferWriter<byte> to) => Write(to, 0xC0);

    public static void WriteBoolean(IBufferWriter<byte> to, bool value) => Write(to, value ? (byte)0xC3 : (byte)0xC2);

    public static void WriteArray(IBufferWriter<byte> to, int count) => WriteHeader(to, count, 0x90, 15, 0xDC);

    public static void WriteMap(IBufferWriter<byte> to, int count) => WriteHeader(to, count, 0x80, 15, 0xDE);

    public static void WriteText(IBufferWriter<byte> to, string text) => WriteText(to, Encoding.UTF8.GetBytes(text));

    public static void WriteText(IBufferWriter<byte> to, ReadOnlySpan<byte> utf8)
    {
        WriteTextHeader(to, utf8.Length);
        to.Write(utf8);
    }

    /// <summary>What stands before a text.</summary>
    public static void WriteTextHeader(IBufferWriter<byte> to, int length)
    {
        if (length is > 31 and <= byte.MaxValue)
        {
            Write(to, 0xD9);
            Write(to, (byte)length);
        }
        else
        {
            WriteHeader(to, length, 0xA0, 31, 0xDA);
        }
    }

    public static void WriteInteger(IBufferWriter<byte> to, long value)
    {
        switch (value)
        {
            case >= -32 and <= 127:
                Write(to, (byte)value);
                break;
            case >= sbyte.MinValue and <= sbyte.MaxValue:
                Write(to, 0xD0);
                Write(to, (byte)value);
                break;
            case >= short.MinValue and <= short.MaxValue:
                Write(to, 0xD1);
                BinaryPrimitives.WriteInt16BigEndian(to.GetSpan(2), (short)value);
                to.Advance(2);
                break;
            case >= int.MinValue and <= int.MaxValue:
                Write(to, 0xD2);
                BinaryPrimitives.WriteInt32BigEndian(to.GetSpan(4), (int)value);
                to.Advance(4);
                break;
            default:
                Write(to, 0xD3);
                BinaryPrimitives.WriteInt64BigEndian(to.GetSpan(8), value);
                to.Advance(8);
                break;
        }
    }

    /// <summary>Writes what JSON says, which is known to be whole.</summary>
    /// <param name="to">Where.</param>
    /// <param name="json">The text.</param>
    /// <param name="emptyAt">
    /// Where the empty text was written that is the value of <c>channel</c> in the outermost object, counted from the beginning; -1 if there is none.
    /// </param>
    public static void WriteJson(ArrayBufferWriter<byte> to, ReadOnlySpan<byte> json, out int emptyAt)
    {
        var reader = new Utf8JsonReader(json, new JsonReaderOptions { MaxDepth = MaxDepth });
        emptyAt = -1;
        var isChannel = false;
        while (reader.Read())
        {
            switch (reader.TokenType)
            {
                case JsonTokenType.StartObject:
                    WriteMap(to, CountOf(reader) / 2);
                    break;
                case JsonTokenType.StartArray:
                    WriteArray(to, CountOf(reader));
                    break;
                case JsonTokenType.PropertyName or JsonTokenType.String:
                    if (isChannel && reader.ValueSpan.IsEmpty) emptyAt = to.WrittenCount;
                    isChannel = reader.TokenType == JsonTokenType.PropertyName && reader.CurrentDepth == 1 && reader.ValueSpan.SequenceEqual("channel"u8);
                    WriteText(to, ref reader);
                    continue;
                case JsonTokenType.Number:
                    WriteNumber(to, ref reader);
                    break;
                case JsonTokenType.True or JsonTokenType.False:
                    WriteBoolean(to, reader.TokenType == JsonTokenType.True);
                    break;
                case JsonTokenType.Null:
                    WriteNull(to);
                    break;
            }

            isChannel = false;
        }
    }

    /// <summary>How many things are in what the reader, a copy, is at the beginning of: names and values each count.</summary>
    private static int CountOf(Utf8JsonReader reader)
    {
        var count = 0;
        while (reader.Read() && reader.TokenType is not (JsonTokenType.EndObject or JsonTokenType.EndArray))
        {
            count++;
            if (reader.TokenType is JsonTokenType.StartObject or JsonTokenType.StartArray) reader.Skip();
        }

        return count;
    }

    private static void WriteText(ArrayBufferWriter<byte> to, ref Utf8JsonReader reader)
    {
        if (!reader.ValueIsEscaped)
        {
            WriteText(to, reader.ValueSpan);
            return;
        }

        WriteText(to, Unescape(reader.ValueSpan));
    }

    /// <summary>
    /// What an escaped text says. JavaScript writes half a surrogate pair as an escape, and reads it; the framework's reader throws. It becomes
    /// U+FFFD, as everywhere where text is UTF-8.
    /// </summary>
    private static string Unescape(ReadOnlySpan<byte> escaped)
    {
        var text = new StringBuilder(escaped.Length);
        while (escaped.IndexOf((byte)'\\') is var at and >= 0)
        {
            text.Append(Encoding.UTF8.GetString(escaped[..at]));
            var sign = escaped[at + 1];
            escaped = escaped[(at + 2)..];
            switch (sign)
            {
                case (byte)'u':
                    text.Append((char)ushort.Parse(Encoding.ASCII.GetString(escaped[..4]), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture));
                    escaped = escaped[4..];
                    break;
                case (byte)'b':
                    text.Append('\b');
                    break;
                case (byte)'f':
                    text.Append('\f');
                    break;
                case (byte)'n':
                    text.Append('\n');
                    break;
                case (byte)'r':
                    text.Append('\r');
                    break;
                case (byte)'t':
                    text.Append('\t');
                    break;
                default:
                    text.Append((char)sign);
                    break;
            }
        }

        return text.Append(Encoding.UTF8.GetString(escaped)).ToString();
    }

    private static void WriteNumber(ArrayBufferWriter<byte> to, ref Utf8JsonReader reader)
    {
        if (reader.TryGetInt64(out var integer))
        {
            WriteInteger(to, integer);
            return;
        }

        Write(to, 0xCB);
        BinaryPrimitives.WriteDoubleBigEndian(to.GetSpan(8), reader.GetDouble());
        to.Advance(8);
    }

    private static void WriteHeader(IBufferWriter<byte> to, int count, byte shortest, int mostInShortest, byte with16Bits)
    {
        if (count <= mostInShortest)
        {
            Write(to, (byte)(shortest | count));
        }
        else if (count <= ushort.MaxValue)
        {
            Write(to, with16Bits);
            BinaryPrimitives.WriteUInt16BigEndian(to.GetSpan(2), (ushort)count);
            to.Advance(2);
        }
        else
        {
            Write(to, (byte)(with16Bits + 1));
            BinaryPrimitives.WriteUInt32BigEndian(to.GetSpan(4), (uint)count);
            to.Advance(4);
        }
    }

    private static void Write(IBufferWriter<byte> to, byte value)
    {
        to.GetSpan(1)[0] = value;
        to.Advance(1);
    }
}
