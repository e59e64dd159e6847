using Tidings.Bench.Hosting;
using Tidings.Bench.Measurements;

namespace Tidings.Bench.Peers;

/// <summary>What one window on one server gave.</summary>
/// <param name="Round">Windows of the same round are close to each other in time.</param>
/// <param name="Value">In the figure's unit.</param>
/// <param name="Spent">Who used the machine.</param>
/// <param name="Details">Further columns of the table.</param>
internal sealed record Measured(int Round, double Value, Usage.Spent Spent, params IReadOnlyList<(string Name, double Value)> Details)
{
    internal static Measured Of(Broadcast.Window window, int round) =>
        new(round, window.PerCpuSecond, window.Spent, ("deliveries/s", window.Deliveries / window.Spent.Wall), ("bytes an event", window.BytesPerEvent));
}
