using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;

namespace Tidings.Testing.Servers;

/// <summary>
/// A PostgreSQL cluster of the tests' own: a new folder, a free loopback port, started and ended by this process. The binaries are those
/// that the system has; since they refuse to run as root, they then run as the user that Debian's package makes.
/// </summary>
public sealed class PostgresServer : IAsyncDisposable
{
    private const string Unprivileged = "postgres";
    private const string Superuser = "tidings";

    private static readonly Lazy<Task<PostgresServer>> SharedServer = new(StartSharedAsync);
    private static int _databases;

    private readonly string _binaries;
    private readonly DirectoryInfo _folder;
    private readonly ConcurrentQueue<string> _output = [];
    private Process? _process;

    private PostgresServer(string binaries)
    {
        _binaries = binaries;
        _folder = Directory.CreateTempSubdirectory("tidings-postgres-");
        Port = FreePort.Take();
    }

    /// <summary>Why there is no PostgreSQL here; null if there is.</summary>
    public static string? Missing { get; } = FindBinaries() is null
        ? "PostgreSQL is not installed (on Debian: apt-get install postgresql), so its tests cannot run."
        : null;

    /// <summary>One cluster for all tests of this process that do not stop it. Give each its own database.</summary>
    public static Task<PostgresServer> SharedAsync() => SharedServer.Value;

    /// <summary>Ends the shared cluster, if there is one. To be called when all tests have run.</summary>
    public static async ValueTask EndSharedAsync()
    {
        if (SharedServer.IsValueCreated) await (await SharedServer.Value).DisposeAsync();
    }

    public int Port { get; }

    /// <summary>The number of the main process.</summary>
    public int ProcessId => int.Parse(File.ReadLines(Path.Combine(Data, "postmaster.pid")).First(), CultureInfo.InvariantCulture);

    private string Data => Path.Combine(_folder.FullName, "data");

    /// <summary>Starts a cluster of the caller's own, for tests that stop it.</summary>
    /// <param name="settings">Lines of <c>postgresql.conf</c>.</param>
    public static async Task<PostgresServer> StartAsync(params string[] settings)
    {
        var server = new PostgresServer(FindBinaries() ?? throw new InvalidOperationException(Missing));
        try
        {
            if (Environment.IsPrivilegedProcess) await RunAsync("chown", Unprivileged, server._folder.FullName);
            await server.RunOwnAsync(
                "initdb", "--pgdata", server.Data, "--username", Superuser, "--auth", "trust", "--encoding", "UTF8", "--locale", "C", "--no-sync", "--no-instructions");
            await File.AppendAllLinesAsync(
                Path.Combine(server.Data, "postgresql.conf"),
                [
                    "listen_addresses = '127.0.0.1'", FormattableString.Invariant($"port = {server.Port}"), $"unix_socket_directories = '{server._folder.FullName}'",
                    "max_connections = 200", "shared_buffers = 64MB", "log_min_messages = warning", .. settings,
                ]);
            await server.StartAgainAsync();
            return server;
        }
        catch
        {
            await server.DisposeAsync();
            throw;
        }
    }

    /// <summary>What a server of ours is to be told: <c>Tidings:Database</c>.</summary>
    public string ConnectionStringTo(string database) => $"Host=127.0.0.1;Port={Port};Database={database};Username={Superuser}";

    /// <summary>Makes an empty database.</summary>
    /// <returns>How to connect to it.</returns>
    public async Task<string> CreateDatabaseAsync()
    {
        var name = $"test_{Interlocked.Increment(ref _databases)}";
        await QueryAsync("postgres", $"CREATE DATABASE {name}");
        return ConnectionStringTo(name);
    }

    /// <summary>Runs a statement by <c>psql</c>.</summary>
    /// <returns>What it prints, unaligned.</returns>
    public Task<string> QueryAsync(string database, string sql) => RunOwnAsync(
        "psql", "--no-psqlrc", "--quiet", "--tuples-only", "--no-align", "--set", "ON_ERROR_STOP=1", "--host", "127.0.0.1",
        "--port", Port.ToString(CultureInfo.InvariantCulture), "--username", Superuser, "--dbname", database, "--command", sql);

    /// <summary>Starts it, for the first time or again, and waits until it takes connections.</summary>
    public async Task StartAgainAsync()
    {
        _process?.Dispose();
        _process = Start(AsUnprivileged(Path.Combine(_binaries, "postgres"), "-D", Data));
        _process.OutputDataReceived += (_, line) => Add(line.Data);
        _process.ErrorDataReceived += (_, line) => Add(line.Data);
        _process.BeginOutputReadLine();
        _process.BeginErrorReadLine();
        await Eventually.HoldsAsync(
            async () =>
            {
                if (_process.HasExited) throw new InvalidOperationException($"PostgreSQL ended: {string.Join('\n', _output)}");
                try
                {
                    return await QueryAsync("postgres", "SELECT 1") == "1";
                }
                catch (InvalidOperationException)
                {
                    return false;
                }
            },
            "PostgreSQL takes connections",
            TimeSpan.FromSeconds(60));
    }

    /// <summary>Ends it as a crash would: <c>pg_ctl stop -m immediate</c>.</summary>
    public async Task CrashAsync()
    {
        if (_process is null or { HasExited: true }) return;
        await RunOwnAsync("pg_ctl", "stop", "--pgdata", Data, "--mode", "immediate", "--wait");
        await _process.WaitForExitAsync();
    }

    /// <summary>Freezes it and all of its sessions: it takes connections and answers nothing.</summary>
    public void Pause() => Signal(Signals.Stop);

    /// <summary>Lets it go on after <see cref="Pause"/>.</summary>
    public void Resume() => Signal(Signals.Continue);

    /// <inheritdoc />
    public async ValueTask DisposeAsync()
    {
        if (_process is { HasExited: false })
        {
            Resume();
            await CrashAsync();
        }

        _process?.Dispose();
        _folder.Delete(recursive: true);
    }

    private static async Task<PostgresServer> StartSharedAsync()
    {
        var server = await StartAsync();
        AppDomain.CurrentDomain.ProcessExit += (_, _) => server.EndWithProcess();
        return server;
    }

    /// <summary>Ends it without waiting for its exit, of which this process hears nothing any more while it ends itself.</summary>
    private void EndWithProcess()
    {
        var pidFile = Path.Combine(Data, "postmaster.pid");
        if (File.Exists(pidFile)) Signals.Send(ProcessId, Signals.Quit);
        SpinWait.SpinUntil(() => !File.Exists(pidFile), TimeSpan.FromSeconds(5));
        try
        {
            _folder.Delete(recursive: true);
        }
        catch (IOException)
        {
            // One of its processes was still writing; the system clears the folder for temporary files.
        }
    }

    private void Signal(int signal)
    {
        var main = ProcessId;
        Signals.Send(main, signal);
        foreach (var folder in Directory.EnumerateDirectories("/proc"))
        {
            if (!int.TryParse(Path.GetFileName(folder), CultureInfo.InvariantCulture, out var id)) continue;
            try
            {
                // The fourth field is the parent; the second may have spaces and ends with a bracket.
                var status = File.ReadAllText(Path.Combine(folder, "stat"));
                if (int.Parse(status[(status.LastIndexOf(')') + 2)..].Split(' ')[1], CultureInfo.InvariantCulture) == main) Signals.Send(id, signal);
            }
            catch (Exception error) when (error is IOException or UnauthorizedAccessException)
            {
                // It has ended meanwhile.
            }
        }
    }

    private Task<string> RunOwnAsync(string program, params string[] arguments) => RunAsync(AsUnprivileged(Path.Combine(_binaries, program), arguments));

    private static string[] AsUnprivileged(string program, params string[] arguments) => Environment.IsPrivilegedProcess
        ? ["setpriv", $"--reuid={Unprivileged}", $"--regid={Unprivileged}", "--clear-groups", program, .. arguments]
        : [program, .. arguments];

    private static async Task<string> RunAsync(params string[] command)
    {
        using var process = Start(command);
        var errors = process.StandardError.ReadToEndAsync();
        var output = await process.StandardOutput.ReadToEndAsync();
        await process.WaitForExitAsync();
        return process.ExitCode == 0
            ? output.Trim()
            : throw new InvalidOperationException($"{string.Join(' ', command)} ended with {process.ExitCode}: {output}{await errors}");
    }

    private static Process Start(string[] command)
    {
        var start = new ProcessStartInfo(command[0], command[1..]) { RedirectStandardOutput = true, RedirectStandardError = true, WorkingDirectory = "/" };
        foreach (var name in start.Environment.Keys.Where(name => name.StartsWith("PG", StringComparison.Ordinal)).ToList()) start.Environment.Remove(name);
        return Process.Start(start)!;
    }

    private void Add(string? line)
    {
        if (line is null) return;
        _output.Enqueue(line);
        while (_output.Count > 200) _output.TryDequeue(out _);
    }

    /// <summary>Debian keeps them in a folder per version; elsewhere they are where the others are.</summary>
    private static string? FindBinaries()
    {
        var ofDebian = Directory.Exists("/usr/lib/postgresql")
            ? Directory.GetDirectories("/usr/lib/postgresql").OrderByDescending(folder => int.TryParse(Path.GetFileName(folder), CultureInfo.InvariantCulture, out var version) ? version : 0)
                .Select(folder => Path.Combine(folder, "bin"))
            : [];
        return ofDebian.Concat((Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator))
            .FirstOrDefault(folder => File.Exists(Path.Combine(folder, "initdb")) && File.Exists(Path.Combine(folder, "postgres")));
    }
}
