using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using System.Net.Sockets;
using System.Security.Cryptography;
using Tidings.Testing.Checks;

namespace Tidings.Testing.Servers;

/// <summary>
/// A real server in a process of its own, on a loopback port and a data directory of its own. It can be killed and started again on the
/// same port and data, as often as a test likes.
/// </summary>
public sealed class ServerProcess : IAsyncDisposable
{
    private static readonly HttpClient Probe = new(new SocketsHttpHandler { UseProxy = false }) { Timeout = TimeSpan.FromSeconds(5) };

    private readonly ServerSettings _settings;
    private readonly DirectoryInfo _folder;
    private readonly string _authSecret = RandomNumberGenerator.GetHexString(48);
    private readonly string _appSecret = RandomNumberGenerator.GetHexString(48);
    private Process? _process;

    private ServerProcess(ServerSettings settings)
    {
        _settings = settings;
        _folder = Directory.CreateTempSubdirectory("tidings-test-");
        DataDirectory = settings.DataDirectory ?? Path.Combine(_folder.FullName, "data");
        CanaryWatch.Shared.Trust(AppSecret);
        Port = FreePort.Take();
        Address = new Uri($"http://127.0.0.1:{Port}");
    }

    public int Port { get; }

    public Uri Address { get; }

    public string DataDirectory { get; }

    /// <summary>The file that all is in.</summary>
    public string DatabaseFile => Path.Combine(DataDirectory, "tidings.db");

    /// <summary>The HS256 key of user tokens, so that tests can be any user's host app.</summary>
    public string AuthSecret => _settings.Settings.TryGetValue("Auth:Secret", out var shared) ? shared : _authSecret;

    /// <summary>The secret of backends.</summary>
    public string AppSecret => _settings.Settings.TryGetValue("App:Secret", out var shared) ? shared : _appSecret;

    /// <summary>What it wrote to its console, all lives together.</summary>
    public ServerOutput Output { get; } = new();

    /// <summary>Variables for the next start, beside those of the settings.</summary>
    public IDictionary<string, string> NextVariables { get; } = new Dictionary<string, string>();

    public bool IsRunning => _process is { HasExited: false };

    /// <summary>The number of the server's process. A launcher must become the server (<c>exec</c>), not its parent.</summary>
    public int ProcessId => Started.Id;

    /// <summary>What Linux knows about the process now.</summary>
    public ProcessStatus Status => ProcessStatus.Of(ProcessId);

    private Process Started => _process ?? throw new InvalidOperationException("The server was not started.");

    /// <summary>Starts a server and waits until it is ready.</summary>
    public static async Task<ServerProcess> StartAsync(ServerSettings? settings = null)
    {
        var server = Create(settings);
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

    /// <summary>Prepares a server without starting it.</summary>
    public static ServerProcess Create(ServerSettings? settings = null) => new(settings ?? new ServerSettings());

    /// <summary>Starts it, for the first time or again, and waits until it is ready.</summary>
    public async Task StartAgainAsync()
    {
        Launch();
        await Eventually.HoldsAsync(
            async () => !IsRunning ? throw new ServerDidNotStartException(Started.ExitCode, Output.Text) : await IsReadyAsync(),
            $"the server on port {Port} is ready; it said:\n{Output}",
            _settings.ReadyWithin);
    }

    /// <summary>Starts it and does not wait.</summary>
    public void Launch()
    {
        if (IsRunning) throw new InvalidOperationException("The server runs already.");
        _process?.Dispose();
        _process = new Process { StartInfo = Describe() };
        _process.OutputDataReceived += (_, line) => Output.Add(line.Data);
        _process.ErrorDataReceived += (_, line) => Output.Add(line.Data);
        _process.Start();
        _process.BeginOutputReadLine();
        _process.BeginErrorReadLine();
    }

    /// <summary>Whether it answers and says that it is ready.</summary>
    public async Task<bool> IsReadyAsync()
    {
        try
        {
            using var answer = await Probe.GetAsync(new Uri(Address, "/health/ready"));
            return answer.StatusCode == HttpStatusCode.OK;
        }
        catch (Exception error) when (error is HttpRequestException or SocketException or OperationCanceledException)
        {
            return false;
        }
    }

    /// <summary>A figure of <c>/metrics</c>: the sum of its series whose line has a text in it; 0 if there are none.</summary>
    public async Task<double> GetMetricAsync(string name, string having = "")
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, new Uri(Address, "/metrics"));
        request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", AppSecret);
        using var answer = await Probe.SendAsync(request);
        answer.EnsureSuccessStatusCode();
        return (await answer.Content.ReadAsStringAsync()).Split('\n')
            .Where(line => line.Split('{', ' ')[0] == name && line.Contains(having, StringComparison.Ordinal))
            .Sum(line => double.Parse(line.Split(' ')[^1], CultureInfo.InvariantCulture));
    }

    /// <summary>Ends it as a power cut would, and waits until it is gone.</summary>
    public async Task KillAsync()
    {
        Signals.Send(ProcessId, Signals.Kill);
        await WaitForExitAsync();
    }

    /// <summary>Freezes it, as a long collection of garbage or a sleeping host would.</summary>
    public void Pause() => Signals.Freeze(ProcessId);

    /// <summary>Lets it go on after <see cref="Pause"/>.</summary>
    public void Resume() => Signals.Send(ProcessId, Signals.Continue);

    /// <summary>Asks it to end, and waits until it is gone.</summary>
    /// <returns>Its exit code.</returns>
    public async Task<int> StopAsync()
    {
        Signals.Send(ProcessId, Signals.Terminate);
        return await WaitForExitAsync();
    }

    /// <summary>Waits until it has ended by itself.</summary>
    /// <returns>Its exit code.</returns>
    public async Task<int> WaitForExitAsync(TimeSpan? within = null)
    {
        using var deadline = new CancellationTokenSource(within ?? TimeSpan.FromSeconds(30));
        try
        {
            await Started.WaitForExitAsync(deadline.Token);
        }
        catch (OperationCanceledException)
        {
            throw new TimeoutException($"The server did not end in time; it said:\n{Output}");
        }

        return Started.ExitCode;
    }

    /// <inheritdoc />
    public async ValueTask DisposeAsync()
    {
        if (IsRunning) await KillAsync();
        _process?.Dispose();
        _folder.Delete(recursive: true);
    }

    /// <summary>Runs one of the binary's commands with this server's configuration, as its operator would beside it.</summary>
    public async Task<(int ExitCode, string Output)> RunCommandAsync(params string[] arguments)
    {
        using var process = Process.Start(Describe(arguments)) ?? throw new InvalidOperationException("The command did not start.");
        var (output, errors) = (process.StandardOutput.ReadToEndAsync(), process.StandardError.ReadToEndAsync());
        await process.WaitForExitAsync();
        return (process.ExitCode, await output + await errors);
    }

    private ProcessStartInfo Describe(params string[] arguments)
    {
        string[] command = [.. _settings.Launcher, "dotnet", Repository.ServerBinary, .. arguments];
        var start = new ProcessStartInfo(command[0], command[1..])
        {
            WorkingDirectory = _folder.FullName,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            RedirectStandardInput = true,
        };

        foreach (var name in start.Environment.Keys.Where(IsForServers).ToList()) start.Environment.Remove(name);
        start.Environment["ASPNETCORE_URLS"] = Address.GetLeftPart(UriPartial.Authority);
        start.Environment["ASPNETCORE_ENVIRONMENT"] = "Production";
        start.Environment["DOTNET_DbgEnableMiniDump"] = "0";
        Set(start, "DataDirectory", DataDirectory);
        Set(start, "Auth:Secret", AuthSecret);
        Set(start, "App:Secret", AppSecret);
        if (!_settings.HasLimits) foreach (var (key, value) in ServerSettings.NoLimits) Set(start, key, value);
        foreach (var (key, value) in _settings.Settings) Set(start, key, value);
        foreach (var (name, value) in _settings.Variables) start.Environment[name] = value;
        foreach (var (name, value) in NextVariables) start.Environment[name] = value;
        NextVariables.Clear();
        return start;
    }

    private static void Set(ProcessStartInfo start, string key, string value) =>
        start.Environment["Tidings__" + key.Replace(":", "__", StringComparison.Ordinal)] = value;

    /// <summary>What the machine happens to have set must not decide a test.</summary>
    private static bool IsForServers(string name) =>
        name.StartsWith("Tidings__", StringComparison.OrdinalIgnoreCase) || name.StartsWith("ASPNETCORE_", StringComparison.OrdinalIgnoreCase)
        || name is "URLS" or "DOTNET_ENVIRONMENT" or "TIDINGS_CRASH_AT";
}
