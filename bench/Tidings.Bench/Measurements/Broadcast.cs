using Tidings.Bench.Contenders;
using Tidings.Bench.Hosting;
using Tidings.Bench.Network;

namespace Tidings.Bench.Measurements;

/// <summary>
/// One channel with many subscribers on a running server, and windows in which it is published to. An event is in flight from its request until
/// the last subscriber has read it, and a window keeps a fixed number in flight. Between windows nothing is under way.
/// </summary>
internal sealed class Broadcast : IDisposable
{
    internal const int WidestWindow = 64;
    private const int CheckEvery = 64;

    private readonly Rig _rig;
    private readonly Contender _contender;
    private readonly int _subscribers;
    private readonly Fleet _fleet;
    private readonly byte[] _request;
    private readonly int _text;
    private readonly int[] _waitingFor = new int[WidestWindow];
    private readonly Dictionary<long, long> _sample = [];
    private readonly Queue<HttpConnection> _idle = [];
    private List<HttpConnection> _publishers = [];
    private int _window;
    private long _published;
    private long _everywhere;
    private long _deliveries;
    private long _bytes;

    /// <summary>Opens the connections; the contender has been prepared for that many.</summary>
    internal Broadcast(Rig rig, Contender contender, int subscribers, int bytes, TimeSpan openLimit)
    {
        _rig = rig;
        _contender = contender;
        _subscribers = subscribers;
        _request = contender.Publication(rig.Server.EndPoint, bytes);
        _text = Marker.Find(_request);
        _fleet = new Fleet(rig.Loop, rig.Server.EndPoint, contender.Dialect, OnEvent);
        try
        {
            _fleet.Open(subscribers, openLimit);
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    /// <param name="inFlight">Events under way at a time.</param>
    /// <param name="warmUp">Published as in the window, before it.</param>
    /// <param name="time">How long the window is.</param>
    /// <param name="stop">Ends the usage, so that whoever asks can write its rows.</param>
    internal Window Measure(int inFlight, TimeSpan warmUp, TimeSpan time, Func<Usage, Usage.Spent> stop)
    {
        // New ones for each window: some servers close an idle connection after a few seconds.
        _publishers = [.. Enumerable.Range(0, inFlight).Select(_ => new HttpConnection(_rig.Loop, _rig.Server.EndPoint, OnAnswered))];
        _publishers.ForEach(_idle.Enqueue);
        _window = inFlight;
        _rig.Loop.Polls = true;
        Publish();
        _rig.Loop.RunFor(warmUp);
        Rig.CollectGarbage();

        var (deliveries, published, bytes) = (_deliveries, _published, _bytes);
        var usage = Usage.Start(_rig.Server, _rig.Loop);
        _rig.Loop.RunFor(time);
        deliveries = _deliveries - deliveries;
        published = _published - published;
        bytes = _bytes - bytes;
        var spent = stop(usage);
        _rig.Loop.Polls = false;

        _window = 0;
        if (!_rig.Loop.RunUntil(() => _everywhere == _published && _idle.Count == _publishers.Count, TimeSpan.FromSeconds(20)))
            throw new BenchException($"{_published - _everywhere} events did not reach every subscriber.", _rig.Server.EndPoint);
        _publishers.ForEach(publisher => publisher.Dispose());
        _idle.Clear();
        return new Window(published, deliveries, bytes, spent);
    }

    public void Dispose()
    {
        _fleet.Dispose();
        _publishers.ForEach(publisher => publisher.Dispose());
    }

    private void Publish()
    {
        while (_published - _everywhere < _window && _idle.TryDequeue(out var connection))
        {
            var number = _published++;
            _waitingFor[number % WidestWindow] = _subscribers;
            Marker.Write(_request.AsSpan(_text, Marker.Digits), number);
            connection.Send(_request, number);
        }
    }

    private void OnAnswered(HttpConnection connection, int status, ReadOnlySpan<byte> body)
    {
        if (status is < 200 or > 299)
            throw new BenchException($"A publication was answered with {status} by {_contender.Title}: {System.Text.Encoding.UTF8.GetString(body)}", _rig.Server.EndPoint);
        _idle.Enqueue(connection);
        Publish();
    }

    /// <summary>
    /// A subscriber's k-th event is the channel's k-th, so events are counted, not parsed, which would cost more than reading them.
    /// Now and then one is looked into: all must have received the same as theirs of that place. An empty message was thrown away unread.
    /// </summary>
    private void OnEvent(WebSocketConnection connection, ReadOnlySpan<byte> message, long at)
    {
        var place = connection.Received++;
        _deliveries++;
        _bytes += message.Length;
        if (place % CheckEvery == 0 && !message.IsEmpty)
            Check(connection, place, Marker.Read(message));
        if (--_waitingFor[place % WidestWindow] == 0)
        {
            _everywhere++;
            Publish();
        }
    }

    private void Check(WebSocketConnection connection, long place, long number)
    {
        if (!_contender.KeepsOrder)
        {
            if (number >= 0 && number < _published && Math.Abs(number - place) < WidestWindow)
                return;
            throw new BenchException($"Subscriber {connection.Number} received {number} as its event {place}.", _rig.Server.EndPoint);
        }

        if (_sample.TryAdd(place, number) ? number >= 0 && number < _published : _sample[place] == number)
            return;
        throw new BenchException($"Subscriber {connection.Number} received {number} as its event {place}, where the first received {_sample[place]}.", _rig.Server.EndPoint);
    }

    /// <summary>What happened inside one window.</summary>
    internal sealed record Window(long Published, long Deliveries, long Bytes, Usage.Spent Spent)
    {
        internal double PerCpuSecond => Deliveries / Spent.ServerCpu;

        /// <summary>Of one event as it was read, without the frame's head.</summary>
        internal double BytesPerEvent => (double)Bytes / Deliveries;
    }
}
