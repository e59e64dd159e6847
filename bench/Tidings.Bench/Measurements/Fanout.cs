using Tidings.Bench.Hosting;
using Tidings.Bench.Network;
using Tidings.Bench.Results;

namespace Tidings.Bench.Measurements;

/// <summary>
/// Deliveries per second of the server's CPU: one host channel, one publisher through the backend's API, many subscribers. An event is in
/// flight from its request until the last subscriber has read it.
/// </summary>
internal sealed class Fanout(Options options) : IMeasurement
{
    private const string Channel = "bench:fanout";
    private const int WidestWindow = 64;
    private const int CheckEvery = 64;

    private readonly int _subscribers = options.Number("subscribers", 1000, 1, 25_000);
    private readonly int _bytes = options.Number("bytes", 1024, 16, 32_768);
    private readonly int _inFlight = options.Number("in-flight", 8, 1, WidestWindow);
    private readonly TimeSpan _time = options.Seconds("seconds", 8, 1, 300);
    private readonly TimeSpan _warmUp = options.Seconds("warmup", 3, 0, 60);

    private readonly int[] _waitingFor = new int[WidestWindow];
    private readonly Queue<HttpConnection> _idle = [];
    private byte[] _request = [];
    private int _text;
    private int _window;
    private long _published;
    private long _everywhere;
    private long _deliveries;

    public void Run(Rig rig)
    {
        var tokens = Rig.Tokens(_subscribers);
        using var fleet = new Fleet(rig.Loop, rig.Server.EndPoint, OnEvent);
        fleet.Open(_subscribers, number => tokens[number], _ => Channel, TimeSpan.FromSeconds(120));

        var json = $"{{\"channel\":\"{Channel}\",\"event\":\"tick\",\"data\":{{\"text\":\"{Marker.Text(0, _bytes)}\"}}}}";
        _request = Api.Request(rig.Server.EndPoint, "POST", "/api/realtime/publish", ServerSettings.AppSecret, json);
        _text = Marker.Find(_request);
        for (var i = 0; i < _inFlight; i++)
            _idle.Enqueue(new HttpConnection(rig.Loop, rig.Server.EndPoint, OnAnswered));

        Measure(rig, _inFlight);
        if (_inFlight > 1)
            Measure(rig, 1);
    }

    private void Measure(Rig rig, int window)
    {
        var report = new Report("fanout", $"{_subscribers:N0} subscribers of one channel, {_bytes:N0} bytes of data, {window} in flight, {_time.TotalSeconds} s");
        _window = window;
        Publish();
        rig.Loop.RunFor(_warmUp);
        Rig.CollectGarbage();

        var (deliveries, published) = (_deliveries, _published);
        var usage = Usage.Start(rig.Server);
        rig.Loop.RunFor(_time);
        deliveries = _deliveries - deliveries;
        published = _published - published;
        var spent = usage.Stop(report);

        _window = 0;
        if (!rig.Loop.RunUntil(() => _everywhere == _published && _idle.Count == _inFlight, TimeSpan.FromSeconds(20)))
            throw new BenchException($"{_published - _everywhere} events did not reach every subscriber.");

        report.Add("events/s", published / spent.Wall, "");
        report.Add("deliveries/s", deliveries / spent.Wall, "");
        report.Add("deliveries per CPU-second", deliveries / spent.ServerCpu, "", "of the server, publishing included");
        report.Publish();
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
        if (status != 200)
            throw new BenchException($"A publication was answered with {status}: {System.Text.Encoding.UTF8.GetString(body)}");
        _idle.Enqueue(connection);
        Publish();
    }

    /// <summary>
    /// A subscriber's k-th event is the channel's k-th, so events are counted, not parsed, which would cost more than reading them.
    /// Now and then one is looked into: with up to a window of requests under way, its number is near its place.
    /// </summary>
    private void OnEvent(WebSocketConnection connection, ReadOnlySpan<byte> message, long at)
    {
        var place = connection.Received++;
        _deliveries++;
        if (place % CheckEvery == 0 && Math.Abs(Marker.Read(message) - place) >= _inFlight)
            throw new BenchException($"Subscriber {connection.Number} received {Marker.Read(message)} as its event {place}.");
        if (--_waitingFor[place % WidestWindow] == 0)
        {
            _everywhere++;
            Publish();
        }
    }
}
