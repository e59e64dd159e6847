using Tidings.Testing.Servers;

// Each test has servers of its own; two at a time leave the machine to them.
[assembly: CollectionBehavior(MaxParallelThreads = 2)]
[assembly: AssemblyFixture(typeof(Tidings.Publishing.Tests.SharedPostgres))]

namespace Tidings.Publishing.Tests;

/// <summary>Ends the shared PostgreSQL when all tests have run.</summary>
public sealed class SharedPostgres : IAsyncDisposable
{
    public ValueTask DisposeAsync() => PostgresServer.EndSharedAsync();
}
