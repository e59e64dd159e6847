using Tidings.Bench.Contenders;
using Tidings.Bench.Hosting;
using Tidings.Bench.Network;
using Tidings.Bench.Results;

namespace Tidings.Bench.Peers;

/// <summary>The verb <c>peers</c>: Tidings and other servers, each on the same core of the same machine, in one run.</summary>
internal sealed class SideBySide
{
    private readonly Scoreboard _board = new();
    private readonly ServerSettings _settings;
    private readonly IReadOnlyList<Contender> _contenders;
    private readonly IReadOnlyList<string> _figures;
    private readonly int _rounds;
    private readonly int _crowdRounds;
    private readonly TimeSpan _time;
    private readonly TimeSpan _warmUp;
    private readonly TimeSpan _idle;
    private readonly int _subscribers;
    private readonly int _bytes;
    private readonly int _crowd;
    private readonly int _crowdBytes;
    private readonly string _picture;

    internal SideBySide(Options options)
    {
        _settings = new ServerSettings(options);
        var known = Known(_settings);
        _figures = options.Names("figures", ["a", "b", "c", "d", "e", "f", "g"]);
        var usual = known.Where(contender => contender is { Figure: null } and not CountedFloor).Select(contender => contender.Name);
        var only = options.Names("only", [.. known.Select(contender => contender.Name)], [.. usual]);
        _contenders = [.. known.Where(contender => only.Contains(contender.Name) || (contender.Figure is { } figure && _figures.Contains(figure)))];
        _rounds = options.Number("rounds", 5, 1, 100);
        _crowdRounds = options.Number("crowd-rounds", 3, 1, 100);
        _time = options.Seconds("seconds", 3, 1, 60);
        _warmUp = options.Seconds("warmup", 20, 0, 60);
        _idle = options.Seconds("idle", 30, 1, 300);
        _subscribers = options.Number("subscribers", 1000, 1, 2000);
        _bytes = options.Number("bytes", 1024, 16, 32_768);
        _crowd = options.Number("crowd", 15_000, 1, 25_000);
        _crowdBytes = options.Number("crowd-bytes", 200, 16, 32_768);
        _picture = Path.GetFullPath(options.Text("picture") ?? ResultFile.PathOf("peers.svg"));
        options.RefuseUnknown();
    }

    internal void Run()
    {
        var (wide, narrow) = (Figure.Wide(_subscribers, _bytes), Figure.Narrow(_subscribers, _bytes));
        var broadcasts = new List<(Figure Figure, int InFlight)>();
        if (_figures.Intersect(["a", "d", "g"]).Any())
            broadcasts.Add((wide, 8));
        if (_figures.Contains("b"))
            broadcasts.Add((narrow, 1));
        if (broadcasts.Count > 0)
        {
            Console.WriteLine($"peers: servers on core {_settings.Core}, {_subscribers:N0} subscribers, {_bytes:N0} bytes, {_rounds} rounds of {_time.TotalSeconds} s");
            new BroadcastStage(_board, _settings, _subscribers, _bytes).Run(_contenders, broadcasts, _rounds, _warmUp, _time);
        }

        var crowd = _contenders.Where(contender => contender.Figure is null).ToList();
        var crowdStage = new CrowdStage(_board, _settings, _crowd, _crowdBytes) { Wanted = _figures, Idle = _idle, WarmUp = _warmUp, Time = _time };
        if (_figures.Intersect(["c", "e", "f"]).Any())
        {
            Console.WriteLine($"peers: servers on core {_settings.Core}, {_crowd:N0} connections, {_crowdBytes:N0} bytes, {_crowdRounds} rounds");
            crowdStage.Run(crowd, _crowdRounds);
        }

        Publish([.. broadcasts.Select(broadcast => (broadcast.Figure, _contenders)), .. crowdStage.Figures.Select(figure => (figure, (IReadOnlyList<Contender>)crowd))]);
    }

    private void Publish(IReadOnlyList<(Figure Figure, IReadOnlyList<Contender> Contenders)> tables)
    {
        var chart = new BarChart(
            "Tidings beside other servers",
            "Each on one core, the load generator on another, same machine, same run. " +
            $"Measured on {TimeProvider.System.GetUtcNow():yyyy-MM-dd} at commit {Environment.GetEnvironmentVariable("BENCH_COMMIT")} by bench/run.sh peers.");
        foreach (var (figure, contenders) in tables)
        {
            _board.Publish(figure, contenders);
            if (_board.Draw(figure, contenders) is { } panel)
                chart.Add(panel);
        }

        File.WriteAllText(_picture, chart.Draw());
        Console.WriteLine($"\nThe picture is {_picture}");
    }

    private static List<Contender> Known(ServerSettings settings) =>
    [
        new TidingsServer(settings),
        new TidingsFeeds(settings),
        new TidingsSocketIo(settings),
        new TidingsPusher(settings),
        new Floor(),
        new CountedFloor(),
        new NodePeer("uws", "uWebSockets", "node/uws.cjs", "node_modules/@trufflesuite/uws-js-unofficial", () => new PlainDialect()),
        new Nchan(),
        new NodePeer("ws", "ws", "node/ws.cjs", "node_modules/ws", () => new PlainDialect()),
        new NodePeer("socketio", "Socket.IO", "node/socketio.cjs", "node_modules/socket.io", () => new SocketIoDialect()),
        new NodePeer("soketi", "Soketi", "soketi/server.cjs", "soketi/node_modules/@soketi/soketi", () => new PusherDialect(ServerSettings.AppKey, "fanout"), "/ready", "g"),
        new SignalRPeer(),
    ];
}
