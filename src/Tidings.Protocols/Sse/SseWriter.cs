using System.Buffers;
using System.Text;

namespace Tidings.Protocols.Sse;

/// <summary>
/// The lines of an event stream. Whatever is in a value, it stays one value: a line break in data becomes a second <c>data:</c> line,
/// and a name with a control character is not written at all.
/// </summary>
internal static class SseWriter
{
    private static readonly SearchValues<byte> LineBreaks = SearchValues.Create("\r\n"u8);

    /// <summary>Writes <c>event:</c>.</summary>
    public static void WriteEvent(IBufferWriter<byte> to, string name)
    {
        if (name.Length == 0 || name.Any(char.IsControl)) return;
        to.Write("event: "u8);
        Encoding.UTF8.GetBytes(name, to);
        to.Write("\n"u8);
    }

    /// <summary>Writes <c>data:</c>.</summary>
    public static void WriteData(IBufferWriter<byte> to, ReadOnlySpan<byte> data)
    {
        to.Write("data: "u8);
        while (data.IndexOfAny(LineBreaks) is var at and >= 0)
        {
            to.Write(data[..at]);
            to.Write("\ndata: "u8);
            data = data[(at + (data[at..].StartsWith("\r\n"u8) ? 2 : 1))..];
        }

        to.Write(data);
        to.Write("\n"u8);
    }

    /// <summary>Writes <c>id:</c> of a token, whose alphabet is harmless, and the empty line that ends the event.</summary>
    public static void WriteIdAndEnd(IBufferWriter<byte> to, ReadOnlySpan<byte> token)
    {
        to.Write("id: "u8);
        to.Write(token);
        to.Write("\n\n"u8);
    }

    /// <summary>Writes <c>retry:</c>.</summary>
    public static void WriteRetry(IBufferWriter<byte> to, TimeSpan delay)
    {
        to.Write("retry: "u8);
        var milliseconds = (long)delay.TotalMilliseconds;
        milliseconds.TryFormat(to.GetSpan(20), out var length);
        to.Advance(length);
        to.Write("\n"u8);
    }
}
