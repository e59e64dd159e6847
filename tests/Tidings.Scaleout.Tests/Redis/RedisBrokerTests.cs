using System.Buffers;
using Microsoft.Extensions.Logging.Abstractions;
using Tidings.Realtime.Brokers;
using Tidings.Scaleout.Tests.Support;
using Tidings.Server.Scaleout;
using Tidings.Server.Scaleout.Redis;

namespace Tidings.Scaleout.Tests.Redis;

public sealed class RedisBrokerTests(SharedRedis redis) : BrokerContract
{
    private readonly RedisNames _names = Brokers.OwnNames();

    private protected override IBroker Create() => Brokers.At(_names, redis.Address);
}

/// <summary>The channels are spread over two databases' worth of servers, and control messages come by both.</summary>
public sealed class ShardedRedisBrokerTests(SharedRedis redis) : BrokerContract
{
    private readonly RedisNames _names = Brokers.OwnNames();

    private protected override IBroker Create() => Brokers.At(_names, redis.Address, redis.Address);
}

internal static class Brokers
{
    public const string Secret = "a secret that all nodes of the tests have";

    public static RedisNames Names { get; } = new("tests");

    /// <summary>Names that no other test has: what is told to all nodes would be heard there.</summary>
    public static RedisNames OwnNames() => new($"t{Guid.NewGuid():N}");

    public static RedisBroker At(string address) => At(Names, address);

    public static RedisBroker At(RedisNames names, params string[] addresses) => new(
        [.. addresses.Select(Parse)], names, new BusSeal(Secret), new BusMetrics(), TimeProvider.System, NullLogger<RedisBroker>.Instance);

    public static RedisInstallation Parse(string text)
    {
        RedisInstallation.Parse(text, out var installation).ShouldBeNull();
        return installation!;
    }

    /// <summary>A message as a node would send it.</summary>
    public static byte[] Sealed(BusMessage message, string secret = Secret)
    {
        var bytes = new ArrayBufferWriter<byte>();
        BusCodec.Encode(message, bytes);
        new BusSeal(secret).Close(bytes);
        return bytes.WrittenSpan.ToArray();
    }
}
