using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using Tidings.Bench.Contenders;
using Tidings.Bench.Network;

namespace Tidings.Bench.Hosting;

/// <summary>
/// The server under measurement: a process of its own on a core of its own, with its own data directory, stopped by its own id.
/// The generator asks it only what a client may, and reads the rest from <c>/proc</c>.
/// </summary>
internal sealed class ServerProcess : IDisposable
{
    private static readonly TimeSpan StartLimit = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan StopLimit = TimeSpan.FromSeconds(15);

    private readonly Launch _launch;
    private readonly string _core;
    private readonly Lock _stopping = new();
    private Process _process;
    private int[] _processes;
    private bool _isStopped;

    private ServerProcess(Launch launch, string core, string directory, IPEndPoint endPoint)
    {
        _launch = launch;
        _core = core;
        Directory = directory;
        EndPoint = endPoint;
        _process = Spawn();
        _processes = [_process.Id];
        // Also after Ctrl+C or SIGTERM in the middle of a run.
        AppDomain.CurrentDomain.ProcessExit += (_, _) => Dispose();
    }

    internal IPEndPoint EndPoint { get; }

    internal int Pid => _process.Id;

    /// <summary>Made for this run and deleted with it; the server's data and its log are inside.</summary>
    internal string Directory { get; }

    /// <summary>User and system time of all threads, living and ended, worker processes included; the kernel counts it in hundredths of a second.</summary>
    internal TimeSpan CpuTime => TimeSpan.FromSeconds(_processes.Sum(Proc.CpuSeconds));

    internal long ResidentBytes => _processes.Sum(Proc.ResidentBytes);

    internal static ServerProcess Start(Contender contender, ServerSettings settings)
    {
        if (contender.Missing is { } missing)
            throw new BenchException($"{contender.Title} is not available: {missing}");

        var directory = System.IO.Directory.CreateDirectory(Path.Combine(settings.Scratch, $"tidings-bench-{Environment.ProcessId}-{contender.Name}")).FullName;
        var endPoint = FreePort();
        var server = new ServerProcess(contender.Launch(endPoint, directory), settings.Core, directory, endPoint);
        try
        {
            server.WaitUntilReady();
            server._processes = [server.Pid, .. Proc.Children(server.Pid)];
        }
        catch
        {
            server.Dispose();
            throw;
        }

        return server;
    }

    public void Dispose()
    {
        lock (_stopping)
        {
            if (_isStopped)
                return;
            _isStopped = true;
            if (!_process.HasExited)
            {
                _ = LibC.Kill(Pid, LibC.Terminate);
                if (!_process.WaitForExit(StopLimit))
                {
                    Console.Error.WriteLine($"The server did not stop within {StopLimit.TotalSeconds} s of SIGTERM and was killed.");
                    _process.Kill();
                    _process.WaitForExit();
                }
            }

            _process.Dispose();
            System.IO.Directory.Delete(Directory, recursive: true);
        }
    }

    /// <summary>Ends it as a crash would, and starts it again at once on the same port with the same data. Does not wait until it is ready.</summary>
    internal void CrashAndStartAgain()
    {
        _process.Kill();
        _process.WaitForExit();
        _process.Dispose();
        _process = Spawn();
        _processes = [_process.Id];
    }

    /// <summary>What the server wrote last, for a run that failed.</summary>
    internal string LastWords()
    {
        var log = Path.Combine(Directory, "server.log");
        if (!File.Exists(log))
            return "(no output)";
        // The reason of a failed start stands at the top, that of a later fault at the bottom.
        var lines = File.ReadAllLines(log);
        return string.Join('\n', lines.Length <= 40 ? lines : [.. lines[..12], "…", .. lines[^24..]]);
    }

    private Process Spawn()
    {
        // setpriv: should the generator be killed, the kernel ends the server too. Both tools end in exec, so the process keeps its id.
        var start = new ProcessStartInfo("setpriv") { UseShellExecute = false, WorkingDirectory = Directory, RedirectStandardInput = true };
        foreach (var argument in (string[])["--pdeathsig", "TERM", "taskset", "-c", _core, "/bin/sh", "-c", "exec \"$@\" >>server.log 2>&1", "sh", .. _launch.Command])
            start.ArgumentList.Add(argument);
        foreach (var (name, value) in _launch.Environment)
            start.Environment[name] = value;
        return Process.Start(start)!;
    }

    private void WaitUntilReady()
    {
        using var client = new HttpClient { Timeout = TimeSpan.FromSeconds(5) };
        var deadline = Clock.After(StartLimit);
        while (Stopwatch.GetTimestamp() < deadline)
        {
            if (_process.WaitForExit(100))
                throw new BenchException($"The server ended with {_process.ExitCode} while starting:\n{LastWords()}");
            try
            {
                using var request = new HttpRequestMessage(HttpMethod.Get, $"http://{EndPoint}{_launch.ReadyPath}");
                using var answer = client.Send(request);
                if (answer.IsSuccessStatusCode)
                    return;
            }
            catch (Exception error) when (error is HttpRequestException or TaskCanceledException)
            {
                // Not listening yet.
            }
        }

        throw new BenchException($"The server was not ready after {StartLimit.TotalSeconds} s:\n{LastWords()}");
    }

    private static IPEndPoint FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return (IPEndPoint)listener.LocalEndpoint;
    }
}
