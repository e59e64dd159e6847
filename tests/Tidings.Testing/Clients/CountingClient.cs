using System.Buffers.Binary;
using Tidings.Testing.Checks;
using Tidings.Testing.Network;

namespace Tidings.Testing.Clients;

/// <summary>
/// A reader that costs little: it answers pings, counts the events of one type and keeps a checksum of them. Hundreds fit beside a server, and
/// those that read the same have the same checksum.
/// </summary>
public sealed class CountingClient : IDisposable
{
    private readonly RawWebSocket _socket;
    private readonly string _token;
    private readonly byte[] _counted;
    private readonly Task _reading;
    private HashCode _sum;
    private int _count;

    private CountingClient(RawWebSocket socket, string token, string type)
    {
        _token = token;
        _socket = socket;
        _counted = System.Text.Encoding.ASCII.GetBytes($"{{\"type\":\"{type}\"");
        _reading = Task.Run(ReadAsync);
    }

    /// <summary>Events so far.</summary>
    public int Count => Volatile.Read(ref _count);

    public bool IsOpen => !_reading.IsCompleted;

    /// <summary>The checksum of what came, once nothing comes any more.</summary>
    public int Sum => _sum.ToHashCode();

    /// <summary>Connects, subscribes, and counts from then on.</summary>
    public static async Task<CountingClient> OpenAsync(Uri server, string token, string channel, string type)
    {
        var socket = await RawWebSocket.OpenAsync(server, token);
        await socket.SendTextAsync($$"""{"type":"subscribe","channel":"{{channel}}"}""");
        return new CountingClient(socket, token, type);
    }

    /// <inheritdoc />
    public void Dispose() => _socket.Dispose();

    private async Task ReadAsync()
    {
        var buffer = new byte[64 * 1024];
        var filled = 0;
        try
        {
            while (await _socket.Stream.ReadAsync(buffer.AsMemory(filled)) is var more and > 0)
            {
                filled += more;
                var at = 0;
                while (FrameAt(buffer.AsSpan(at, filled - at)) is { Whole: > 0 } frame)
                {
                    var payload = buffer.AsMemory(at + frame.Head, frame.Whole - frame.Head);
                    if ((buffer[at] & 0x0F) == 9) await _socket.SendFrameAsync(0x8A, payload.Span);
                    else Take(payload.Span);
                    at += frame.Whole;
                }

                buffer.AsSpan(at, filled - at).CopyTo(buffer);
                filled -= at;
            }
        }
        catch (Exception error) when (error is IOException or ObjectDisposedException)
        {
            // The connection is over, which is what IsOpen says.
        }
    }

    /// <summary>The lengths of the frame at the start, if all of it is there.</summary>
    private static (int Head, int Whole) FrameAt(ReadOnlySpan<byte> bytes)
    {
        if (bytes.Length < 2) return default;
        var head = (bytes[1] & 0x7F) switch { 126 => 4, 127 => 10, _ => 2 };
        if (bytes.Length < head) return default;
        var length = head switch { 4 => BinaryPrimitives.ReadUInt16BigEndian(bytes[2..]), 10 => (long)BinaryPrimitives.ReadUInt64BigEndian(bytes[2..]), _ => bytes[1] & 0x7F };
        return bytes.Length >= head + length ? (head, head + (int)length) : default;
    }

    private void Take(ReadOnlySpan<byte> message)
    {
        CanaryWatch.Shared.Look(_token, "WebSocket", message);
        if (!message.StartsWith(_counted)) return;
        _sum.AddBytes(message);
        Volatile.Write(ref _count, _count + 1);
    }
}
