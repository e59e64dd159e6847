using System.Diagnostics;
using System.Globalization;
using System.Net.Sockets;

namespace Tidings.Testing.Servers;

/// <summary>
/// A real nginx with the shipped configuration, in a folder of its own and on free loopback ports, before the nodes that a test names.
/// Needs Debian's <c>nginx-light</c>, which <c>./test.sh</c> installs.
/// </summary>
public sealed class NginxServer : IAsyncDisposable
{
    /// <summary>Debian puts it where only root looks.</summary>
    private static readonly string Binary = File.Exists("/usr/sbin/nginx") ? "/usr/sbin/nginx" : "nginx";

    private readonly NginxConfiguration _configuration;
    private readonly ServerOutput _output = new();
    private readonly Process _process;

    private NginxServer(NginxConfiguration configuration)
    {
        _configuration = configuration;
        _process = Process.Start(Describe(configuration, "-g", "daemon off;"))!;
        _process.OutputDataReceived += (_, line) => _output.Add(line.Data);
        _process.ErrorDataReceived += (_, line) => _output.Add(line.Data);
        _process.BeginOutputReadLine();
        _process.BeginErrorReadLine();
    }

    /// <summary>Where clients come without TLS. A site with TLS redirects them.</summary>
    public Uri Address => new($"http://127.0.0.1:{_configuration.Port}");

    /// <summary>Where clients come with TLS, by a certificate that nobody vouches for, for <c>tidings.example</c>.</summary>
    public Uri TlsAddress => new($"https://127.0.0.1:{_configuration.TlsPort}");

    /// <summary>One line for each request that has ended.</summary>
    public string AccessLog => Path.Combine(_configuration.Logs, "tidings.log");

    /// <summary>Everything that it has written: all its logs and its console.</summary>
    public string AllLogs => string.Join('\n', Directory.GetFiles(_configuration.Logs).Select(ReadShared).Append(_output.Text));

    /// <summary>The number of its master process.</summary>
    public int ProcessId => _process.Id;

    /// <summary>Starts it and waits until it takes connections.</summary>
    public static async Task<NginxServer> StartAsync(NginxSettings settings)
    {
        var configuration = new NginxConfiguration(settings);
        NginxServer? nginx = null;
        try
        {
            nginx = new NginxServer(configuration);
            await Eventually.HoldsAsync(nginx.TakesConnectionsAsync, "nginx takes connections");
            return nginx;
        }
        catch (Exception exception)
        {
            if (nginx is null) configuration.Dispose();
            else await nginx.DisposeAsync();
            throw new InvalidOperationException($"nginx did not start (on Debian: apt-get install nginx-light):\n{nginx?._output}", exception);
        }
    }

    /// <summary>Lets nginx judge a configuration (<c>nginx -t</c>).</summary>
    /// <returns>Its exit code, and what it said.</returns>
    public static async Task<(int ExitCode, string Said)> CheckAsync(NginxConfiguration configuration)
    {
        using var process = Process.Start(Describe(configuration, "-t"))!;
        var output = process.StandardOutput.ReadToEndAsync();
        var errors = process.StandardError.ReadToEndAsync();
        await process.WaitForExitAsync();
        return (process.ExitCode, await output + await errors);
    }

    /// <summary>Sends new connections to other nodes, as an operator does: new files, then <c>nginx -s reload</c>. Those that are open stay where they are.</summary>
    public async Task ReloadAsync(IReadOnlyList<Uri> nodes)
    {
        var before = Workers();
        _configuration.Write(nodes);
        Signals.Send(ProcessId, Signals.Hangup);
        await Eventually.HoldsAsync(() => Workers().Except(before).Any(), $"nginx has new workers; it said:\n{AllLogs}");
    }

    /// <summary>Stops it and waits until it is gone. Open connections break.</summary>
    public async Task StopAsync()
    {
        Signals.Send(ProcessId, Signals.Terminate);
        using var deadline = new CancellationTokenSource(Eventually.Patience);
        await _process.WaitForExitAsync(deadline.Token);
    }

    /// <inheritdoc />
    public async ValueTask DisposeAsync()
    {
        try
        {
            if (!_process.HasExited) await StopAsync();
        }
        finally
        {
            if (!_process.HasExited) _process.Kill(entireProcessTree: true);
            _process.Dispose();
            _configuration.Dispose();
        }
    }

    private async Task<bool> TakesConnectionsAsync()
    {
        if (_process.HasExited) throw new InvalidOperationException($"nginx ended with {_process.ExitCode}: {AllLogs}");
        using var probe = new TcpClient();
        try
        {
            await probe.ConnectAsync(Address.Host, Address.Port);
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }

    private int[] Workers() =>
        [.. File.ReadAllText($"/proc/{ProcessId}/task/{ProcessId}/children").Split(' ', StringSplitOptions.RemoveEmptyEntries).Select(id => int.Parse(id, CultureInfo.InvariantCulture))];

    private static string ReadShared(string path)
    {
        using var reader = new StreamReader(new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete));
        return reader.ReadToEnd();
    }

    private static ProcessStartInfo Describe(NginxConfiguration configuration, params IEnumerable<string> arguments) =>
        new(Binary, ["-p", configuration.Folder, "-c", configuration.MainFile, "-e", Path.Combine(configuration.Logs, "start.log"), .. arguments])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
}
