using System.Diagnostics;
using System.Text;
using Tidings.Bench.Contenders;
using Tidings.Bench.Hosting;
using Tidings.Bench.Network;
using Tidings.Bench.Results;

namespace Tidings.Bench.Measurements;

/// <summary>
/// One reader among many that stops reading: what the others notice, what the server holds for it, and when it is cut. Phases without and
/// with such a reader take turns; as soon as one is cut, the next takes its place, so that there always is one.
/// </summary>
internal sealed class Stalled(Options options, Contender contender) : IMeasurement
{
    private const int MetricsEvery = 2;

    /// <summary>Small, so that what is not read waits in the server rather than in the reader's kernel.</summary>
    private const int ReaderBuffer = 4096;

    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(30);

    private readonly int _subscribers = options.Number("subscribers", 1000, 1, 20_000);
    private readonly int _rate = options.Number("rate", 20, 1, 500);
    private readonly int _bytes = options.Number("bytes", 8192, 16, 32_768);
    private readonly TimeSpan _time = options.Seconds("seconds", 10, 1, 300);
    private readonly TimeSpan _warmUp = options.Seconds("warmup", 5, 0, 60);
    private readonly int _rounds = options.Number("rounds", 3, 1, 20);

    private readonly List<long> _sentAt = [];
    private readonly Samples _cuts = new(64);
    private readonly Queue<HttpConnection> _publishers = [];
    private readonly Stack<Reader> _readers = [];
    private Samples? _deliveries;
    private double _held;
    private long _late;
    private double _cut;
    private double _cutBefore;

    public void Run(Rig rig)
    {
        contender.Prepare(rig, _subscribers + 1);
        using var fleet = new Fleet(rig.Loop, rig.Server.EndPoint, contender.Dialect, OnEvent);
        fleet.Open(_subscribers, TimeSpan.FromSeconds(60));
        using var metrics = new HttpConnection(rig.Loop, rig.Server.EndPoint, OnMetrics);
        for (var i = 0; i < 16; i++)
            _publishers.Enqueue(new HttpConnection(rig.Loop, rig.Server.EndPoint, OnAnswered));

        Publish(rig, metrics, _warmUp, withReader: false);
        var report = new Report("stalled", $"{_subscribers:N0} subscribers, one more that does not read, {_rate} events/s of {_bytes:N0} bytes, {_rounds} x {_time.TotalSeconds} s without and with it");
        var usage = Usage.Start(rig.Server);
        List<(Samples Without, Samples With)> rounds = [];
        double heldWithout = 0, heldWith = 0;
        for (var round = 0; round < _rounds; round++)
        {
            var without = Publish(rig, metrics, _time, withReader: false);
            heldWithout = Math.Max(heldWithout, _held);
            rounds.Add((without, Publish(rig, metrics, _time, withReader: true)));
            heldWith = Math.Max(heldWith, _held);
        }

        usage.Stop(report);
        var middle = rounds.OrderBy(round => round.With.Percentile(99) / round.Without.Percentile(99)).ElementAt(_rounds / 2);
        report.Add("others' p50 without", middle.Without.Percentile(50), "ms", "POST sent to event read; the round whose p99 ratio is the median");
        report.Add("others' p50 with", middle.With.Percentile(50), "ms");
        report.Add("others' p99 without", middle.Without.Percentile(99), "ms");
        report.Add("others' p99 with", middle.With.Percentile(99), "ms");
        report.AddBelow("others' p99, with / without", middle.With.Percentile(99) / middle.Without.Percentile(99), "x", goal: 1.2);
        report.Add("most held without", heldWithout / 1048576, "MiB", "tidings_outbound_bytes, asked for several times a second");
        report.AddBelow("most held with", heldWith / 1048576, "MiB", goal: 1.5);
        report.Add("published late", _late, "", _late == 0 ? "" : "the server did not keep up; choose a lower --rate");
        report.Add("readers cut", _cuts.Count, "");
        report.AddBelow("time to the cut, longest", _cuts.Percentile(100) / 1000, "s", goal: 10);
        report.Publish();
    }

    /// <summary>One phase; with a reader it lasts until at least one was cut.</summary>
    private Samples Publish(Rig rig, HttpConnection metrics, TimeSpan time, bool withReader)
    {
        var deliveries = new Samples((int)(_subscribers * _rate * time.TotalSeconds));
        var request = contender.Publication(rig.Server.EndPoint, _bytes);
        var text = Marker.Find(request);
        var metricsRequest = Api.Request(rig.Server.EndPoint, "GET", "/metrics", ServerSettings.AppSecret, null);
        var (startedAt, first, cuts) = (Stopwatch.GetTimestamp(), _sentAt.Count, _cuts.Count);
        _held = 0;
        Rig.CollectGarbage();
        _deliveries = deliveries;
        if (withReader)
            Stall(rig);
        rig.Loop.At(startedAt, Tick);
        rig.Loop.RunFor(time);
        if (withReader && !rig.Loop.RunUntil(() => _cuts.Count > cuts, Limit))
            throw new BenchException($"The reader that stalled was not cut within {(time + Limit).TotalSeconds} s.");
        rig.Loop.CancelTimer();
        LetReadersGo();

        // What is under way belongs to this phase.
        if (!rig.Loop.RunUntil(() => deliveries.Count == (long)_subscribers * (_sentAt.Count - first) && _publishers.Count == 16 && !metrics.IsBusy, Limit))
            throw new BenchException("Not every subscriber received every event.");
        _deliveries = null;
        return deliveries;

        void Tick()
        {
            var number = _sentAt.Count;
            if (!_publishers.TryDequeue(out var publisher))
            {
                _late++;
                rig.Loop.At(Clock.After(TimeSpan.FromMilliseconds(1)), Tick);
                return;
            }

            Marker.Write(request.AsSpan(text, Marker.Digits), number);
            _sentAt.Add(Stopwatch.GetTimestamp());
            publisher.Send(request, number);
            if (number % MetricsEvery == 0 && !metrics.IsBusy)
                metrics.Send(metricsRequest, 0);
            if (withReader && _readers.Peek().IsCut)
                Stall(rig);
            rig.Loop.At(startedAt + ((number + 1 - first) * Stopwatch.Frequency / _rate), Tick);
        }
    }

    private void Stall(Rig rig)
    {
        LetReadersGo();
        _cutBefore = _cut;
        _readers.Push(new Reader(rig, contender.Dialect, _subscribers));
    }

    private void LetReadersGo()
    {
        while (_readers.TryPop(out var reader))
            reader.Dispose();
    }

    private void OnEvent(WebSocketConnection connection, ReadOnlySpan<byte> message, long at) =>
        _deliveries?.Add(at - _sentAt[(int)Marker.Read(message)]);

    private void OnAnswered(HttpConnection connection, int status, ReadOnlySpan<byte> body)
    {
        if (status != 200)
            throw new BenchException($"A publication was answered with {status}: {Encoding.UTF8.GetString(body)}");
        _publishers.Enqueue(connection);
    }

    private void OnMetrics(HttpConnection connection, int status, ReadOnlySpan<byte> body)
    {
        var text = Encoding.UTF8.GetString(body);
        _held = Math.Max(_held, MetricsText.Sum(text, "tidings_outbound_bytes"));
        _cut = MetricsText.Sum(text, "tidings_slow_readers_total");
        if (_readers.TryPeek(out var reader) && reader is { IsCut: false, StalledAt: > 0 } && _cut > _cutBefore)
        {
            reader.IsCut = true;
            _cuts.Add(Stopwatch.GetTimestamp() - reader.StalledAt);
        }
    }

    /// <summary>Subscribes, and reads nothing from then on. That it was cut is known from the server's counter, for its socket is full.</summary>
    private sealed class Reader : ISubscriber, IDisposable
    {
        private readonly EventLoop _loop;
        private readonly WebSocketConnection _connection;

        internal Reader(Rig rig, Dialect dialect, int number)
        {
            _loop = rig.Loop;
            _connection = new WebSocketConnection(rig.Loop, rig.Server.EndPoint, number, dialect, this, ReaderBuffer);
        }

        internal long StalledAt { get; private set; }

        internal bool IsCut { get; set; }

        public void OnSubscribed(WebSocketConnection connection)
        {
            StalledAt = Stopwatch.GetTimestamp();
            _loop.Ignore(connection);
        }

        public void OnMessage(WebSocketConnection connection, ReadOnlySpan<byte> message, long at)
        {
            // Came in the same read as the confirmation.
        }

        public void OnClosed(WebSocketConnection connection, string why)
        {
            // A reset; the counter says it too.
        }

        public void Dispose() => _connection.Dispose();
    }
}
