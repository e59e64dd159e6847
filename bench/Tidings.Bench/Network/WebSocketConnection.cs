using System.Buffers.Binary;
using System.Diagnostics;
using System.Net;
using System.Text;
using System.Text.Json;

namespace Tidings.Bench.Network;

/// <summary>
/// One client of the native protocol: upgrades, waits for <c>connected</c>, subscribes to one channel, then hands on every text frame with the
/// time at which it was read. It does what a client must (masks its frames, answers pings) and checks nothing that would cost time.
/// </summary>
internal sealed class WebSocketConnection : Peer
{
    private readonly ISubscriber _subscriber;
    private readonly string _channel;
    private bool _isUpgraded;

    internal WebSocketConnection(EventLoop loop, IPEndPoint server, int number, string token, string channel, ISubscriber subscriber)
        : base(loop, server)
    {
        Number = number;
        _channel = channel;
        _subscriber = subscriber;
        Span<byte> key = stackalloc byte[16];
        Random.Shared.NextBytes(key);
        Write(Encoding.ASCII.GetBytes(
            $"GET /ws HTTP/1.1\r\nHost: {server}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n" +
            $"Sec-WebSocket-Key: {Convert.ToBase64String(key)}\r\nSec-WebSocket-Protocol: tidings.v1\r\nAuthorization: Bearer {token}\r\n\r\n"));
    }

    internal int Number { get; }

    internal bool IsSubscribed { get; private set; }

    /// <summary>Events so far; whoever measures keeps it.</summary>
    internal long Received { get; set; }

    protected override int Consume(ReadOnlySpan<byte> received)
    {
        var at = Stopwatch.GetTimestamp();
        var used = 0;
        if (!_isUpgraded)
        {
            var head = received.IndexOf("\r\n\r\n"u8);
            if (head < 0)
                return 0;
            if (!received.StartsWith("HTTP/1.1 101 "u8))
                throw new BenchException($"The upgrade was refused: {Encoding.Latin1.GetString(received[..Math.Min(received.Length, 600)])}");
            _isUpgraded = true;
            used = head + 4;
        }

        while (!IsClosed && TryReadFrame(received[used..], out var opcode, out var payload, out var size))
        {
            used += size;
            switch (opcode)
            {
                case 1 when IsSubscribed:
                    _subscriber.OnMessage(this, payload, at);
                    break;
                case 1:
                    OnReply(payload);
                    break;
                case 8:
                    var code = payload.Length >= 2 ? BinaryPrimitives.ReadUInt16BigEndian(payload) : 1005;
                    Close($"closed by the server with {code} {Encoding.UTF8.GetString(payload.Length > 2 ? payload[2..] : [])}");
                    break;
                case 9:
                    WriteFrame(10, payload);
                    break;
            }
        }

        return used;
    }

    protected override void OnClosed(string why) => _subscriber.OnClosed(this, why);

    private static bool TryReadFrame(ReadOnlySpan<byte> bytes, out int opcode, out ReadOnlySpan<byte> payload, out int size)
    {
        opcode = size = 0;
        payload = [];
        if (bytes.Length < 2)
            return false;
        if ((bytes[0] & 0xF0) != 0x80 || (bytes[1] & 0x80) != 0)
            throw new BenchException("A frame is fragmented, has reserved bits set, or is masked.");

        var head = 2;
        long length = bytes[1];
        if (length == 126)
        {
            if (bytes.Length < 4)
                return false;
            head = 4;
            length = BinaryPrimitives.ReadUInt16BigEndian(bytes[2..]);
        }
        else if (length == 127)
        {
            if (bytes.Length < 10)
                return false;
            head = 10;
            length = BinaryPrimitives.ReadInt64BigEndian(bytes[2..]);
        }

        if (bytes.Length < head + length)
            return false;
        opcode = bytes[0] & 0x0F;
        payload = bytes.Slice(head, (int)length);
        size = head + (int)length;
        return true;
    }

    private void OnReply(ReadOnlySpan<byte> message)
    {
        switch (TypeOf(message))
        {
            case "connected":
                WriteFrame(1, Encoding.UTF8.GetBytes($"{{\"type\":\"subscribe\",\"id\":1,\"channel\":\"{_channel}\"}}"));
                break;
            case "subscribed" when message.IndexOf(Encoding.UTF8.GetBytes(_channel)) >= 0:
                IsSubscribed = true;
                _subscriber.OnSubscribed(this);
                break;
            case "error":
                throw new BenchException($"Subscribing to {_channel} was refused: {Encoding.UTF8.GetString(message)}");
        }
    }

    private static string? TypeOf(ReadOnlySpan<byte> message)
    {
        var reader = new Utf8JsonReader(message);
        while (reader.Read())
        {
            if (reader.TokenType == JsonTokenType.PropertyName && reader.CurrentDepth == 1 && reader.ValueTextEquals("type"u8))
                return reader.Read() ? reader.GetString() : null;
        }

        return null;
    }

    private void WriteFrame(byte opcode, ReadOnlySpan<byte> payload)
    {
        if (payload.Length > 65535)
            throw new InvalidOperationException("The generator writes small frames only.");
        var head = payload.Length < 126 ? 2 : 4;
        Span<byte> frame = payload.Length < 1000 ? stackalloc byte[head + 4 + payload.Length] : new byte[head + 4 + payload.Length];
        frame[0] = (byte)(0x80 | opcode);
        frame[1] = (byte)(0x80 | (head == 2 ? payload.Length : 126));
        if (head == 4)
            BinaryPrimitives.WriteUInt16BigEndian(frame[2..], (ushort)payload.Length);
        var mask = frame.Slice(head, 4);
        Random.Shared.NextBytes(mask);
        var masked = frame[(head + 4)..];
        for (var i = 0; i < payload.Length; i++)
            masked[i] = (byte)(payload[i] ^ mask[i & 3]);
        Write(frame);
    }
}
