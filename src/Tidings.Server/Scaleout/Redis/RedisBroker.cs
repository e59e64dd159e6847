using System.Buffers;
using System.Buffers.Text;
using System.Collections.Concurrent;
using System.Diagnostics.Metrics;
using System.Security.Cryptography;
using Tidings.Realtime.Brokers;
using Tidings.Realtime.Channels;
using Tidings.Realtime.Publications;

namespace Tidings.Server.Scaleout.Redis;

/// <summary>
/// Carries between nodes by Redis pub/sub. A node subscribes to the channels that it has readers for, and to one for all nodes; channels are
/// spread over several installations by a stable hash. Nothing here waits for Redis: what cannot be sent is dropped, and found by the log.
/// </summary>
internal sealed partial class RedisBroker : IBroker, IAsyncDisposable
{
    /// <summary>The most publications' bytes in one message, if there are several.</summary>
    private const int MessageBytes = 256 * 1024;

    private const int KnownNodes = 10_000;

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(2);

    private readonly string _node = Base64Url.EncodeToString(RandomNumberGenerator.GetBytes(12));
    private readonly ConcurrentDictionary<string, long> _heardOf = new(StringComparer.Ordinal);
    private readonly RedisNames _names;
    private readonly BusSeal _seal;
    private readonly BusMetrics _metrics;
    private readonly TimeProvider _clock;
    private readonly ILogger _logger;
    private readonly RedisShard[] _shards;
    private readonly byte[] _ownHead;
    private IBusReceiver? _receiver;
    private long _number;

    public RedisBroker(
        IReadOnlyList<RedisInstallation> installations, RedisNames names, BusSeal seal, BusMetrics metrics, TimeProvider clock, ILogger<RedisBroker> logger)
    {
        _names = names;
        _seal = seal;
        _metrics = metrics;
        _clock = clock;
        _logger = logger;
        _shards = [.. installations.Select(installation => new RedisShard(installation, names, Take, () => _receiver!.CameBack(), clock, logger))];
        _ownHead = HeadOf(_node);
        metrics.Observe("tidings_redis_up", "Whether each Redis installation is connected.", () =>
            _shards.Select((shard, index) => new Measurement<int>(shard.IsUp ? 1 : 0, new KeyValuePair<string, object?>("installation", index))));
    }

    /// <inheritdoc />
    public bool HasOthers => true;

    /// <inheritdoc />
    public bool IsUp => _shards.All(static shard => shard.IsUp);

    /// <inheritdoc />
    public void DeliverTo(IBusReceiver receiver)
    {
        _receiver = receiver;
        foreach (var shard in _shards) shard.Start();
    }

    /// <inheritdoc />
    public void Carry(IReadOnlyList<Publication> publications)
    {
        _receiver!.Receive(publications);
        if (publications.Count == 1)
        {
            Send(publications[0].Channel, publications);
            return;
        }

        foreach (var channel in publications.GroupBy(static publication => publication.Channel))
        {
            var batch = new List<Publication>();
            var bytes = 0;
            foreach (var publication in channel)
            {
                var size = publication.Draft.Payload.Length + (publication.Draft.FullPayload?.Length ?? 0);
                if (batch.Count > 0 && bytes + size > MessageBytes)
                {
                    Send(channel.Key, batch);
                    batch.Clear();
                    bytes = 0;
                }

                batch.Add(publication);
                bytes += size;
            }

            Send(channel.Key, batch);
        }
    }

    /// <inheritdoc />
    public void Tell(ControlMessage message)
    {
        // By every installation: one of them may be out of reach, for this node or for another.
        var content = Encode([], [message]);
        foreach (var shard in _shards) Send(shard, _names.Nodes, content);
    }

    /// <inheritdoc />
    public void Watch(ChannelName channel) => ShardOf(channel).Watch(channel);

    /// <inheritdoc />
    public void Unwatch(ChannelName channel) => ShardOf(channel).Unwatch(channel);

    /// <inheritdoc />
    public async Task SettledAsync()
    {
        try
        {
            await Task.WhenAll(_shards.Select(static shard => shard.SettledAsync())).WaitAsync(Patience, _clock).ConfigureAwait(false);
        }
        catch (TimeoutException)
        {
            // The link looks whether Redis still answers, and what is lost until then is found when it is back.
        }
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var shard in _shards) await shard.DisposeAsync();
    }

    private static byte[] HeadOf(string node)
    {
        var head = new ArrayBufferWriter<byte>();
        BusCodec.Encode(new BusMessage(node, 0, [], []), head);
        return head.WrittenSpan[..^1].ToArray(); // without the number
    }

    private RedisShard ShardOf(ChannelName channel) => _shards[StableHash.Of(channel.Value) % (uint)_shards.Length];

    private void Send(ChannelName channel, IReadOnlyList<Publication> publications) =>
        Send(ShardOf(channel), _names.Of(channel), Encode(publications, []));

    private ReadOnlyMemory<byte> Encode(IReadOnlyList<Publication> publications, IReadOnlyList<ControlMessage> control)
    {
        var content = new ArrayBufferWriter<byte>();
        BusCodec.Encode(new BusMessage(_node, Interlocked.Increment(ref _number), publications, control), content);
        _seal.Close(content);
        return content.WrittenMemory;
    }

    private void Send(RedisShard shard, string channel, ReadOnlyMemory<byte> content)
    {
        if (content.Length > BusCodec.MaxBytes) _metrics.CountDropped("too_large");
        else if (shard.TryPublish(channel, content)) _metrics.CountSent();
        else _metrics.CountDropped(shard.IsUp ? "full" : "down");
    }

    /// <summary>Takes a message. One after the other per installation.</summary>
    private void Take(string redisChannel, ReadOnlyMemory<byte> content)
    {
        try
        {
            if (content.Span.StartsWith(_ownHead)) return; // delivered here before it was sent
            if (Open(content.Span) is { } message) Take(redisChannel, message);
        }
#pragma warning disable CA1031 // Whatever one message does, the next is another.
        catch (Exception exception)
#pragma warning restore CA1031
        {
            Log.NotTaken(_logger, exception);
        }
    }

    private BusMessage? Open(ReadOnlySpan<byte> content)
    {
        if (!_seal.TryOpen(content, out var bytes))
        {
            _metrics.CountDropped("not_ours");
            return null;
        }

        var verdict = BusCodec.Decode(bytes, out var message);
        if (verdict != BusVerdict.Message) _metrics.CountDropped(verdict == BusVerdict.OtherVersion ? "unknown" : "malformed");
        else if (message!.Skipped > 0) _metrics.CountDropped("unknown", message.Skipped);
        return message;
    }

    private void Take(string redisChannel, BusMessage message)
    {
        _metrics.CountReceived();
        if (redisChannel == _names.Nodes)
        {
            if (!IsNews(message)) return;
            foreach (var control in message.Control) _receiver!.Hear(control);
            return;
        }

        // What was sent for one channel says nothing in another.
        var channel = _names.ChannelOf(redisChannel);
        foreach (var publication in message.Publications)
        {
            if (channel.SequenceEqual(publication.Channel.Value)) continue;
            _metrics.CountDropped("not_ours");
            return;
        }

        if (message.Publications.Count > 0) _receiver!.ReceiveFromOthers(message.Publications);
    }

    /// <summary>Whether it has not come by another installation, or a second time by the same.</summary>
    private bool IsNews(BusMessage message)
    {
        if (_heardOf.Count >= KnownNodes) _heardOf.Clear();
        var last = _heardOf.GetOrAdd(message.Node, 0);
        while (message.Number > last)
        {
            if (_heardOf.TryUpdate(message.Node, message.Number, last)) return true;
            last = _heardOf.GetOrAdd(message.Node, 0);
        }

        return false;
    }

    private static partial class Log
    {
        [LoggerMessage(2611, LogLevel.Error, "A message of another node could not be taken.")]
        public static partial void NotTaken(ILogger logger, Exception exception);
    }
}
