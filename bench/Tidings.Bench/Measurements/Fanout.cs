using Tidings.Bench.Contenders;
using Tidings.Bench.Results;

namespace Tidings.Bench.Measurements;

/// <summary>Deliveries per second of the server's CPU: one host channel, one publisher through the backend's API, many subscribers.</summary>
internal sealed class Fanout(Options options, Contender contender) : IMeasurement
{
    private readonly int _subscribers = options.Number("subscribers", 1000, 1, 25_000);
    private readonly int _bytes = options.Number("bytes", 1024, 16, 32_768);
    private readonly int _inFlight = options.Number("in-flight", 8, 1, Broadcast.WidestWindow);
    private readonly TimeSpan _time = options.Seconds("seconds", 8, 1, 300);
    private readonly TimeSpan _warmUp = options.Seconds("warmup", 3, 0, 60);

    public void Run(Rig rig)
    {
        contender.Prepare(rig, _subscribers);
        using var broadcast = new Broadcast(rig, contender, _subscribers, _bytes, TimeSpan.FromSeconds(120));
        Measure(broadcast, _inFlight);
        if (_inFlight > 1)
            Measure(broadcast, 1);
    }

    private void Measure(Broadcast broadcast, int inFlight)
    {
        var report = new Report("fanout", $"{_subscribers:N0} subscribers of one channel, {_bytes:N0} bytes of data, {inFlight} in flight, {_time.TotalSeconds} s");
        var window = broadcast.Measure(inFlight, _warmUp, _time, usage => usage.Stop(report));
        report.Add("events/s", window.Published / window.Spent.Wall, "");
        report.Add("deliveries/s", window.Deliveries / window.Spent.Wall, "");
        report.Add("deliveries per CPU-second", window.PerCpuSecond, "", "of the server, publishing included");
        report.Publish();
    }
}
