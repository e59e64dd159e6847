using System.Text.Json;
using System.Threading.Channels;
using Tidings.Realtime.Channels;
using Tidings.Realtime.Returning;
using Tidings.Server.Storage;
using Tidings.Server.Storage.Sqlite;

namespace Tidings.Server.Engine;

/// <summary>
/// What vanished connections read, in the database, so that they may come back to another node, or after this one was killed. Changes are
/// written together, a moment later. A node says every second that it is there while it has such connections: those of a node that does not
/// are lost with it.
/// </summary>
internal sealed partial class StoredReaders : BackgroundService, IReaderMemory
{
    /// <summary>How long changes are collected.</summary>
    private static readonly TimeSpan Collecting = TimeSpan.FromMilliseconds(100);

    private static readonly TimeSpan SignOfLife = TimeSpan.FromSeconds(1);

    /// <summary>A node that has given no sign of life for so long is dead, or is out of reach of the database and so of its readers' events.</summary>
    private static readonly TimeSpan DeadAfter = TimeSpan.FromSeconds(3);

    private static readonly TimeSpan BetweenCleanups = TimeSpan.FromSeconds(30);

    /// <summary>While the database is out of reach no more than so many connections are remembered that were lost.</summary>
    private const int ChangeLimit = 100_000;

    private static readonly TimeSpan Retry = TimeSpan.FromMilliseconds(200);

    private readonly Lock _lock = new();
    private readonly SemaphoreSlim _writing = new(1);
    private readonly Channel<bool> _wakes = Channel.CreateBounded<bool>(new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite });
    private readonly TimeProvider _clock;
    private readonly ILogger _logger;
    private readonly StoredReaderQueries _queries;
    private readonly bool _isAlone;
    private readonly HashSet<string> _live = new(StringComparer.Ordinal);
    private Dictionary<string, ReaderChange> _changes = new(StringComparer.Ordinal);
    private HashSet<string> _lostUsers = new(StringComparer.Ordinal); // whose losses are among the changes
    private HashSet<string> _beingWritten = []; // and among those that are not committed yet
    private long _signedAt;
    private long _cleanedAt;

    /// <param name="store">Where it is written.</param>
    /// <param name="clock">The time.</param>
    /// <param name="window">How long a lost connection is remembered.</param>
    /// <param name="logger">Hears when the store is out of reach.</param>
    public StoredReaders(Store store, TimeProvider clock, TimeSpan window, ILogger<StoredReaders> logger)
    {
        (_clock, _logger) = (clock, logger);
        _queries = new StoredReaderQueries(store, clock, window, Guid.NewGuid().ToString("N"));
        _isAlone = store is SqliteStore; // whoever wrote there before is dead
    }

    /// <inheritdoc />
    public void Note(ReaderKey reader, IReadOnlyCollection<ChannelName> channels, DateTimeOffset since)
    {
        lock (_lock)
        {
            _live.Add(reader.ConnectionId);
            _changes[reader.ConnectionId] = new ReaderChange(reader, [.. channels.Select(static channel => channel.Value)], null, since);
        }

        _wakes.Writer.TryWrite(true);
    }

    /// <inheritdoc />
    public void Lose(ReaderKey reader, ReaderTrace trace)
    {
        lock (_lock)
        {
            _live.Remove(reader.ConnectionId);
            if (_changes.Count >= ChangeLimit) return;
            _lostUsers.Add(reader.UserId);
            _changes[reader.ConnectionId] = new ReaderChange(
                reader, [.. trace.Channels.Select(static channel => channel.Value)], _clock.GetUtcNow(), trace.ReceivedThrough);
        }

        _wakes.Writer.TryWrite(true);
    }

    /// <inheritdoc />
    public void Forget(ReaderKey reader)
    {
        lock (_lock)
        {
            if (!_live.Remove(reader.ConnectionId)) return;
            _changes[reader.ConnectionId] = new ReaderChange(reader, null, null, default);
        }

        _wakes.Writer.TryWrite(true);
    }

    /// <inheritdoc />
    public async ValueTask<ReaderTrace?> ClaimAsync(string userId, string protocol, CancellationToken cancellationToken)
    {
        if (IsUnwritten(userId)) await WriteAsync(cancellationToken).ConfigureAwait(false);

        var firstSeen = new Dictionary<string, DateTimeOffset>(StringComparer.Ordinal);
        while (true)
        {
            var found = await _queries.FindAsync(userId, protocol, cancellationToken).ConfigureAwait(false);
            var now = _clock.GetUtcNow();
            if (found.Where(row => IsLost(row, now)).MaxBy(static row => row.LostAt ?? row.SeenAt) is { } lost)
            {
                if (await _queries.TryTakeAsync(lost.ConnectionId, cancellationToken).ConfigureAwait(false)) return TraceOf(lost);
                continue; // somebody else was faster
            }

            // What is left is on other nodes. If one of them has just died, a connection there may be this client's own: its next sign of life tells.
            foreach (var row in found) firstSeen.TryAdd(row.ConnectionId, row.SeenAt);
            if (found.All(row => row.SeenAt > firstSeen[row.ConnectionId])) return null;
            await Task.Delay(Retry, _clock, cancellationToken).ConfigureAwait(false);
        }
    }

    /// <inheritdoc />
    public override async Task StopAsync(CancellationToken cancellationToken)
    {
        await base.StopAsync(cancellationToken).ConfigureAwait(false);
        await TryWriteAsync(cancellationToken).ConfigureAwait(false); // who was just asked to come back elsewhere
    }

    /// <inheritdoc />
    public override void Dispose()
    {
        _writing.Dispose();
        base.Dispose();
    }

    /// <inheritdoc />
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        try
        {
            while (true)
            {
                await WaitAsync(stoppingToken).ConfigureAwait(false);
                await Task.Delay(Collecting, _clock, stoppingToken).ConfigureAwait(false);
                await TryWriteAsync(stoppingToken).ConfigureAwait(false);
            }
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            // What is left is written when everything has stopped.
        }
    }

    private bool IsUnwritten(string userId)
    {
        lock (_lock) return _lostUsers.Contains(userId) || _beingWritten.Contains(userId);
    }

    private bool IsLost(LiveReader row, DateTimeOffset now) => row.LostAt is not null || _isAlone || now - row.SeenAt >= DeadAfter;

    private static ReaderTrace TraceOf(LiveReader row)
    {
        var channels = new HashSet<ChannelName>();
        foreach (var text in JsonSerializer.Deserialize<string[]>(row.Channels) ?? [])
            if (ChannelName.TryParse(text, out var name)) channels.Add(name);
        if (row.LostAt is not null) return new ReaderTrace(channels, row.ReceivedThrough);

        var sure = row.SeenAt - SignOfLife;
        return new ReaderTrace(channels, row.ReceivedThrough > sure ? row.ReceivedThrough : sure);
    }

    /// <summary>Waits for something to write; a sign of life is due every second while there is anybody to be lost.</summary>
    private async Task WaitAsync(CancellationToken cancellationToken)
    {
        bool hasReaders;
        lock (_lock) hasReaders = _live.Count > 0;
        var waking = _wakes.Reader.WaitToReadAsync(cancellationToken).AsTask();
        if (hasReaders) await Task.WhenAny(waking, Task.Delay(SignOfLife - Collecting, _clock, cancellationToken)).ConfigureAwait(false);
        else await waking.ConfigureAwait(false);
        cancellationToken.ThrowIfCancellationRequested();
        _wakes.Reader.TryRead(out _);
    }

    private async Task TryWriteAsync(CancellationToken cancellationToken)
    {
        try
        {
            await WriteAsync(cancellationToken).ConfigureAwait(false);
        }
#pragma warning disable CA1031 // What could not be written is tried again with the next.
        catch (Exception exception) when (exception is not OperationCanceledException)
#pragma warning restore CA1031
        {
            Log.WritingFailed(_logger, exception);
            _wakes.Writer.TryWrite(true);
        }
    }

    private async Task WriteAsync(CancellationToken cancellationToken)
    {
        await _writing.WaitAsync(cancellationToken).ConfigureAwait(false);
        Dictionary<string, ReaderChange> changes = [];
        try
        {
            bool isSignDue, isCleanupDue;
            lock (_lock)
            {
                (changes, _changes) = (_changes, new Dictionary<string, ReaderChange>(StringComparer.Ordinal));
                (_beingWritten, _lostUsers) = (_lostUsers, new HashSet<string>(StringComparer.Ordinal));
                isSignDue = (_live.Count > 0 || changes.Count > 0) && IsDue(_signedAt, SignOfLife - (2 * Collecting));
                isCleanupDue = IsDue(_cleanedAt, BetweenCleanups);
            }

            if (changes.Count == 0 && !isSignDue) return;
            await _queries.WriteAsync([.. changes.Values.OrderBy(static change => change.Reader.ConnectionId, StringComparer.Ordinal)], isCleanupDue, cancellationToken).ConfigureAwait(false);
            var now = _clock.GetTimestamp();
            _signedAt = now;
            if (isCleanupDue) _cleanedAt = now;
        }
        catch
        {
            lock (_lock)
            {
                foreach (var (id, change) in changes)
                    if (_changes.TryAdd(id, change) && change.LostAt is not null) _lostUsers.Add(change.Reader.UserId); // newer ones stay
            }

            throw;
        }
        finally
        {
            lock (_lock) _beingWritten = [];
            _writing.Release();
        }
    }

    private bool IsDue(long since, TimeSpan interval) => since == 0 || _clock.GetElapsedTime(since) >= interval;

    private static partial class Log
    {
        [LoggerMessage(3301, LogLevel.Warning, "What live connections read could not be written now; it is tried again.")]
        public static partial void WritingFailed(ILogger logger, Exception exception);
    }
}
