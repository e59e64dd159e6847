using Tidings.Testing.Servers;

[assembly: AssemblyFixture(typeof(Tidings.Scaleout.Tests.Support.SharedRedis))]
[assembly: AssemblyFixture(typeof(Tidings.Testing.Checks.CanarySuite))]

namespace Tidings.Scaleout.Tests.Support;

/// <summary>One Redis for all tests that do it no harm. It ends when the last has run, and with it the PostgreSQL that they share.</summary>
public sealed class SharedRedis : IAsyncLifetime
{
    private RedisServer? _server;

    /// <summary>Where it is. Skips the test where Redis is not installed.</summary>
    public string Address
    {
        get
        {
            Require();
            return _server!.Address;
        }
    }

    public RedisServer Server => _server!;

    /// <summary>Skips the test where Redis is not installed; <c>./test.sh</c> counts that as a failure.</summary>
    public static void Require() => Assert.SkipUnless(RedisServer.IsInstalled, "needs redis-server and redis-sentinel: apt-get install redis-server redis-sentinel");

    public async ValueTask InitializeAsync()
    {
        if (RedisServer.IsInstalled) _server = await RedisServer.StartAsync();
    }

    public async ValueTask DisposeAsync()
    {
        if (_server is not null) await _server.DisposeAsync();
        await PostgresServer.EndSharedAsync();
    }
}
