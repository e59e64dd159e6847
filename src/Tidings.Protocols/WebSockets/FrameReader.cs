using System.Buffers;
using System.Buffers.Binary;
using System.Text.Unicode;

namespace Tidings.Protocols.WebSockets;

/// <summary>
/// A client's frames to messages: pure and incremental, so bytes may come in any pieces. It unmasks in place and copies only what
/// lies in several pieces; between messages it holds no buffer. It never answers: what to do is the caller's affair.
/// </summary>
internal sealed class FrameReader(int maxMessageBytes) : IDisposable
{
    /// <summary>The most frames of one message; empty fragments are legal and would be endless.</summary>
    public const int MaxFragments = 128;

    private const int MaxControlPayload = 125;
    private const int SmallestBuffer = 512;

    private FrameHeader _header;
    private long _remaining; // of the frame's payload
    private long _unmasked; // of the frame's payload
    private uint _mask;
    private FrameOpcode _opcode;
    private bool _isFinal;
    private bool _isInPayload;
    private bool _isLost; // where the next frame begins is not known: whatever comes is swallowed

    private FrameOpcode _messageOpcode; // of the message being assembled; Continuation if there is none
    private int _fragments;
    private Piecewise _message;
    private Piecewise _control;

    /// <summary>
    /// Whether everything but a close is passed over, good or bad: after a violation, and once we have said goodbye and only wait for
    /// the peer to do the same.
    /// </summary>
    public bool SkipsAll { get; set; }

    /// <summary>Whether the peer has sent its close, a good one or a bad one. Whatever comes behind it is swallowed.</summary>
    public bool HasEnded { get; private set; }

    /// <summary>Whether a frame or a message has begun and is not complete.</summary>
    public bool IsMidMessage => _isInPayload || _header.Count > 0 || _messageOpcode != FrameOpcode.Continuation;

    /// <summary>Takes bytes from <paramref name="input"/> up to the end of the next message, at most all.</summary>
    /// <returns>False if all was taken and no message is complete.</returns>
    public bool TryRead(ref Memory<byte> input, out InboundMessage message)
    {
        // What the last call handed out has been handled.
        if (!_isInPayload || !IsControl(_opcode)) _control.Release();
        if (_messageOpcode == FrameOpcode.Continuation) _message.Release();

        while (!HasEnded && !_isLost)
        {
            if (!_isInPayload)
            {
                if (!_header.TryTake(ref input)) break;
                if (Begin() is { } early)
                {
                    message = early;
                    return true;
                }

                if (_isLost) break;
            }

            var piece = TakePayload(ref input);
            if (IsControl(_opcode) ? TryEndControl(piece, out message) : TryEndData(piece, out message)) return true;
            if (_isInPayload) break;
        }

        if (HasEnded || _isLost) input = default;
        message = default;
        return false;
    }

    /// <summary>Gives back what it holds.</summary>
    public void Dispose()
    {
        HasEnded = true;
        _message.Release();
        _control.Release();
    }

    private static bool IsControl(FrameOpcode opcode) => ((byte)opcode & 0x8) != 0;

    /// <summary>Checks a complete header and starts on its payload.</summary>
    /// <returns>What can be said already, or null.</returns>
    private InboundMessage? Begin()
    {
        var (first, second) = (_header[0], _header[1]);
        var length = _header.PayloadLength;
        _isFinal = (first & 0x80) != 0;
        _opcode = (FrameOpcode)(first & 0x0F);
        _mask = _header.Mask;
        _header.Clear();
        _remaining = length;
        _unmasked = 0;
        _isInPayload = true;

        _isLost = length < 0;
        if (SkipsAll) return Pass();
        if (_isLost) return Broken("length");
        if ((first & 0x70) != 0) return Broken("reserved_bits");
        if ((second & 0x80) == 0) return Broken("not_masked");

        return _opcode switch
        {
            FrameOpcode.Close or FrameOpcode.Ping or FrameOpcode.Pong =>
                !_isFinal ? Broken("fragmented_control") : length > MaxControlPayload ? Broken("long_control") : null,
            > FrameOpcode.Binary => Broken("opcode"),
            FrameOpcode.Continuation when _messageOpcode == FrameOpcode.Continuation => Broken("nothing_to_continue"),
            FrameOpcode.Text or FrameOpcode.Binary when _messageOpcode != FrameOpcode.Continuation => Broken("message_not_ended"),
            _ => BeginData(length),
        };
    }

    /// <summary>Passes over a frame, unless it is the peer's close.</summary>
    private InboundMessage? Pass()
    {
        HasEnded = _opcode == FrameOpcode.Close;
        return HasEnded ? new(InboundKind.Close) : null;
    }

    private InboundMessage? BeginData(long length)
    {
        if (_opcode != FrameOpcode.Continuation)
        {
            _messageOpcode = _opcode;
            _fragments = 0;
        }

        // Refused by what the header declares, before anything of it is kept.
        if (length > maxMessageBytes - _message.Length) return Refused(CloseCodes.TooBig, "too_big");
        return ++_fragments > MaxFragments ? Refused(CloseCodes.TooBig, "too_many_fragments") : null;
    }

    private Memory<byte> TakePayload(ref Memory<byte> input)
    {
        var piece = input[..(int)Math.Min(_remaining, input.Length)];
        input = input[piece.Length..];
        if (!SkipsAll) FrameMask.Apply(piece.Span, _mask, _unmasked);
        _unmasked += piece.Length;
        _remaining -= piece.Length;
        _isInPayload = _remaining > 0;
        return piece;
    }

    private bool TryEndControl(Memory<byte> piece, out InboundMessage message)
    {
        message = default;
        if (SkipsAll) return false;
        if (_isInPayload)
        {
            _control.Append(piece.Span, MaxControlPayload);
            return false;
        }

        var payload = _control.Complete(piece, MaxControlPayload);
        message = _opcode switch
        {
            FrameOpcode.Ping => new(InboundKind.Ping, payload),
            FrameOpcode.Pong => new(InboundKind.Pong, payload),
            _ => Closed(payload.Span),
        };
        return true;
    }

    private bool TryEndData(Memory<byte> piece, out InboundMessage message)
    {
        message = default;
        if (SkipsAll) return false;
        if (_isInPayload || !_isFinal)
        {
            _message.Append(piece.Span, maxMessageBytes);
            return false;
        }

        var payload = _message.Complete(piece, maxMessageBytes);
        var isText = _messageOpcode == FrameOpcode.Text;
        _messageOpcode = FrameOpcode.Continuation;
        message = !isText ? new(InboundKind.Binary, payload)
            : Utf8.IsValid(payload.Span) ? new(InboundKind.Text, payload)
            : Refused(CloseCodes.NotUtf8, "not_utf8");
        return true;
    }

    private InboundMessage Closed(ReadOnlySpan<byte> payload)
    {
        HasEnded = true;
        if (payload.IsEmpty) return new(InboundKind.Close);
        if (payload.Length == 1) return Broken("close_payload");

        var code = BinaryPrimitives.ReadUInt16BigEndian(payload);
        if (!CloseCodes.MayTravel(code)) return Broken("close_code");
        return Utf8.IsValid(payload[2..]) ? new(InboundKind.Close, Code: code) : Refused(CloseCodes.NotUtf8, "close_reason");
    }

    private InboundMessage Broken(string reason) => Refused(CloseCodes.ProtocolError, reason);

    /// <summary>The peer is refused; from now on only its close is of interest.</summary>
    private InboundMessage Refused(int code, string reason)
    {
        SkipsAll = true;
        _messageOpcode = FrameOpcode.Continuation;
        return new(InboundKind.Violation, Code: code, Reason: reason);
    }

    /// <summary>Bytes that came in several pieces, in a rented array that grows with what is really there.</summary>
    private struct Piecewise
    {
        private byte[]? _bytes;

        public int Length { get; private set; }

        public void Append(ReadOnlySpan<byte> piece, int most)
        {
            if (piece.IsEmpty) return;
            if (_bytes is null || _bytes.Length < Length + piece.Length)
            {
                var grown = ArrayPool<byte>.Shared.Rent(Math.Max(Length + piece.Length, Math.Min(most, Math.Max(SmallestBuffer, Length * 2))));
                if (_bytes is { } old)
                {
                    old.AsSpan(0, Length).CopyTo(grown);
                    ArrayPool<byte>.Shared.Return(old);
                }

                _bytes = grown;
            }

            piece.CopyTo(_bytes.AsSpan(Length));
            Length += piece.Length;
        }

        /// <summary>All of it with the last piece, which stays where it is if it is the only one.</summary>
        public Memory<byte> Complete(Memory<byte> last, int most)
        {
            if (Length == 0) return last;
            Append(last.Span, most);
            return _bytes.AsMemory(0, Length);
        }

        public void Release()
        {
            if (_bytes is { } bytes) ArrayPool<byte>.Shared.Return(bytes);
            _bytes = null;
            Length = 0;
        }
    }
}
