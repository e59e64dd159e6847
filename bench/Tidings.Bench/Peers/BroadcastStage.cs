using Tidings.Bench.Contenders;
using Tidings.Bench.Hosting;
using Tidings.Bench.Measurements;
using Tidings.Bench.Network;

namespace Tidings.Bench.Peers;

/// <summary>
/// Figures of one channel with few enough subscribers that all servers can hold theirs at once: all are started and connected, and then they take
/// turns in short windows. A server whose turn it is not costs next to nothing, and what disturbs the machine disturbs all of them.
/// </summary>
internal sealed class BroadcastStage(Scoreboard board, ServerSettings settings, int subscribers, int bytes)
{
    private static readonly TimeSpan OpenLimit = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan GettingUnderWay = TimeSpan.FromMilliseconds(500);

    private readonly List<Entry> _entries = [];

    /// <param name="contenders">Who takes part, and in which of the figures.</param>
    /// <param name="figures">With the number of events in flight.</param>
    /// <param name="rounds">Windows for each server and figure.</param>
    /// <param name="warmUp">For each server, once: a server that compiles its hot code while it runs must not be measured doing so.</param>
    /// <param name="time">The length of a window.</param>
    internal void Run(IReadOnlyList<Contender> contenders, IReadOnlyList<(Figure Figure, int InFlight)> figures, int rounds, TimeSpan warmUp, TimeSpan time)
    {
        using var loop = new EventLoop();
        try
        {
            foreach (var contender in contenders)
                Start(loop, contender);
            foreach (var entry in _entries.ToList())
                Try(entry, () => entry.Broadcast.Measure(figures[0].InFlight, warmUp, TimeSpan.Zero, usage => usage.Stop()));
            for (var round = 0; round < rounds; round++)
            {
                foreach (var (figure, inFlight) in figures)
                {
                    foreach (var entry in _entries.ToList())
                        Try(entry, () => Measure(entry, figure, inFlight, round, time));
                }
            }
        }
        finally
        {
            _entries.ForEach(entry => entry.Dispose());
        }
    }

    private void Start(EventLoop loop, Contender contender)
    {
        ServerProcess? server = null;
        try
        {
            server = ServerProcess.Start(contender, settings);
            var rig = new Rig(loop, server);
            contender.Prepare(rig, subscribers);
            _entries.Add(new Entry(contender, server, new Broadcast(rig, contender, subscribers, bytes, OpenLimit)));
            Console.WriteLine($"  {contender.Title}: process {server.Pid}, {subscribers:N0} subscribers");
        }
        catch (BenchException error)
        {
            board.Fail(contender, error.Message);
            server?.Dispose();
        }
    }

    private void Measure(Entry entry, Figure figure, int inFlight, int round, TimeSpan time)
    {
        var window = entry.Broadcast.Measure(inFlight, GettingUnderWay, time, usage => usage.Stop());
        board.Add(figure, entry.Contender, Measured.Of(window, round));
    }

    /// <summary>A fault takes out the server whose connection it was, which need not be the one whose turn it is; the others go on.</summary>
    private void Try(Entry entry, Action measure)
    {
        try
        {
            if (_entries.Contains(entry))
                measure();
        }
        catch (BenchException error)
        {
            var culprit = _entries.Find(other => other.Server.EndPoint.Equals(error.Server)) ?? entry;
            board.Fail(culprit.Contender, error.Message);
            _entries.Remove(culprit);
            culprit.Dispose();
        }
    }

    private sealed record Entry(Contender Contender, ServerProcess Server, Broadcast Broadcast) : IDisposable
    {
        public void Dispose()
        {
            Broadcast.Dispose();
            Server.Dispose();
        }
    }
}
