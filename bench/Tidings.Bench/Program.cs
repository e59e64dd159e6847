using System.Runtime.InteropServices;
using Tidings.Bench;
using Tidings.Bench.Contenders;
using Tidings.Bench.Hosting;
using Tidings.Bench.Measurements;
using Tidings.Bench.Network;
using Tidings.Bench.Peers;

const string HowTo = """
    usage: bench/run.sh peers | latency | posts | likes | crowd | schedule | connections | fanout | stalled | storm | all [--name value …]
    bench/README.md says what each measures, and its options.
    """;

var verbs = new Dictionary<string, Func<Options, Contender, IMeasurement>>
{
    ["latency"] = (options, _) => new Latency(options),
    ["posts"] = (options, _) => new Posts(options),
    ["likes"] = (options, _) => new Likes(options),
    ["crowd"] = (options, _) => new Crowd(options),
    ["schedule"] = (options, _) => new Schedule(options),
    ["connections"] = (options, _) => new Connections(options),
    ["fanout"] = (options, tidings) => new Fanout(options, tidings),
    ["storm"] = (options, _) => new Storm(options),
    ["stalled"] = (options, tidings) => new Stalled(options, tidings),
};

if (args.Length == 0 || (args[0] is not ("all" or "peers") && !verbs.ContainsKey(args[0])))
{
    Console.Error.WriteLine(HowTo);
    return 2;
}

// The runtime itself leaves without a word on these; exiting lets the server be stopped and its data be deleted.
using var interrupted = PosixSignalRegistration.Create(PosixSignal.SIGINT, Leave);
using var terminated = PosixSignalRegistration.Create(PosixSignal.SIGTERM, Leave);

try
{
    if (!OperatingSystem.IsLinux())
        throw new BenchException("The generator uses epoll and /proc, and so runs on Linux only.");
    var cores = File.ReadLines("/proc/self/status").First(line => line.StartsWith("Cpus_allowed_list:", StringComparison.Ordinal)).Split('\t')[1];
    if (!int.TryParse(cores, out _))
        Console.Error.WriteLine($"The generator is not pinned to one core (it may use {cores}); bench/run.sh pins it.");

    if (args[0] == "peers")
    {
        new SideBySide(new Options(args.AsSpan(1))).Run();
        return 0;
    }

    foreach (var verb in args[0] == "all" ? verbs.Keys.ToArray() : [args[0]])
        Run(verbs[verb], new Options(args.AsSpan(1)));
    return 0;
}
catch (BenchException error)
{
    Console.Error.WriteLine($"The run could not be made. {error.Message}");
    return 1;
}

static void Leave(PosixSignalContext signal)
{
    signal.Cancel = true;
    Environment.Exit(130);
}

static void Run(Func<Options, Contender, IMeasurement> create, Options options)
{
    var settings = new ServerSettings(options);
    var tidings = new TidingsServer(settings);
    var measurement = create(options, tidings);
    options.RefuseUnknown();

    using var server = ServerProcess.Start(tidings, settings);
    using var loop = new EventLoop();
    Console.WriteLine($"server {server.Pid} on core {settings.Core}, {server.EndPoint}, data under {settings.Scratch}");
    try
    {
        measurement.Run(new Rig(loop, server));
    }
    catch (BenchException error)
    {
        throw new BenchException($"{error.Message}\nThe server's last words:\n{server.LastWords()}");
    }
}
