using System.Buffers.Binary;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Text;
using Tidings.Testing.Clients;

namespace Tidings.Testing.Network;

/// <summary>A WebSocket by hand, for what a well-behaved library refuses to send or refuses to leave undone.</summary>
public sealed class RawWebSocket : IDisposable
{
    private readonly Socket _socket;
    private readonly NetworkStream _stream;

    private RawWebSocket(Socket socket)
    {
        _socket = socket;
        _stream = new NetworkStream(socket, ownsSocket: true);
    }

    internal Stream Stream => _stream;

    /// <summary>Connects to <c>/ws</c>.</summary>
    /// <param name="server">The server or a proxy before it.</param>
    /// <param name="token">Sent as a bearer header; null: none.</param>
    /// <param name="receiveBuffer">The kernel's buffer for what we do not read; 0: as usual.</param>
    public static async Task<RawWebSocket> OpenAsync(Uri server, string? token, int receiveBuffer = 0)
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        if (receiveBuffer > 0) socket.ReceiveBufferSize = receiveBuffer;
        await socket.ConnectAsync(server.Host, server.Port);
        var raw = new RawWebSocket(socket);
        var authorization = token is null ? "" : $"Authorization: Bearer {token}\r\n";
        await raw.WriteAsync(Encoding.ASCII.GetBytes(
            $"GET /ws HTTP/1.1\r\nHost: {server.Authority}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
            + $"Sec-WebSocket-Key: {Convert.ToBase64String(RandomNumberGenerator.GetBytes(16))}\r\nSec-WebSocket-Protocol: tidings.v1\r\n{authorization}\r\n"));
        var head = await raw.ReadHeadAsync();
        return head.StartsWith("HTTP/1.1 101", StringComparison.Ordinal) ? raw : throw new IOException($"Not upgraded: {head}");
    }

    /// <summary>Sends a text frame.</summary>
    public Task SendTextAsync(string text) => SendFrameAsync(0x81, Encoding.UTF8.GetBytes(text));

    /// <summary>Sends a frame with a first byte of the caller's choice (FIN, reserved bits, opcode).</summary>
    public Task SendFrameAsync(byte first, ReadOnlySpan<byte> payload, bool isMasked = true, ulong? declaredLength = null)
    {
        using var frame = new MemoryStream();
        frame.WriteByte(first);
        WriteLength(frame, declaredLength ?? (ulong)payload.Length, isMasked ? (byte)0x80 : (byte)0);
        if (isMasked)
        {
            var mask = RandomNumberGenerator.GetBytes(4);
            frame.Write(mask);
            for (var at = 0; at < payload.Length; at++) frame.WriteByte((byte)(payload[at] ^ mask[at % 4]));
        }
        else
        {
            frame.Write(payload);
        }

        return WriteAsync(frame.ToArray());
    }

    /// <summary>Sends bytes as they are.</summary>
    public async Task WriteAsync(ReadOnlyMemory<byte> bytes)
    {
        using var deadline = new CancellationTokenSource(Eventually.Patience);
        await _stream.WriteAsync(bytes, deadline.Token);
    }

    /// <summary>Reads frames until one fits; answers nothing, not even pings.</summary>
    /// <returns>The first byte and the payload, or null if the connection ended.</returns>
    public async Task<(byte First, byte[] Payload)?> ReadFrameAsync(TimeSpan? within = null)
    {
        using var deadline = new CancellationTokenSource(within ?? Eventually.Patience);
        try
        {
            var head = await ReadExactlyAsync(2, deadline.Token);
            var length = (ulong)(head[1] & 0x7F);
            if (length == 126) length = BinaryPrimitives.ReadUInt16BigEndian(await ReadExactlyAsync(2, deadline.Token));
            else if (length == 127) length = BinaryPrimitives.ReadUInt64BigEndian(await ReadExactlyAsync(8, deadline.Token));
            return (head[0], await ReadExactlyAsync((int)length, deadline.Token));
        }
        catch (IOException)
        {
            return null;
        }
        catch (OperationCanceledException)
        {
            throw new TimeoutException("No frame in time.");
        }
    }

    /// <summary>Reads until a close frame, or until the connection has ended without one.</summary>
    /// <param name="within">The deadline.</param>
    /// <param name="pause">How long to rest after each frame, for a reader that is too slow.</param>
    /// <returns>The close frame's code, or 1006 without one.</returns>
    public async Task<WireClose> ReadToCloseAsync(TimeSpan? within = null, TimeSpan pause = default)
    {
        var deadline = Deadline.In(within ?? Eventually.Patience);
        while (await ReadFrameAsync(deadline.Left) is var (first, payload))
        {
            if (pause > TimeSpan.Zero) await Task.Delay(pause);
            if ((first & 0x0F) != 8) continue;
            return payload.Length < 2 ? new WireClose(1005, "") : new WireClose(BinaryPrimitives.ReadUInt16BigEndian(payload), Encoding.UTF8.GetString(payload.AsSpan(2)));
        }

        return new WireClose(WireClose.Broken, "");
    }

    /// <inheritdoc />
    public void Dispose() => _stream.Dispose();

    private static void WriteLength(MemoryStream frame, ulong length, byte maskBit)
    {
        Span<byte> wide = stackalloc byte[8];
        BinaryPrimitives.WriteUInt64BigEndian(wide, length);
        if (length < 126)
        {
            frame.WriteByte((byte)(maskBit | (byte)length));
        }
        else if (length <= ushort.MaxValue)
        {
            frame.WriteByte((byte)(maskBit | 126));
            frame.Write(wide[6..]);
        }
        else
        {
            frame.WriteByte((byte)(maskBit | 127));
            frame.Write(wide);
        }
    }

    private async Task<string> ReadHeadAsync()
    {
        using var deadline = new CancellationTokenSource(Eventually.Patience);
        var head = new StringBuilder();
        while (!head.ToString().EndsWith("\r\n\r\n", StringComparison.Ordinal))
            head.Append((char)(await ReadExactlyAsync(1, deadline.Token))[0]);
        return head.ToString();
    }

    private async Task<byte[]> ReadExactlyAsync(int count, CancellationToken cancellationToken)
    {
        var bytes = new byte[count];
        await _stream.ReadExactlyAsync(bytes, cancellationToken);
        return bytes;
    }
}
