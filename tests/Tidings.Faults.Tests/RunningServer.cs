using Tidings.Testing.Servers;

namespace Tidings.Faults.Tests;

/// <summary>One server for the tests of a class that leave it as it was.</summary>
public sealed class RunningServer : IAsyncLifetime
{
    public ServerProcess Server { get; private set; } = null!;

    public async ValueTask InitializeAsync() => Server = await ServerProcess.StartAsync();

    public ValueTask DisposeAsync() => Server.DisposeAsync();
}
