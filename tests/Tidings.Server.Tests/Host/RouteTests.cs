using System.Diagnostics;
using System.Security.Cryptography;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Shouldly;
using Tidings.Faults.Tests.Access;
using Tidings.Server.Host;
using Xunit;

namespace Tidings.Server.Tests.Host;

/// <summary>Nothing is mapped that the access matrix does not know, described or not: the routes are those that the server's own Main has mapped.</summary>
public sealed class RouteTests : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("tidings-routes-");

    public void Dispose() => _folder.Delete(recursive: true);

    [Fact]
    public async Task Every_route_that_the_server_has_mapped_has_cells_in_the_access_table()
    {
        var routes = (await ReadRoutesAsync()).ToHashSet();

        routes.Where(route => !AccessTable.Routes.ContainsKey(route)).ShouldBeEmpty("a new route needs cells in AccessTable");
        AccessTable.Routes.Keys.Where(route => !routes.Contains(route)).ShouldBeEmpty("a route is gone: take it out of AccessTable");
    }

    /// <summary>Runs the server in this process until it has started.</summary>
    private async Task<List<string>> ReadRoutesAsync()
    {
        var built = new TaskCompletionSource<IHost>(TaskCreationOptions.RunContinuationsAsynchronously);
        using var listening = DiagnosticListener.AllListeners.Subscribe(new HostListener(built));
        var main = typeof(CommandLine).Assembly.EntryPoint!;
        string[] arguments = ["--urls", "http://127.0.0.1:0", "--Tidings:DataDirectory", _folder.FullName, "--Tidings:App:Key", "key", "--Tidings:App:Secret", RandomNumberGenerator.GetHexString(48)];
        var running = Task.Run(() =>
        {
            HostListener.IsOurs.Value = true;
            return (int)main.Invoke(null, [arguments])!;
        });

        var host = await Task.WhenAny(built.Task, running) == running ? throw new InvalidOperationException($"The server ended with {await running}.") : await built.Task;
        var lifetime = host.Services.GetRequiredService<IHostApplicationLifetime>();
        var started = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        using var registration = lifetime.ApplicationStarted.Register(started.SetResult);
        await started.Task.WaitAsync(TimeSpan.FromSeconds(60));
        var routes = host.Services.GetRequiredService<EndpointDataSource>().Endpoints.OfType<RouteEndpoint>().SelectMany(RoutesOf).ToList();
        lifetime.StopApplication();
        (await running).ShouldBe(0);
        return routes;
    }

    private static IEnumerable<string> RoutesOf(RouteEndpoint endpoint)
    {
        var path = $"/{endpoint.RoutePattern.RawText?.Trim('/')}";
        return endpoint.Metadata.GetMetadata<HttpMethodMetadata>()?.HttpMethods is { Count: > 0 } methods ? methods.Select(method => $"{method} {path}") : [$"* {path}"];
    }

    /// <summary>Hears of hosts that are built, and of ours alone: other tests build theirs at the same time.</summary>
    private sealed class HostListener(TaskCompletionSource<IHost> built) : IObserver<DiagnosticListener>, IObserver<KeyValuePair<string, object?>>
    {
        public static readonly AsyncLocal<bool> IsOurs = new();

        public void OnNext(DiagnosticListener value)
        {
            if (value.Name == "Microsoft.Extensions.Hosting") value.Subscribe(this);
        }

        public void OnNext(KeyValuePair<string, object?> value)
        {
            if (IsOurs.Value && value is { Key: "HostBuilt", Value: IHost host }) built.TrySetResult(host);
        }

        public void OnCompleted()
        {
            // There is nothing to end.
        }

        public void OnError(Exception error) => built.TrySetException(error);
    }
}
