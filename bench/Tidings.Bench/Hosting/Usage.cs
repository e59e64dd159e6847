using System.Diagnostics;
using Tidings.Bench.Network;
using Tidings.Bench.Results;

namespace Tidings.Bench.Hosting;

/// <summary>
/// Who used the machine between two moments. A figure is only as good as the quiet around it, so each table says how much of the cores
/// went to processes that were not part of the run, and how busy the generator was.
/// </summary>
internal sealed class Usage
{
    /// <summary>A generator that used more of its core than this may have been what limited the run.</summary>
    internal const double GeneratorLimit = 0.9;

    private readonly ServerProcess _process;
    private readonly long _startedAt = Stopwatch.GetTimestamp();
    private readonly TimeSpan _server;
    private readonly EventLoop? _polling;
    private readonly TimeSpan _generator;
    private readonly long _worked;
    private readonly (double Busy, double Stolen) _machine;

    private Usage(ServerProcess server, EventLoop? polling)
    {
        _process = server;
        _polling = polling;
        _worked = polling?.Worked ?? 0;
        _server = server.CpuTime;
        _generator = Environment.CpuUsage.TotalTime;
        _machine = Machine.Seconds();
    }

    /// <param name="server">Whose CPU it is about.</param>
    /// <param name="polling">The generator's loop while it polls: then only its work counts as the generator's.</param>
    internal static Usage Start(ServerProcess server, EventLoop? polling = null) => new(server, polling);

    /// <summary>Ends the window.</summary>
    internal Spent Stop()
    {
        var wall = Stopwatch.GetElapsedTime(_startedAt).TotalSeconds;
        var server = (_process.CpuTime - _server).TotalSeconds;
        var generator = (Environment.CpuUsage.TotalTime - _generator).TotalSeconds;
        var (busy, stolen) = Machine.Seconds();
        var others = Math.Max(0, busy - _machine.Busy - server - generator);
        var working = _polling is null ? generator : (_polling.Worked - _worked) / (double)Stopwatch.Frequency;
        return new Spent(wall, server, working / wall, others / wall / Machine.Cores, (stolen - _machine.Stolen) / wall / Machine.Cores);
    }

    /// <summary>Ends the window and writes its rows.</summary>
    internal Spent Stop(Report report)
    {
        var spent = Stop();
        report.Add("server CPU", spent.ServerCpu, "s", $"{100 * spent.ServerShare:F0} % of its core");
        report.Add("generator CPU share", 100 * spent.Generator, "%", spent.Generator > GeneratorLimit ? "the generator may have been the limit" : "not the limit");
        report.Add("others' CPU share", 100 * spent.Others, "%", $"of {Machine.Cores} cores, not part of this run");
        report.Add("stolen by the host", 100 * spent.Stolen, "%");
        return spent;
    }

    /// <summary>Seconds on the clock and of the server's CPU; the generator's share of its core, and others' and the host's share of all cores.</summary>
    internal readonly record struct Spent(double Wall, double ServerCpu, double Generator, double Others, double Stolen)
    {
        internal double ServerShare => ServerCpu / Wall;
    }
}
