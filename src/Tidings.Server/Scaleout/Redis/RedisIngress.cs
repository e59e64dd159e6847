using System.Buffers.Text;
using System.Diagnostics.Metrics;
using System.Security.Cryptography;
using Tidings.Server.Features.Realtime;

namespace Tidings.Server.Scaleout.Redis;

/// <summary>
/// Publishes what backends publish in Redis below a prefix. Every node hears every message, and one of them publishes it: Redis says which.
/// As long as messages keep coming that is always the same node, so that those of a channel keep their order; when it is gone, what it left
/// is taken over after a few seconds. See ADR 15.
/// </summary>
internal sealed partial class RedisIngress : IHostedService, IAsyncDisposable
{
    private const int Lanes = 8;
    private const int MostWaiting = 10_000;
    private const long MostWaitingBytes = 32 * 1024 * 1024;

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(3);
    private static readonly TimeSpan TakeOverAfter = TimeSpan.FromSeconds(3);
    private static readonly TimeSpan BetweenComplaints = TimeSpan.FromSeconds(1);

    /// <summary>
    /// Two equal messages are two: so each node counts how often it has heard one, and what is published has been heard that often. Who
    /// published last goes on doing so, unless it is silent for two seconds or the asker insists. What is counted is forgotten after a
    /// minute, so that a node that came later does not lag behind for long. Answers 1 for the asker, 0 if it has been published, or how often
    /// the asker has heard it, negative.
    /// </summary>
    private const string Claim = """
        local heard = tonumber(ARGV[2])
        if heard == 0 then heard = redis.call('HINCRBY', KEYS[1], ARGV[1], 1) end
        if redis.call('PTTL', KEYS[1]) < 0 then redis.call('PEXPIRE', KEYS[1], 60000) end
        if heard <= tonumber(redis.call('HGET', KEYS[1], 'published') or '0') then return 0 end
        local publisher = redis.call('GET', KEYS[2])
        if ARGV[2] == '0' and publisher and publisher ~= ARGV[1] then return -heard end
        redis.call('SET', KEYS[2], ARGV[1], 'PX', 2000)
        redis.call('HSET', KEYS[1], 'published', heard)
        return 1
        """;

    private readonly string _node = Base64Url.EncodeToString(RandomNumberGenerator.GetBytes(12));
    private readonly CancellationTokenSource _stopping = new();
    private readonly Task[] _lanes = [.. Enumerable.Repeat(Task.CompletedTask, Lanes)];
    private readonly Lock _lock = new();
    private readonly Meter _meter = new("Tidings");
    private readonly Counter<long> _counter;
    private readonly List<RedisLink> _links = [];
    private readonly string _prefix;
    private readonly RedisNames _names;
    private readonly PublishFromRedis _publishing;
    private readonly TimeProvider _clock;
    private readonly ILogger _logger;
    private int _waiting;
    private long _waitingBytes;
    private long _complainedAt;

    public RedisIngress(
        IReadOnlyList<RedisInstallation> installations,
        string prefix,
        RedisNames names,
        PublishFromRedis publishing,
        TimeProvider clock,
        ILogger<RedisIngress> logger)
    {
        _prefix = prefix;
        _names = names;
        _publishing = publishing;
        _clock = clock;
        _logger = logger;
        _counter = _meter.CreateCounter<long>("tidings_ingress_total", description: "Messages that backends published in Redis, by what became of them on this node.");
        foreach (var installation in installations)
        {
            RedisConnection? current = null;
            var link = new RedisLink(
                installation,
                (connection, cancellationToken) =>
                {
                    Volatile.Write(ref current, connection); // messages may come before the link counts as up
                    return connection.SubscribeAsync("PSUBSCRIBE", PatternOf(prefix)).WaitAsync(cancellationToken);
                },
                push =>
                {
                    if (push is [{ Text: "pmessage" }, _, var channel, var content]) Take(Volatile.Read(ref current)!, channel.Text, content.Bytes.ToArray());
                },
                static () => { },
                clock,
                logger);
            _links.Add(link);
        }
    }

    /// <summary>Why a prefix cannot be used, for the end of a sentence that begins with its name; null if it can.</summary>
    public static string? ProblemOf(string prefix) => prefix switch
    {
        { Length: > 64 } => "is longer than 64 characters.",
        _ when !prefix.All(static character => character is > ' ' and <= '~') => "may have printable ASCII characters without spaces only, such as 'ws:'.",
        _ when prefix.StartsWith("tidings:", StringComparison.Ordinal) || "tidings:".StartsWith(prefix, StringComparison.Ordinal) =>
            "would meet the names under which nodes talk to each other: choose a prefix that does not begin as 'tidings:' does.",
        _ => null,
    };

    /// <inheritdoc />
    public Task StartAsync(CancellationToken cancellationToken)
    {
        foreach (var link in _links) link.Start();
        return Task.CompletedTask;
    }

    /// <inheritdoc />
    public async Task StopAsync(CancellationToken cancellationToken)
    {
        await _stopping.CancelAsync(); // what other nodes publish is not waited for
        foreach (var link in _links) await link.DisposeAsync();
        await Task.WhenAll(_lanes).WaitAsync(cancellationToken);
    }

    /// <inheritdoc />
    public ValueTask DisposeAsync()
    {
        _stopping.Dispose();
        _meter.Dispose();
        return ValueTask.CompletedTask;
    }

    /// <summary>The pattern of everything below a prefix, in which nothing of the prefix is a wildcard.</summary>
    private static string PatternOf(string prefix) =>
        string.Concat(prefix.Select(static character => character is '*' or '?' or '[' or ']' or '^' or '\\' ? $"\\{character}" : $"{character}")) + "*";

    /// <summary>Takes a message. One after the other per installation; it does not wait.</summary>
    private void Take(RedisConnection connection, string redisChannel, byte[] content)
    {
        if (!redisChannel.StartsWith(_prefix, StringComparison.Ordinal)) return;
        var result = _publishing.TryRead(redisChannel[_prefix.Length..], content, out var message);
        if (message is null)
        {
            Count(result);
            return;
        }

        if (Interlocked.Increment(ref _waiting) > MostWaiting | Interlocked.Add(ref _waitingBytes, content.Length) > MostWaitingBytes)
        {
            Leave(content);
            Count(IngressResult.Full);
            return;
        }

        var claim = ClaimAsync(connection, redisChannel, content); // asked for at once: the first to ask is who heard it
        var lane = StableHash.Of(message.Draft.Channel.Value) % Lanes;
        lock (_lock) _lanes[lane] = PublishAfterAsync(_lanes[lane], claim, message, content);
    }

    private async Task<bool> ClaimAsync(RedisConnection connection, string redisChannel, byte[] content)
    {
        var key = KeyOf(redisChannel, content);
        var answer = await AskAsync(0).ConfigureAwait(false);
        if (answer >= 0) return answer == 1;

        await Task.Delay(TakeOverAfter, _clock, _stopping.Token).ConfigureAwait(false);
        return await AskAsync(-answer).ConfigureAwait(false) == 1;

        async Task<long> AskAsync(long heard) => (await connection.AskAsync("EVAL", Claim, 2, key, $"{_names.Ingress}publisher", _node, heard)
            .WaitAsync(Patience, _clock).ConfigureAwait(false)).Number;
    }

    private string KeyOf(string redisChannel, byte[] content)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        hash.AppendData(System.Text.Encoding.UTF8.GetBytes(redisChannel));
        hash.AppendData([0]);
        hash.AppendData(content);
        return _names.Ingress + Base64Url.EncodeToString(hash.GetHashAndReset());
    }

    private async Task PublishAfterAsync(Task before, Task<bool> claim, IngressMessage message, byte[] content)
    {
        await before.ConfigureAwait(false); // these tasks never fail
        try
        {
            // Under its id a message is published once however often we try, so here a node that died with it does no harm.
            var isOurs = await claim.ConfigureAwait(false) || message.HasId;
            if (isOurs) await _publishing.PublishAsync(message, CancellationToken.None).ConfigureAwait(false);
            Count(isOurs ? IngressResult.Published : IngressResult.Taken);
        }
        catch (OperationCanceledException) when (_stopping.IsCancellationRequested)
        {
            Count(IngressResult.Taken); // it is another node's, unless that has died in these seconds
        }
#pragma warning disable CA1031 // Whatever one message does, the next is another.
        catch (Exception exception)
#pragma warning restore CA1031
        {
            Log.NotPublished(_logger, exception);
            Count(IngressResult.Failed);
        }
        finally
        {
            Leave(content);
        }
    }

    private void Leave(byte[] content)
    {
        Interlocked.Decrement(ref _waiting);
        Interlocked.Add(ref _waitingBytes, -content.Length);
    }

    private void Count(IngressResult result)
    {
        var word = WordOf(result);
        _counter.Add(1, new KeyValuePair<string, object?>("result", word));
        if (result is IngressResult.Published or IngressResult.Taken) return;

        var now = _clock.GetTimestamp();
        var last = Interlocked.Read(ref _complainedAt);
        if (last != 0 && _clock.GetElapsedTime(last, now) < BetweenComplaints) return;
        if (Interlocked.CompareExchange(ref _complainedAt, now, last) == last) Log.Refused(_logger, word);
    }

    private static string WordOf(IngressResult result) => result switch
    {
        IngressResult.Published => "published",
        IngressResult.Malformed => "malformed",
        IngressResult.TooLarge => "too_large",
        IngressResult.UnknownChannel => "unknown_channel",
        IngressResult.Taken => "taken",
        IngressResult.Full => "full",
        _ => "failed",
    };

    private static partial class Log
    {
        [LoggerMessage(2621, LogLevel.Warning, "A message that a backend published in Redis was not taken: {Reason}. tidings_ingress_total counts them all.")]
        public static partial void Refused(ILogger logger, string reason);

        [LoggerMessage(2622, LogLevel.Error, "A message that a backend published in Redis could not be published.")]
        public static partial void NotPublished(ILogger logger, Exception exception);
    }
}
