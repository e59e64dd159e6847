using System.Buffers;
using System.Buffers.Text;
using System.Text;

namespace Tidings.Server.Scaleout.Redis;

/// <summary>One argument of a command: text or bytes, of any content.</summary>
internal readonly struct RedisArgument
{
    private readonly string? _text;
    private readonly ReadOnlyMemory<byte> _bytes;

    private RedisArgument(string? text, ReadOnlyMemory<byte> bytes) => (_text, _bytes) = (text, bytes);

    public static implicit operator RedisArgument(string text) => new(text, default);

    public static implicit operator RedisArgument(ReadOnlyMemory<byte> bytes) => new(null, bytes);

    public static implicit operator RedisArgument(byte[] bytes) => new(null, bytes);

    public static implicit operator RedisArgument(long number) => new(number.ToString(System.Globalization.CultureInfo.InvariantCulture), default);

    /// <summary>Writes it with its length before it, so that nothing in it can be taken for anything else.</summary>
    public void Write(ArrayBufferWriter<byte> into)
    {
        WriteCount(into, '$', _text is null ? _bytes.Length : Encoding.UTF8.GetByteCount(_text));
        if (_text is null) into.Write(_bytes.Span);
        else Encoding.UTF8.GetBytes(_text, into);
        into.Write("\r\n"u8);
    }

    internal static void WriteCount(ArrayBufferWriter<byte> into, char kind, int count)
    {
        var span = into.GetSpan(16);
        span[0] = (byte)kind;
        Utf8Formatter.TryFormat(count, span[1..], out var length);
        span[length + 1] = (byte)'\r';
        span[length + 2] = (byte)'\n';
        into.Advance(length + 3);
    }
}

/// <summary>Writes commands.</summary>
internal static class RedisCommand
{
    /// <summary>Writes a command with its arguments.</summary>
    public static void Write(ArrayBufferWriter<byte> into, ReadOnlySpan<RedisArgument> command)
    {
        RedisArgument.WriteCount(into, '*', command.Length);
        foreach (var argument in command) argument.Write(into);
    }
}
