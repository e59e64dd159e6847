using Tidings.Server.Tests;
using Tidings.Testing.Checks;
using Tidings.Testing.Servers;
using Xunit;

[assembly: AssemblyFixture(typeof(SharedServers))]
[assembly: AssemblyFixture(typeof(CanarySuite))]

namespace Tidings.Server.Tests;

/// <summary>Ends what all tests share when the last has run.</summary>
public sealed class SharedServers : IAsyncDisposable
{
    public ValueTask DisposeAsync() => PostgresServer.EndSharedAsync();
}
