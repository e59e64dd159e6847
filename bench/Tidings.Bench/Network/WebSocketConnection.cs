using System.Buffers;
using System.Buffers.Binary;
using System.Diagnostics;
using System.Net;
using System.Text;

namespace Tidings.Bench.Network;

/// <summary>
/// One WebSocket client: upgrades, subscribes as its <see cref="Dialect"/> says, then hands on every event with the time at which it was read.
/// It does what a client must (masks its frames, answers pings, joins fragments) and checks nothing that would cost time.
/// </summary>
internal sealed class WebSocketConnection : Peer
{
    private const int LongestMessage = 1 << 20;

    private readonly Dialect _dialect;
    private readonly ISubscriber _subscriber;
    private ArrayBufferWriter<byte>? _fragments;
    private bool _isUpgraded;
    private int _eventSize;
    private int _discarded;

    internal WebSocketConnection(EventLoop loop, IPEndPoint server, int number, Dialect dialect, ISubscriber subscriber, int receiveBuffer = 0)
        : base(loop, server, receiveBuffer)
    {
        Number = number;
        _dialect = dialect;
        _subscriber = subscriber;
        Span<byte> key = stackalloc byte[16];
        Random.Shared.NextBytes(key);
        Write(Encoding.ASCII.GetBytes(
            $"GET {dialect.Path(number)} HTTP/1.1\r\nHost: {server}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n" +
            $"Sec-WebSocket-Key: {Convert.ToBase64String(key)}\r\n{dialect.Fields(number)}\r\n"));
    }

    internal int Number { get; }

    internal bool IsSubscribed { get; private set; }

    /// <summary>Events so far; whoever measures keeps it.</summary>
    internal long Received { get; set; }

    /// <summary>Called by the dialect when the server has said so.</summary>
    internal void ConfirmSubscribed()
    {
        if (IsSubscribed)
            return;
        IsSubscribed = true;
        _subscriber.OnSubscribed(this);
    }

    /// <summary>Called by the dialect for each event.</summary>
    internal void HandOn(ReadOnlySpan<byte> message, long at)
    {
        if (_dialect.CountsOnly)
            _eventSize = HeadOf(message.Length) + message.Length;
        _subscriber.OnMessage(this, message, at);
    }

    internal void SendText(ReadOnlySpan<byte> message) => WriteFrame(1, message);

    protected override bool DiscardsWhatComes => _eventSize > 0;

    protected override void OnDiscarded(int count)
    {
        var at = Stopwatch.GetTimestamp();
        for (_discarded += count; _discarded >= _eventSize; _discarded -= _eventSize)
            _subscriber.OnMessage(this, [], at);
    }

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
            {
                Close($"the upgrade was refused: {Encoding.Latin1.GetString(received[..Math.Min(received.Length, 600)])}");
                return received.Length;
            }

            _isUpgraded = true;
            used = head + 4;
            _dialect.OnUpgraded(this);
        }

        while (!IsClosed && TryReadFrame(received[used..], out var first, out var payload, out var size))
        {
            used += size;
            if (first == 0x81)
                OnMessage(payload, at);
            else
                OnOther(first, payload, at);
        }

        return used;
    }

    protected override void OnClosed(string why) => _subscriber.OnClosed(this, why);

    private static bool TryReadFrame(ReadOnlySpan<byte> bytes, out byte first, out ReadOnlySpan<byte> payload, out int size)
    {
        first = 0;
        size = 0;
        payload = [];
        if (bytes.Length < 2)
            return false;
        if ((bytes[0] & 0x70) != 0 || (bytes[1] & 0x80) != 0)
            throw new BenchException("A frame has reserved bits set, or is masked.");

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
        first = bytes[0];
        payload = bytes.Slice(head, (int)length);
        size = head + (int)length;
        return true;
    }

    private void OnMessage(ReadOnlySpan<byte> message, long at)
    {
        if (IsSubscribed)
            _dialect.OnMessage(this, message, at);
        else
            _dialect.OnReply(this, message);
    }

    /// <summary>Control frames, and messages in several fragments.</summary>
    private void OnOther(byte first, ReadOnlySpan<byte> payload, long at)
    {
        switch (first)
        {
            case 0x01 or 0x00 or 0x80:
                _fragments ??= new ArrayBufferWriter<byte>(4096);
                if (_fragments.WrittenCount + payload.Length > LongestMessage)
                    throw new BenchException("A message of the server is longer than the generator takes.");
                _fragments.Write(payload);
                if (first != 0x80)
                    break;
                OnMessage(_fragments.WrittenSpan, at);
                _fragments.ResetWrittenCount();
                break;
            case 0x88:
                var code = payload.Length >= 2 ? BinaryPrimitives.ReadUInt16BigEndian(payload) : 1005;
                Close($"closed by the server with {code} {Encoding.UTF8.GetString(payload.Length > 2 ? payload[2..] : [])}");
                break;
            case 0x89:
                WriteFrame(10, payload);
                break;
            case 0x8A:
                break;
            default:
                throw new BenchException($"An unexpected frame: 0x{first:X2}.");
        }
    }

    private static int HeadOf(int length) => length < 126 ? 2 : length < 65536 ? 4 : 10;

    private void WriteFrame(byte opcode, ReadOnlySpan<byte> payload)
    {
        if (payload.Length > 65535)
            throw new InvalidOperationException("The generator writes small frames only.");
        var head = HeadOf(payload.Length);
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
