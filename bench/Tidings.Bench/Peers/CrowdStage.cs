using Tidings.Bench.Contenders;
using Tidings.Bench.Hosting;
using Tidings.Bench.Measurements;
using Tidings.Bench.Network;

namespace Tidings.Bench.Peers;

/// <summary>
/// Figures of so many connections that the machine holds one server's at a time. In each round each server is started afresh, takes the crowd,
/// keeps it while nothing happens, and sends to it.
/// </summary>
internal sealed class CrowdStage(Scoreboard board, ServerSettings settings, int connections, int bytes)
{
    private const int WarmUpConnections = 500;
    private static readonly TimeSpan Settling = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan OpenLimit = TimeSpan.FromSeconds(180);

    private readonly Figure _crowded = Figure.Crowded(connections, bytes);
    private readonly Figure _memory = Figure.Memory(connections);
    private readonly Figure _idleCpu = Figure.IdleCpu(connections);
    private readonly Figure _accepts = Figure.Accepts(connections);

    /// <summary>The letters of the figures to be measured.</summary>
    internal required IReadOnlyList<string> Wanted { get; init; }

    internal required TimeSpan Idle { get; init; }

    internal required TimeSpan WarmUp { get; init; }

    internal required TimeSpan Time { get; init; }

    internal IEnumerable<Figure> Figures => ((Figure[])[_crowded, _accepts, _memory, _idleCpu]).Where(figure => Wanted.Contains(figure.Key[..1]));

    internal void Run(IReadOnlyList<Contender> contenders, int rounds)
    {
        var left = contenders.Where(contender => !board.HasFailed(contender)).ToList();
        for (var round = 0; round < rounds; round++)
        {
            foreach (var contender in left.ToList())
            {
                try
                {
                    Measure(contender, round);
                }
                catch (BenchException error)
                {
                    board.Fail(contender, error.Message);
                    left.Remove(contender);
                }
            }
        }
    }

    private void Measure(Contender contender, int round)
    {
        using var loop = new EventLoop();
        using var server = ServerProcess.Start(contender, settings);
        var rig = new Rig(loop, server);
        contender.Prepare(rig, connections + WarmUpConnections);
        using (var first = new Fleet(loop, server.EndPoint, contender.Dialect, firstNumber: connections))
            first.Open(WarmUpConnections, OpenLimit);
        loop.RunFor(Settling);
        Rig.CollectGarbage();

        var before = server.ResidentBytes;
        var usage = Usage.Start(server);
        using var broadcast = new Broadcast(rig, contender, connections, bytes, OpenLimit);
        var spent = usage.Stop();
        if (Wanted.Contains("f"))
            board.Add(_accepts, contender, new Measured(round, connections / spent.Wall, spent, ("per CPU-second", connections / spent.ServerCpu)));
        if (Wanted.Contains("e"))
            MeasureIdle(rig, contender, round, before);
        if (!Wanted.Contains("c"))
            return;

        var window = broadcast.Measure(1, WarmUp, Time, stopped => stopped.Stop());
        board.Add(_crowded, contender, Measured.Of(window, round));
    }

    private void MeasureIdle(Rig rig, Contender contender, int round, long before)
    {
        var opened = rig.Server.ResidentBytes;
        var usage = Usage.Start(rig.Server);
        rig.Loop.RunFor(Idle);
        var spent = usage.Stop();
        var idle = rig.Server.ResidentBytes;
        board.Add(_memory, contender, new Measured(
            round,
            (idle - before) / 1024.0 / connections,
            spent,
            ("just opened", (opened - before) / 1024.0 / connections),
            ("MiB in all", idle / 1048576.0)));
        board.Add(_idleCpu, contender, new Measured(round, 100 * spent.ServerShare, spent));
    }
}
