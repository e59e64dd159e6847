using System.Buffers.Text;
using System.Diagnostics;
using System.Net;
using System.Text;

namespace Tidings.Bench.Network;

/// <summary>One keep-alive HTTP/1.1 connection with at most one request under way (no pipelining).</summary>
internal sealed class HttpConnection : Peer
{
    private readonly Answered _answered;
    private readonly bool _mayBreak;

    /// <param name="loop">Serves it.</param>
    /// <param name="server">Where.</param>
    /// <param name="answered">Called for each answer.</param>
    /// <param name="mayBreak">A request that gets no answer is not a fault: the server is killed on purpose.</param>
    internal HttpConnection(EventLoop loop, IPEndPoint server, Answered answered, bool mayBreak = false) : base(loop, server)
    {
        _answered = answered;
        _mayBreak = mayBreak;
    }

    /// <summary>The body is valid only during the call, and empty for an answer without one.</summary>
    internal delegate void Answered(HttpConnection connection, int status, ReadOnlySpan<byte> body);

    internal bool IsBusy { get; private set; }

    /// <summary>Just before the request's bytes were handed to the kernel.</summary>
    internal long SentAt { get; private set; }

    /// <summary>The caller's number for the request under way.</summary>
    internal long Request { get; private set; }

    internal void Send(ReadOnlySpan<byte> request, long number)
    {
        if (IsBusy)
            throw new InvalidOperationException("A request is under way on this connection.");
        IsBusy = true;
        Request = number;
        SentAt = Stopwatch.GetTimestamp();
        Write(request);
    }

    protected override int Consume(ReadOnlySpan<byte> received)
    {
        var head = received.IndexOf("\r\n\r\n"u8);
        if (head < 0)
            return 0;
        if (!IsBusy)
            throw new BenchException("The server answered without having been asked.");
        if (!received.StartsWith("HTTP/1.1 "u8) || !Utf8Parser.TryParse(received[9..12], out int status, out _))
            throw new BenchException($"Not an HTTP/1.1 answer: {Encoding.Latin1.GetString(received[..Math.Min(head, 80)])}");

        var rest = received[(head + 4)..];
        var fields = received[..(head + 2)];
        int used;
        ReadOnlySpan<byte> body;
        if (Field(fields, "\r\ncontent-length:"u8) is { IsEmpty: false } length)
        {
            if (!Utf8Parser.TryParse(length, out used, out _))
                throw new BenchException("The answer's Content-Length is not a number.");
            if (rest.Length < used)
                return 0;
            body = rest[..used];
        }
        else if (Field(fields, "\r\ntransfer-encoding:"u8).StartsWith("chunked"u8))
        {
            if (!TryReadChunks(rest, out body, out used))
                return 0;
        }
        else
        {
            body = [];
            used = 0;
        }

        IsBusy = false;
        _answered(this, status, body);
        return head + 4 + used;
    }

    protected override void OnClosed(string why)
    {
        if (IsBusy && !_mayBreak)
            throw new BenchException($"A request got no answer: {why}.");
    }

    private static ReadOnlySpan<byte> Field(ReadOnlySpan<byte> fields, ReadOnlySpan<byte> name)
    {
        for (var at = fields.IndexOf((byte)'\r'); at >= 0 && at + name.Length <= fields.Length;)
        {
            if (Ascii.EqualsIgnoreCase(fields.Slice(at, name.Length), name))
            {
                var value = fields[(at + name.Length)..];
                return value[..value.IndexOf((byte)'\r')].Trim((byte)' ');
            }

            var next = fields[(at + 1)..].IndexOf((byte)'\r');
            at = next < 0 ? -1 : at + 1 + next;
        }

        return [];
    }

    /// <summary>An answer in one chunk, which is the usual one, is not copied.</summary>
    private static bool TryReadChunks(ReadOnlySpan<byte> bytes, out ReadOnlySpan<byte> body, out int used)
    {
        body = [];
        used = 0;
        byte[]? joined = null;
        while (true)
        {
            var line = bytes[used..].IndexOf("\r\n"u8);
            if (line < 0)
                return false;
            if (!Utf8Parser.TryParse(bytes.Slice(used, line), out int size, out _, 'x'))
                throw new BenchException("A chunk's size is not a number.");
            var start = used + line + 2;
            if (bytes.Length < start + size + 2)
                return false;
            used = start + size + 2;
            if (size == 0)
                return true;
            if (body.IsEmpty)
            {
                body = bytes.Slice(start, size);
            }
            else
            {
                joined = [.. body, .. bytes.Slice(start, size)];
                body = joined;
            }
        }
    }
}
