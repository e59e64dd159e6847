using System.Diagnostics;
using System.Net.Sockets;
using System.Text;

namespace Tidings.Testing.Servers;

/// <summary>
/// A real Redis, or one of its Sentinels, in a process and a folder of its own on a loopback port. It keeps nothing on disk, and can be killed and
/// started again on the same port as often as a test likes.
/// </summary>
public sealed class RedisServer : IAsyncDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("tidings-redis-");
    private readonly string _configuration;
    private readonly string[] _arguments;
    private Process? _process;

    private RedisServer(string configuration, params string[] arguments)
    {
        Port = FreePort.Take();
        _configuration = configuration;
        _arguments = arguments;
    }

    /// <summary>Whether Redis is installed here. <c>./test.sh</c> installs it.</summary>
    public static bool IsInstalled => Find("redis-server") is not null && Find("redis-sentinel") is not null;

    public int Port { get; }

    /// <summary>As <c>Tidings:Redis</c> takes it.</summary>
    public string Address => $"127.0.0.1:{Port}";

    /// <summary>The number of its process.</summary>
    public int ProcessId => _process!.Id;

    /// <summary>Starts a server and waits until it answers.</summary>
    /// <param name="configuration">Lines of <c>redis.conf</c> beside the usual ones.</param>
    public static Task<RedisServer> StartAsync(params string[] configuration) =>
        StartAsync(new RedisServer(string.Join('\n', ["save \"\"", "appendonly no", "repl-diskless-sync-delay 0", .. configuration])));

    /// <summary>Starts a Sentinel that watches a master by the name <c>tidings</c>; two must agree that it is gone.</summary>
    public static Task<RedisServer> StartSentinelAsync(RedisServer master) => StartAsync(new RedisServer(
        $"""
        sentinel monitor tidings 127.0.0.1 {master.Port} 2
        sentinel down-after-milliseconds tidings 1000
        sentinel failover-timeout tidings 3000
        sentinel parallel-syncs tidings 1
        """,
        "--sentinel"));

    /// <summary>Starts it again on the same port, empty, and waits until it answers.</summary>
    public async Task StartAgainAsync()
    {
        var file = Path.Combine(_folder.FullName, "redis.conf");
        await File.WriteAllTextAsync(file, $"bind 127.0.0.1\nport {Port}\ndaemonize no\ndir {_folder.FullName}\n{_configuration}\n");
        _process?.Dispose();
        _process = new Process
        {
            StartInfo = new ProcessStartInfo(Find("redis-server") ?? throw new InvalidOperationException("redis-server is not installed."), [file, .. _arguments])
            {
                RedirectStandardOutput = true,
                RedirectStandardError = true,
            },
        };
        _process.Start();
        _process.BeginOutputReadLine();
        _process.BeginErrorReadLine();
        await Eventually.HoldsAsync(async () => (await TryAskAsync("PING")) is not null, $"Redis on port {Port} answers");
    }

    /// <summary>Sends a command on a connection of its own, as <c>redis-cli</c> would.</summary>
    /// <returns>The first bytes of the answer; null if nobody is there.</returns>
    public async Task<string?> TryAskAsync(string command)
    {
        using var client = new TcpClient();
        using var deadline = new CancellationTokenSource(TimeSpan.FromSeconds(2));
        try
        {
            await client.ConnectAsync("127.0.0.1", Port, deadline.Token);
            await client.GetStream().WriteAsync(Encoding.UTF8.GetBytes(command + "\r\n"), deadline.Token);
            var buffer = new byte[64 * 1024];
            var read = await client.GetStream().ReadAsync(buffer, deadline.Token);
            return read == 0 ? null : Encoding.UTF8.GetString(buffer, 0, read);
        }
        catch (Exception error) when (error is SocketException or IOException or OperationCanceledException)
        {
            return null;
        }
    }

    /// <summary>Ends it as a power cut would.</summary>
    public async Task KillAsync()
    {
        Signals.Send(ProcessId, Signals.Kill);
        await _process!.WaitForExitAsync();
    }

    /// <summary>Freezes it: connections stay, nothing answers.</summary>
    public void Pause() => Signals.Freeze(ProcessId);

    /// <summary>Lets it go on after <see cref="Pause"/>.</summary>
    public void Resume() => Signals.Send(ProcessId, Signals.Continue);

    public async ValueTask DisposeAsync()
    {
        if (_process is { HasExited: false }) await KillAsync();
        _process?.Dispose();
        _folder.Delete(recursive: true);
    }

    private static async Task<RedisServer> StartAsync(RedisServer server)
    {
        try
        {
            await server.StartAgainAsync();
            return server;
        }
        catch
        {
            await server.DisposeAsync();
            throw;
        }
    }

    private static string? Find(string program) =>
        (Environment.GetEnvironmentVariable("PATH") ?? "").Split(':').Select(folder => Path.Combine(folder, program)).FirstOrDefault(File.Exists);
}
