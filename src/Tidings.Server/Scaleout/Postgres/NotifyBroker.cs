using System.Buffers;
using System.Buffers.Text;
using System.Diagnostics.Metrics;
using System.Security.Cryptography;
using Npgsql;
using NpgsqlTypes;
using Tidings.Realtime.Brokers;
using Tidings.Realtime.Channels;
using Tidings.Realtime.Publications;

namespace Tidings.Server.Scaleout.Postgres;

/// <summary>
/// Carries between nodes by PostgreSQL's LISTEN and NOTIFY, for installations without Redis. Of what is in the log it tells the channel and
/// the place only, after the commit, and the receivers read it; what is not in the log travels itself if it is short enough. One connection
/// tells and one listens, both outside of the pool. Nothing here waits for the database: what cannot be told is dropped, and found by the log.
/// </summary>
internal sealed partial class NotifyBroker : IBroker, IAsyncDisposable
{
    /// <summary>PostgreSQL takes 7,999 bytes; in base64 three bytes are four.</summary>
    private const int MostBytes = 5_900;

    private const int MostWaiting = 10_000;
    private const int MostAtOnce = 64;
    private const int KnownNodes = 10_000;

    private static readonly TimeSpan CheckInterval = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan LongestDelay = TimeSpan.FromSeconds(5);

    private readonly Lock _lock = new();
    private readonly string _node = Base64Url.EncodeToString(RandomNumberGenerator.GetBytes(12));
    private readonly Dictionary<string, long> _heardOf = new(StringComparer.Ordinal);
    private readonly Queue<object> _waiting = [];
    private readonly SemaphoreSlim _hasWaiting = new(0, 1);
    private readonly CancellationTokenSource _stopping = new();
    private readonly string _connectionString;
    private readonly string _channel;
    private readonly BusSeal _seal;
    private readonly BusMetrics _metrics;
    private readonly TimeProvider _clock;
    private readonly ILogger _logger;
    private IBusReceiver? _receiver;
    private Task _running = Task.CompletedTask;
    private long _number;
    private volatile bool _isListening;

    /// <param name="connectionString">The database; a connection pooler in between would not hand on what is listened for.</param>
    /// <param name="appId">The app's id: letters, digits, '-' and '_'.</param>
    /// <param name="seal">Signs what is told.</param>
    /// <param name="metrics">Counts it.</param>
    /// <param name="clock">The clock.</param>
    /// <param name="logger">Where it is told whether the database is in reach.</param>
    public NotifyBroker(string connectionString, string appId, BusSeal seal, BusMetrics metrics, TimeProvider clock, ILogger<NotifyBroker> logger)
    {
        _connectionString = new NpgsqlConnectionStringBuilder(connectionString) { Pooling = false, Multiplexing = false, CommandTimeout = 5, ApplicationName = "tidings bus" }.ConnectionString;
        _channel = $"tidings:{appId}"[..Math.Min(63, appId.Length + 8)];
        _seal = seal;
        _metrics = metrics;
        _clock = clock;
        _logger = logger;
        metrics.Observe("tidings_notify_up", "Whether this node listens for what others tell.", () => [new Measurement<int>(_isListening ? 1 : 0)]);
    }

    /// <inheritdoc />
    public bool HasOthers => true;

    /// <inheritdoc />
    public bool IsUp => _isListening;

    /// <inheritdoc />
    public void DeliverTo(IBusReceiver receiver)
    {
        _receiver = receiver;
        _running = Task.WhenAll(Task.Run(() => KeepAsync(ListenAsync)), Task.Run(() => KeepAsync(TellAsync)));
    }

    /// <inheritdoc />
    public void Carry(IReadOnlyList<Publication> publications)
    {
        _receiver!.Receive(publications);
        foreach (var publication in publications)
        {
            if (publication.Sequence != 0) Enqueue(new NewInLog(publication.Channel, publication.Position));
            else Enqueue(publication);
        }
    }

    /// <inheritdoc />
    public void Tell(ControlMessage message) => Enqueue(message);

    /// <summary>Everything is heard by every node.</summary>
    public void Watch(ChannelName channel)
    {
    }

    /// <inheritdoc />
    public void Unwatch(ChannelName channel)
    {
    }

    /// <inheritdoc />
    public Task SettledAsync() => Task.CompletedTask;

    public async ValueTask DisposeAsync()
    {
        await _stopping.CancelAsync();
        await _running;
        _stopping.Dispose();
    }

    private void Enqueue(object one)
    {
        lock (_lock)
        {
            if (!_isListening || _waiting.Count >= MostWaiting)
            {
                _metrics.CountDropped(_isListening ? "full" : "down");
                return;
            }

            _waiting.Enqueue(one);
            if (_hasWaiting.CurrentCount == 0) _hasWaiting.Release();
        }
    }

    /// <summary>Does something with a connection, and again with another when that fails.</summary>
    private async Task KeepAsync(Func<NpgsqlConnection, Task> work)
    {
        for (var failures = 0; !_stopping.IsCancellationRequested;)
        {
            var began = _clock.GetTimestamp();
            try
            {
                await using var connection = new NpgsqlConnection(_connectionString);
                await connection.OpenAsync(_stopping.Token);
                await work(connection);
            }
            catch (Exception exception) when (exception is NpgsqlException or IOException or TimeoutException or InvalidOperationException or OperationCanceledException)
            {
                if (_clock.GetElapsedTime(began) > LongestDelay) failures = 0;
                if (!_stopping.IsCancellationRequested && failures++ == 0) Log.Down(_logger, exception.Message);
            }

            try
            {
                var longest = Math.Min(LongestDelay.TotalMilliseconds, 100 * Math.Pow(2, Math.Min(failures, 6)));
                await Task.Delay(TimeSpan.FromMilliseconds(longest * (0.5 + (Random.Shared.NextDouble() / 2))), _clock, _stopping.Token);
            }
            catch (OperationCanceledException)
            {
            }
        }
    }

    private async Task ListenAsync(NpgsqlConnection connection)
    {
        connection.Notification += (_, notification) => Take(notification.Payload);
        await using (var listen = new NpgsqlCommand($"LISTEN \"{_channel}\"", connection)) await listen.ExecuteNonQueryAsync(_stopping.Token);
        _isListening = true;
        Log.Up(_logger);
        try
        {
            _receiver!.CameBack();
            while (true)
            {
                if (await connection.WaitAsync(CheckInterval, _stopping.Token)) continue;
                await using var check = new NpgsqlCommand("SELECT 1", connection); // a dead link is silent too
                await check.ExecuteNonQueryAsync(_stopping.Token);
            }
        }
        finally
        {
            _isListening = false;
        }
    }

    private async Task TellAsync(NpgsqlConnection connection)
    {
        while (true)
        {
            await _hasWaiting.WaitAsync(_stopping.Token);
            var payloads = TakeWaiting();
            if (payloads.Count == 0) continue;

            await using var notify = new NpgsqlCommand("SELECT pg_notify($1, payload) FROM unnest($2) AS payload", connection);
            notify.Parameters.Add(new NpgsqlParameter { Value = _channel, NpgsqlDbType = NpgsqlDbType.Text });
            notify.Parameters.Add(new NpgsqlParameter { Value = payloads.ToArray(), NpgsqlDbType = NpgsqlDbType.Array | NpgsqlDbType.Text });
            await notify.ExecuteNonQueryAsync(_stopping.Token);
            foreach (var _ in payloads) _metrics.CountSent();
        }
    }

    /// <summary>What waits, in as few messages as it fits in. Of a channel's places in the log the last says it all.</summary>
    private List<string> TakeWaiting()
    {
        List<object> waiting;
        lock (_lock)
        {
            waiting = [.. _waiting];
            _waiting.Clear();
        }

        var last = new Dictionary<ChannelName, NewInLog>();
        foreach (var one in waiting.OfType<NewInLog>()) last[one.Channel] = one;
        var payloads = new List<string>();
        var (publications, control) = (new List<Publication>(), new List<ControlMessage>(last.Values));
        foreach (var one in waiting)
        {
            if (one is Publication publication) publications.Add(publication);
            else if (one is ControlMessage message and not NewInLog) control.Add(message);
        }

        foreach (var some in publications.Chunk(MostAtOnce)) Add(some, []);
        foreach (var some in control.Chunk(MostAtOnce)) Add([], some);
        return payloads;

        void Add(ReadOnlySpan<Publication> carried, ReadOnlySpan<ControlMessage> told)
        {
            var bytes = new ArrayBufferWriter<byte>();
            BusCodec.Encode(new BusMessage(_node, Interlocked.Increment(ref _number), carried.ToArray(), told.ToArray()), bytes);
            _seal.Close(bytes);
            if (bytes.WrittenCount <= MostBytes)
            {
                payloads.Add(Convert.ToBase64String(bytes.WrittenSpan));
            }
            else if (carried.Length + told.Length == 1)
            {
                _metrics.CountDropped("too_large");
            }
            else
            {
                var (half, toldHalf) = (carried.Length / 2, told.Length / 2);
                Add(carried[..half], told[..toldHalf]);
                Add(carried[half..], told[toldHalf..]);
            }
        }
    }

    private void Take(string payload)
    {
        try
        {
            var content = new byte[payload.Length];
            if (!Convert.TryFromBase64String(payload, content, out var length) || !_seal.TryOpen(content.AsSpan(0, length), out var bytes))
            {
                _metrics.CountDropped("not_ours");
                return;
            }

            var verdict = BusCodec.Decode(bytes, out var message);
            if (verdict != BusVerdict.Message) _metrics.CountDropped(verdict == BusVerdict.OtherVersion ? "unknown" : "malformed");
            else Take(message!);
        }
#pragma warning disable CA1031 // Whatever one message does, the next is another.
        catch (Exception exception)
#pragma warning restore CA1031
        {
            Log.NotTaken(_logger, exception);
        }
    }

    private void Take(BusMessage message)
    {
        if (message.Node == _node || _heardOf.GetValueOrDefault(message.Node) >= message.Number) return;
        if (_heardOf.Count >= KnownNodes) _heardOf.Clear();
        _heardOf[message.Node] = message.Number;
        _metrics.CountReceived();
        if (message.Skipped > 0) _metrics.CountDropped("unknown", message.Skipped);
        if (message.Publications.Count > 0) _receiver!.ReceiveFromOthers(message.Publications);
        foreach (var control in message.Control) _receiver!.Hear(control);
    }

    private static partial class Log
    {
        [LoggerMessage(2631, LogLevel.Information, "This node listens for what other nodes tell by PostgreSQL.")]
        public static partial void Up(ILogger logger);

        [LoggerMessage(2632, LogLevel.Warning, "Other nodes cannot be told or heard by PostgreSQL: {Why} Their events arrive when the log is looked at.")]
        public static partial void Down(ILogger logger, string why);

        [LoggerMessage(2633, LogLevel.Error, "A message of another node could not be taken.")]
        public static partial void NotTaken(ILogger logger, Exception exception);
    }
}
