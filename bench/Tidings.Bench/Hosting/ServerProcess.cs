using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
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

    private readonly Process _process;
    private readonly Lock _stopping = new();
    private bool _isStopped;

    private ServerProcess(Process process, string directory, IPEndPoint endPoint)
    {
        _process = process;
        Directory = directory;
        EndPoint = endPoint;
        Pid = process.Id;
        // Also after Ctrl+C or SIGTERM in the middle of a run.
        AppDomain.CurrentDomain.ProcessExit += (_, _) => Dispose();
    }

    internal IPEndPoint EndPoint { get; }

    internal int Pid { get; }

    /// <summary>Made for this run and deleted with it; the server's data and its log are inside.</summary>
    internal string Directory { get; }

    /// <summary>User and system time of all threads, living and ended; the kernel counts it in hundredths of a second.</summary>
    internal TimeSpan CpuTime
    {
        get
        {
            var stat = File.ReadAllText($"/proc/{Pid}/stat");
            var fields = stat[(stat.LastIndexOf(')') + 2)..].Split(' ');
            var ticks = long.Parse(fields[11], CultureInfo.InvariantCulture) + long.Parse(fields[12], CultureInfo.InvariantCulture);
            return TimeSpan.FromSeconds(ticks / 100.0);
        }
    }

    internal long ResidentBytes =>
        long.Parse(
            File.ReadLines($"/proc/{Pid}/status").First(line => line.StartsWith("VmRSS:", StringComparison.Ordinal))
                .Split(' ', StringSplitOptions.RemoveEmptyEntries)[1],
            CultureInfo.InvariantCulture) * 1024;

    internal static ServerProcess Start(ServerSettings settings)
    {
        if (!File.Exists(settings.Assembly))
            throw new BenchException($"There is no server at {settings.Assembly}; bench/run.sh builds it, or name one by --server.");

        var directory = System.IO.Directory.CreateDirectory(Path.Combine(settings.Scratch, $"tidings-bench-{Environment.ProcessId}")).FullName;
        var endPoint = FreePort();
        // setpriv: should the generator be killed, the kernel ends the server too. Both tools end in exec, so the process keeps its id.
        var start = new ProcessStartInfo("setpriv") { UseShellExecute = false, WorkingDirectory = directory, RedirectStandardInput = true };
        foreach (var argument in new[] { "--pdeathsig", "TERM", "taskset", "-c", settings.Core, "/bin/sh", "-c", "exec dotnet \"$0\" >server.log 2>&1", settings.Assembly })
            start.ArgumentList.Add(argument);
        foreach (var (name, value) in ServerSettings.Variables(endPoint, Path.Combine(directory, "data")))
            start.Environment[name] = value;

        var server = new ServerProcess(Process.Start(start)!, directory, endPoint);
        try
        {
            server.WaitUntilReady();
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
                using var request = new HttpRequestMessage(HttpMethod.Get, $"http://{EndPoint}/health/ready");
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
