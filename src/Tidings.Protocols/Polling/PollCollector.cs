using System.Buffers;
using System.Text;
using Tidings.Protocols.Streams;
using Tidings.Realtime.Channels;
using Tidings.Realtime.Connections;
using Tidings.Realtime.Publications;

namespace Tidings.Protocols.Polling;

/// <summary>
/// What one poll has so far. The connection's shard fills it, the request waits for it and freezes it; from then on nothing goes in,
/// so the token never stands for more than the answer holds.
/// </summary>
internal sealed class PollCollector(StreamRequest request)
{
    private const int MaxEvents = 500;
    private const int MaxBytes = 1024 * 1024;

    private readonly Lock _lock = new();
    private readonly StreamPlaces _places = new(request);
    private readonly List<ReadOnlyMemory<byte>> _events = [];
    private readonly List<string> _gaps = [];
    private readonly TaskCompletionSource _woken = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private long _bytes;
    private bool _isFull;
    private bool _isFrozen;

    /// <summary>Completes when there is something to answer, or nothing more to wait for.</summary>
    public Task Woken => _woken.Task;

    /// <summary>Whether something went wrong that makes an answer worthless.</summary>
    public bool HasFailed { get; private set; }

    /// <summary>Why the engine ended the connection, if it did.</summary>
    public CloseReason? ClosedBy { get; private set; }

    /// <summary>Whether there is something to answer.</summary>
    public bool HasNews
    {
        get
        {
            lock (_lock) return _events.Count > 0 || _gaps.Count > 0;
        }
    }

    /// <summary>Whether no more will fit.</summary>
    public bool IsFull
    {
        get
        {
            lock (_lock) return _isFull;
        }
    }

    /// <summary>Takes an event, and its place with it.</summary>
    public void Add(ReadOnlyMemory<byte> json, ChannelName channel, Position position)
    {
        lock (_lock)
        {
            if (_isFrozen || _isFull) return;
            if (_events.Count == MaxEvents || (_events.Count > 0 && _bytes + json.Length > MaxBytes))
            {
                // Not even a smaller one after it, or order would be lost. The client asks again from the token.
                _isFull = true;
                return;
            }

            _events.Add(json);
            _bytes += json.Length;
            _places.Move(channel, position);
        }

        Wake();
    }

    /// <summary>Takes a notice without a place.</summary>
    public void AddNotice(ReadOnlyMemory<byte> json)
    {
        lock (_lock)
        {
            if (_isFrozen) return;
            _events.Add(json);
        }

        Wake();
    }

    /// <summary>Notes that a channel is there.</summary>
    public void Begin(SubscribedMessage subscribed)
    {
        lock (_lock)
        {
            if (_isFrozen || !_places.Begin(subscribed)) return;
            _gaps.Add(subscribed.Channel.Value);
        }

        Wake();
    }

    /// <summary>A subscription failed.</summary>
    public void Fail()
    {
        HasFailed = true;
        Wake();
    }

    /// <summary>The engine ended the connection.</summary>
    public void End(CloseReason reason)
    {
        ClosedBy = reason;
        Wake();
    }

    /// <summary>There is nothing more to wait for.</summary>
    public void Wake() => _woken.TrySetResult();

    /// <summary>Takes nothing more, and writes the answer.</summary>
    public ReadOnlyMemory<byte> Freeze()
    {
        lock (_lock)
        {
            _isFrozen = true;
            var answer = new ArrayBufferWriter<byte>((int)_bytes + 256);
            answer.Write("{\"events\":["u8);
            for (var index = 0; index < _events.Count; index++)
            {
                if (index > 0) answer.Write(","u8);
                answer.Write(_events[index].Span);
            }

            answer.Write("],\"since\":\""u8);
            answer.Advance(_places.WriteToken(answer.GetSpan(StreamToken.MaxLength)));
            answer.Write("\",\"gaps\":["u8);
            for (var index = 0; index < _gaps.Count; index++)
                answer.Write(Encoding.ASCII.GetBytes($"{(index > 0 ? "," : "")}\"{_gaps[index]}\"")); // a name's alphabet needs no escapes

            answer.Write("]}"u8);
            return answer.WrittenMemory;
        }
    }
}
