using System.Diagnostics;
using Tidings.Bench.Hosting;
using Tidings.Bench.Network;
using Tidings.Bench.Results;

namespace Tidings.Bench.Measurements;

/// <summary>Signed-in, subscribed connections: how fast they are taken, and what one of them holds while nothing happens.</summary>
internal sealed class Connections(Options options) : IMeasurement
{
    private const int WarmUpConnections = 500;
    private static readonly TimeSpan Settling = TimeSpan.FromSeconds(5);

    private readonly int _count = options.Number("connections", 5000, 1, 25_000);
    private readonly TimeSpan _idle = options.Seconds("idle", 30, 1, 300);

    public void Run(Rig rig)
    {
        using var api = new Api(rig.Loop, rig.Server.EndPoint);
        var (author, _) = api.Register("benchauthor");
        var tokens = Rig.Tokens(_count + WarmUpConnections);
        var channel = $"creator:{author}";
        var dialect = new TidingsDialect(number => tokens[number], _ => channel);

        using (var warmUp = new Fleet(rig.Loop, rig.Server.EndPoint, new TidingsDialect(number => tokens[_count + number], _ => channel)))
            warmUp.Open(WarmUpConnections, TimeSpan.FromSeconds(60));
        rig.Loop.RunFor(Settling);
        Rig.CollectGarbage();

        var before = rig.Server.ResidentBytes;
        var report = new Report("connections", $"{_count:N0} connections, each a user of its own, subscribed to one creator:, idle for {_idle.TotalSeconds} s");
        using (var fleet = new Fleet(rig.Loop, rig.Server.EndPoint, dialect))
        {
            var usage = Usage.Start(rig.Server);
            report.Add("accepts/s, users never seen", _count / Open(fleet), "", "connect to `subscribed`, the user's row included");
            report.Add("the same per CPU-second", _count / usage.Stop(report).ServerCpu, "");

            var opened = rig.Server.ResidentBytes;
            var cpu = rig.Server.CpuTime;
            rig.Loop.RunFor(_idle);
            var idle = rig.Server.ResidentBytes;
            report.Add("resident before", before / 1048576.0, "MiB", $"after {WarmUpConnections} connections came and went");
            report.Add("resident when open", opened / 1048576.0, "MiB");
            report.Add("resident when idle", idle / 1048576.0, "MiB");
            report.Add("memory per connection", (idle - before) / 1024.0 / _count, "KiB", "idle, less before; the kernel's socket buffers are not in it");
            report.Add("server CPU while idle", (rig.Server.CpuTime - cpu).TotalSeconds / _idle.TotalSeconds * 100, "%");
        }

        rig.Loop.RunFor(Settling);
        using (var again = new Fleet(rig.Loop, rig.Server.EndPoint, dialect))
        {
            var usage = Usage.Start(rig.Server);
            report.Add("accepts/s, the same users again", _count / Open(again), "", "what a deploy's reconnects would see");
            report.Add("the same per CPU-second", _count / usage.Stop().ServerCpu, "");
        }

        report.Publish();

        double Open(Fleet fleet)
        {
            var startedAt = Stopwatch.GetTimestamp();
            fleet.Open(_count, TimeSpan.FromSeconds(120));
            return Stopwatch.GetElapsedTime(startedAt).TotalSeconds;
        }
    }
}
