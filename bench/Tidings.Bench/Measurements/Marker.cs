using System.Buffers.Text;
using System.Globalization;

namespace Tidings.Bench.Measurements;

/// <summary>
/// The number that a post or an event carries in its text. It is known before the request is sent, so an event is recognised even when it
/// overtakes the answer to its own POST.
/// </summary>
internal static class Marker
{
    internal const int Digits = 8;

    internal static ReadOnlySpan<byte> Start => "bench#"u8;

    /// <summary>Text of the given length, with the number's digits at <see cref="Start"/>'s end.</summary>
    internal static string Text(long number, int length) =>
        $"bench#{number.ToString($"D{Digits}", CultureInfo.InvariantCulture)}# ".PadRight(Math.Max(length, 16), 'x');

    /// <summary>Puts another number into bytes that hold such a text, where <see cref="Find"/> found it.</summary>
    internal static void Write(Span<byte> digits, long number)
    {
        for (var i = Digits - 1; i >= 0; i--, number /= 10)
            digits[i] = (byte)('0' + (number % 10));
    }

    /// <summary>Where the digits begin, or -1.</summary>
    internal static int Find(ReadOnlySpan<byte> bytes)
    {
        var at = bytes.IndexOf(Start);
        return at < 0 ? -1 : at + Start.Length;
    }

    /// <summary>The number in a message, or -1 if it carries none.</summary>
    internal static long Read(ReadOnlySpan<byte> message)
    {
        var at = Find(message);
        return at >= 0 && message.Length >= at + Digits && Utf8Parser.TryParse(message.Slice(at, Digits), out long number, out var used) && used == Digits
            ? number
            : -1;
    }
}
