using Microsoft.Extensions.Logging.Abstractions;
using Tidings.Realtime.Presence;
using Tidings.Scaleout.Tests.Support;
using Tidings.Server.Scaleout.Redis;
using Tidings.Server.Tests.Presence;
using Tidings.Testing;

namespace Tidings.Scaleout.Tests.Redis;

public sealed class RedisPresenceStoreTests(SharedRedis redis) : PresenceStoreContract, IAsyncLifetime
{
    private RedisPresenceStore? _store;

    private protected override IPresenceStore Store => _store!;

    protected override TimeSpan Brief => TimeSpan.FromMilliseconds(300);

    public async ValueTask InitializeAsync()
    {
        // Names of its own: another test's dead nodes are not to be cleared away here.
        _store = new RedisPresenceStore(
            Brokers.Parse(redis.Address), new RedisNames($"p{Guid.NewGuid():N}"), TimeProvider.System, NullLogger<RedisPresenceStore>.Instance);
        await Eventually.HoldsAsync(
            async () =>
            {
                try
                {
                    await _store.RenewAsync("nobody", TimeSpan.FromSeconds(1), CancellationToken.None);
                    return true;
                }
                catch (RedisException)
                {
                    return false;
                }
            },
            "the store is connected");
    }

    public async ValueTask DisposeAsync()
    {
        if (_store is not null) await _store.DisposeAsync();
    }

    protected override async Task OutliveAsync()
    {
        // Redis's own clock decides: a node that is put for as long is dead when this one is.
        var now = TimeProvider.System.GetTimestamp();
        await Eventually.HoldsAsync(() => TimeProvider.System.GetElapsedTime(now) > Brief + TimeSpan.FromMilliseconds(50), "the time has passed");
    }
}
