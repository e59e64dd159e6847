using Tidings.Bench.Contenders;
using Tidings.Bench.Hosting;
using Tidings.Bench.Network;

namespace Tidings.Bench.Peers;

/// <summary>The verb <c>peers</c>: Tidings and other servers, each on the same core of the same machine, in one run.</summary>
internal static class SideBySide
{
    private static readonly Figure Wide = new(
        "a",
        "one channel, 8 events in flight",
        "deliveries per CPU-second",
        new("tidings", "uws", 1.3), new("tidings", "socketio", 5), new("tidings", "signalr", 5), new("tidings-feeds", "uws", 0.8));

    private static readonly Figure Narrow = new(
        "b",
        "one channel, 1 event in flight",
        "deliveries per CPU-second",
        new("tidings", "uws", 0.8), new("tidings", "ws", 1.3), new("tidings", "signalr", 3));

    internal static void Run(Options options)
    {
        var settings = new ServerSettings(options);
        var known = All(settings);
        var only = options.Names("only", [.. known.Select(contender => contender.Name).Except(["tidings-feeds"])]);
        var figures = options.Names("figures", ["a", "b", "d"]);
        var rounds = options.Number("rounds", 5, 1, 100);
        var time = options.Seconds("seconds", 3, 1, 60);
        var warmUp = options.Seconds("warmup", 6, 0, 60);
        var subscribers = options.Number("subscribers", 1000, 1, 2000);
        var bytes = options.Number("bytes", 1024, 16, 32_768);
        options.RefuseUnknown();

        var board = new Scoreboard();
        var contenders = known.Where(contender => only.Contains(contender.Name)).ToList();
        var small = new List<(Figure, int)>();
        if (figures.Contains("a"))
            small.Add((Wide, 8));
        if (figures.Contains("b"))
            small.Add((Narrow, 1));
        if (figures.Contains("d"))
            contenders.Insert(1, known.First(contender => contender is TidingsFeeds));
        Console.WriteLine($"peers: servers on core {settings.Core}, {subscribers:N0} subscribers, {bytes:N0} bytes, {rounds} rounds of {time.TotalSeconds} s");
        new BroadcastStage(board, settings, subscribers, bytes).Run(contenders, small, rounds, warmUp, time);
        foreach (var (figure, _) in small)
            board.Publish(figure, contenders);
    }

    private static List<Contender> All(ServerSettings settings) =>
    [
        new TidingsServer(settings),
        new TidingsFeeds(settings),
        new Floor(),
        new NodePeer("uws", "uWebSockets", "@trufflesuite/uws-js-unofficial", () => new PlainDialect()),
        new Nchan(),
        new NodePeer("ws", "ws", "ws", () => new PlainDialect()),
        new NodePeer("socketio", "Socket.IO", "socket.io", () => new SocketIoDialect()),
        new SignalRPeer(),
    ];
}
