using System.Buffers;
using System.Buffers.Text;

namespace Tidings.Server.Scaleout.Redis;

/// <summary>What reading a value came to.</summary>
internal enum RespVerdict
{
    /// <summary>There is one.</summary>
    Value,

    /// <summary>Its end has not arrived.</summary>
    Incomplete,

    /// <summary>These bytes are not the protocol, or more than is accepted: the connection is of no use any more.</summary>
    Malformed,
}

/// <summary>
/// Reads values of the Redis protocol, version 3. Counts and lengths that are announced reserve nothing before what they count is there.
/// </summary>
internal static class RespReader
{
    /// <summary>The longest value, with all that is in it.</summary>
    public const int MaxBytes = 16 * 1024 * 1024;

    private const int MaxLine = 64 * 1024;
    private const int MaxDepth = 8;
    private const int MaxItems = 1_000_000;

    /// <summary>Reads the first value of a buffer.</summary>
    /// <param name="buffer">What has arrived; what was read is taken off it if the verdict is <see cref="RespVerdict.Value"/>.</param>
    /// <param name="value">The value.</param>
    public static RespVerdict TryRead(ref ReadOnlySequence<byte> buffer, out RespValue? value)
    {
        var reader = new SequenceReader<byte>(buffer);
        var verdict = Read(ref reader, 0, out value);
        if (verdict == RespVerdict.Value) buffer = buffer.Slice(reader.Position);
        else if (verdict == RespVerdict.Incomplete && buffer.Length > MaxBytes) verdict = RespVerdict.Malformed;
        return verdict;
    }

    private static RespVerdict Read(ref SequenceReader<byte> reader, int depth, out RespValue? value)
    {
        value = null;
        if (depth > MaxDepth) return RespVerdict.Malformed;
        if (!reader.TryRead(out var kind)) return RespVerdict.Incomplete;
        if (!reader.TryReadTo(out ReadOnlySequence<byte> line, "\r\n"u8))
            return reader.Remaining > MaxLine ? RespVerdict.Malformed : RespVerdict.Incomplete;
        if (line.Length > MaxLine) return RespVerdict.Malformed;

        switch ((char)kind)
        {
            case '+' or ',' or '(': // a double or a big number is kept as its digits
                value = new RespValue(RespKind.Bytes) { Bytes = line.ToArray() };
                return RespVerdict.Value;
            case '-':
                value = new RespValue(RespKind.Error) { Bytes = line.ToArray() };
                return RespVerdict.Value;
            case '_':
                value = new RespValue(RespKind.Null);
                return line.IsEmpty ? RespVerdict.Value : RespVerdict.Malformed;
            case '#':
                var truth = line.ToArray();
                if (truth is not [(byte)'t' or (byte)'f']) return RespVerdict.Malformed;
                value = new RespValue(RespKind.Number) { Number = truth[0] == 't' ? 1 : 0 };
                return RespVerdict.Value;
        }

        if (!TryNumber(line, out var number)) return RespVerdict.Malformed;
        switch ((char)kind)
        {
            case ':':
                value = new RespValue(RespKind.Number) { Number = number };
                return RespVerdict.Value;
            case '$' or '=':
                return ReadBytes(ref reader, number, RespKind.Bytes, out value);
            case '!':
                return ReadBytes(ref reader, number, RespKind.Error, out value);
            case '*' or '~':
                return ReadItems(ref reader, number, RespKind.Items, depth, out value);
            case '%':
                return number > MaxItems ? RespVerdict.Malformed : ReadItems(ref reader, number * 2, RespKind.Items, depth, out value);
            case '>':
                return ReadItems(ref reader, number, RespKind.Push, depth, out value);
            default:
                return RespVerdict.Malformed;
        }
    }

    private static RespVerdict ReadBytes(ref SequenceReader<byte> reader, long length, RespKind kind, out RespValue? value)
    {
        value = null;
        if (length == -1)
        {
            value = new RespValue(RespKind.Null);
            return RespVerdict.Value;
        }

        if (length is < 0 or > MaxBytes) return RespVerdict.Malformed;
        if (reader.Remaining < length + 2) return RespVerdict.Incomplete;
        value = new RespValue(kind) { Bytes = reader.UnreadSequence.Slice(0, length).ToArray() };
        reader.Advance(length);
        return reader.IsNext("\r\n"u8, advancePast: true) ? RespVerdict.Value : RespVerdict.Malformed;
    }

    private static RespVerdict ReadItems(ref SequenceReader<byte> reader, long count, RespKind kind, int depth, out RespValue? value)
    {
        value = null;
        if (count == -1)
        {
            value = new RespValue(RespKind.Null);
            return RespVerdict.Value;
        }

        if (count is < 0 or > MaxItems) return RespVerdict.Malformed;
        var items = new List<RespValue>();
        for (var index = 0; index < count; index++)
        {
            var verdict = Read(ref reader, depth + 1, out var item);
            if (verdict != RespVerdict.Value) return verdict;
            items.Add(item!);
        }

        value = new RespValue(kind) { Items = items };
        return RespVerdict.Value;
    }

    private static bool TryNumber(in ReadOnlySequence<byte> line, out long number)
    {
        number = 0;
        if (line.Length is 0 or > 20) return false;
        Span<byte> digits = stackalloc byte[(int)line.Length];
        line.CopyTo(digits);
        return Utf8Parser.TryParse(digits, out number, out var read) && read == digits.Length;
    }
}
