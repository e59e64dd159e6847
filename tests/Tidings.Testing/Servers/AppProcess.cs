using System.Diagnostics;
using System.Net;
using System.Text;

namespace Tidings.Testing.Servers;

/// <summary>An app in a process of its own, on a free loopback port.</summary>
public sealed class AppProcess : IAsyncDisposable
{
    private readonly Process _process;
    private readonly StringBuilder _output = new();

    private AppProcess(string binary, string folder)
    {
        Address = new Uri($"http://127.0.0.1:{FreePort.Take()}");
        var start = new ProcessStartInfo("dotnet", [binary, "--urls", Address.GetLeftPart(UriPartial.Authority)])
        {
            WorkingDirectory = folder,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        _process = Process.Start(start)!;
        _process.OutputDataReceived += (_, line) => Add(line.Data);
        _process.ErrorDataReceived += (_, line) => Add(line.Data);
        _process.BeginOutputReadLine();
        _process.BeginErrorReadLine();
        Http = new HttpClient(new SocketsHttpHandler { UseProxy = false, CookieContainer = new CookieContainer() }) { BaseAddress = Address };
    }

    public Uri Address { get; }

    /// <summary>A client that keeps cookies.</summary>
    public HttpClient Http { get; }

    /// <summary>Starts the chat of <c>samples/</c>, as it was built beside the tests.</summary>
    public static Task<AppProcess> StartChatAsync()
    {
        var folder = Path.Combine(Repository.Root, "samples", "Chat");
        return StartAsync(Path.Combine(folder, "bin", Repository.Configuration, "net10.0", "Chat.dll"), folder);
    }

    /// <summary>Starts an app and waits until it answers.</summary>
    public static async Task<AppProcess> StartAsync(string binary, string folder)
    {
        var app = new AppProcess(binary, folder);
        try
        {
            await Eventually.HoldsAsync(app.AnswersAsync, "an answer of the app");
            return app;
        }
        catch (Exception exception)
        {
            var output = app.Output;
            await app.DisposeAsync();
            throw new InvalidOperationException($"{binary} did not start:\n{output}", exception);
        }
    }

    /// <summary>Asks it to stop, as a service manager does.</summary>
    /// <returns>Its exit code.</returns>
    public async Task<int> StopAsync()
    {
        Signals.Send(_process.Id, Signals.Terminate);
        using var deadline = new CancellationTokenSource(Eventually.Patience);
        await _process.WaitForExitAsync(deadline.Token);
        return _process.ExitCode;
    }

    public async ValueTask DisposeAsync()
    {
        Http.Dispose();
        if (!_process.HasExited) _process.Kill(entireProcessTree: true);
        await _process.WaitForExitAsync();
        _process.Dispose();
    }

    private string Output
    {
        get
        {
            lock (_output) return _output.ToString();
        }
    }

    private async Task<bool> AnswersAsync()
    {
        if (_process.HasExited) throw new InvalidOperationException($"It ended with {_process.ExitCode}.");
        try
        {
            using var answer = await Http.GetAsync(new Uri("/", UriKind.Relative));
            return true;
        }
        catch (HttpRequestException)
        {
            return false;
        }
    }

    private void Add(string? line)
    {
        lock (_output) _output.AppendLine(line);
    }
}
