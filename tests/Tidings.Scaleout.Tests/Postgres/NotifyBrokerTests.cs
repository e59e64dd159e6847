using Microsoft.Extensions.Logging.Abstractions;
using Tidings.Realtime.Brokers;
using Tidings.Scaleout.Tests.Redis;
using Tidings.Scaleout.Tests.Support;
using Tidings.Server.Scaleout;
using Tidings.Server.Scaleout.Postgres;
using Tidings.Testing.Servers;

namespace Tidings.Scaleout.Tests.Postgres;

public sealed class NotifyBrokerTests : BrokerContract
{
    private string _database = "";

    protected override async Task PrepareAsync()
    {
        Assert.SkipWhen(PostgresServer.Missing is not null, PostgresServer.Missing ?? "");
        _database = await (await PostgresServer.SharedAsync()).CreateDatabaseAsync();
    }

    private protected override IBroker Create() => new NotifyBroker(
        _database, "tests", new BusSeal(Brokers.Secret), new BusMetrics(), TimeProvider.System, NullLogger<NotifyBroker>.Instance);
}
