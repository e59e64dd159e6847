using System.Collections.Concurrent;
using Tidings.Server.Publishing.Connectors;
using Tidings.Server.Storage;

namespace Tidings.Server.Publishing;

/// <summary>
/// Looks for what is due and publishes it: a lane one after the other, lanes of a platform beside one another up to a limit, platforms independent of
/// each other. What was due before this node ran comes oldest first and slowly. <see cref="PublishingWorker"/> calls it again and again;
/// an outside scheduler may too, at any time.
/// </summary>
internal sealed partial class PublishingRun(
    TargetClaims claims, TargetSweeps sweeps, FeedTarget feed, ConnectorTarget connector, ConnectorCatalog connectors, PublishingClock publishingClock,
    PublishingMetrics metrics, TimeProvider clock, ILogger<PublishingRun> logger) : IDisposable
{
    /// <summary>How many lanes of a platform go on at once.</summary>
    public const int LanesPerPlatform = 64;

    /// <summary>How many targets of a platform a second, of those that were due while nobody published.</summary>
    public const int DrainPerSecond = 5;

    /// <summary>The longest between two looks.</summary>
    public static readonly TimeSpan LookInterval = TimeSpan.FromMilliseconds(500);

    private static readonly TimeSpan SweepInterval = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan ShortRestart = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan Alarming = TimeSpan.FromSeconds(60);

    private readonly SemaphoreSlim _looking = new(1);
    private readonly ClockGuard _guard = new(clock);
    private readonly ConcurrentDictionary<string, Platform> _platforms = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<Task, bool> _lanes = new();
    private readonly SemaphoreSlim _woken = new(0, 1);
    private long _lastLook;
    private long _lastSweep;
    private long _lastAlarm;
    private DateTimeOffset _runningSince = DateTimeOffset.MinValue;
    private volatile bool _isTrusted = true;
    private volatile bool _isStopping;
    private volatile bool _hasBacklog;
    private long _ended;

    /// <summary>How many targets this node has come to an end with, whatever it was.</summary>
    public long Ended => Interlocked.Read(ref _ended);

    /// <summary>Says that something may be due. Any thread.</summary>
    public void Wake()
    {
        try
        {
            _woken.Release();
        }
        catch (Exception nothing) when (nothing is SemaphoreFullException or ObjectDisposedException)
        {
            // Somebody has said so already, or the host has stopped.
        }
    }

    /// <summary>Waits for <see cref="Wake"/>, at most so long.</summary>
    public Task<bool> WaitAsync(TimeSpan atMost, CancellationToken cancellationToken) => _woken.WaitAsync(atMost, cancellationToken);

    /// <summary>Looks once and begins with what is due.</summary>
    /// <param name="stoodStill">If the last look is longer ago than this, nobody published meanwhile.</param>
    /// <param name="cancellationToken">Ends the looking.</param>
    /// <returns>How long nothing more will be due.</returns>
    public async Task<TimeSpan> LookAsync(TimeSpan stoodStill, CancellationToken cancellationToken)
    {
        await _looking.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            var wall = await publishingClock.ReadAsync(cancellationToken).ConfigureAwait(false);
            var wasTrusted = _isTrusted;
            _isTrusted = _guard.Trusts(wall);
            if (!_isTrusted)
            {
                if (wasTrusted) Log.ClockJumped(logger);
                return LookInterval;
            }

            if (!wasTrusted) Log.ClockSteady(logger);
            publishingClock.Trust(wall);
            return await LookAsync(wall, stoodStill, cancellationToken).ConfigureAwait(false);
        }
        finally
        {
            _looking.Release();
        }
    }

    /// <summary>Publishes what is due, and waits until it is done or the time is up.</summary>
    /// <param name="stoodStill">As for <see cref="LookAsync(TimeSpan, CancellationToken)"/>.</param>
    /// <param name="patience">How long it may take; what is on its way then goes on.</param>
    /// <param name="cancellationToken">Ends the waiting.</param>
    /// <returns>How many targets came to an end.</returns>
    public async Task<long> DrainAsync(TimeSpan stoodStill, TimeSpan patience, CancellationToken cancellationToken)
    {
        var (before, began) = (Ended, clock.GetTimestamp());
        while (clock.GetElapsedTime(began) < patience)
        {
            await LookAsync(stoodStill, cancellationToken).ConfigureAwait(false);
            var lanes = _lanes.Keys.ToArray();
            if (lanes.Length > 0) await Task.WhenAny(Task.WhenAll(lanes), Task.Delay(patience, clock, cancellationToken)).ConfigureAwait(false);
            else if (_hasBacklog) await Task.Delay(TimeSpan.FromSeconds(1.0 / DrainPerSecond), clock, cancellationToken).ConfigureAwait(false);
            else break;
        }

        return Ended - before;
    }

    /// <summary>Begins nothing more, and waits for what is on its way.</summary>
    public async Task StopAsync(TimeSpan patience)
    {
        _isStopping = true;
        await Task.WhenAny(Task.WhenAll(_lanes.Keys), Task.Delay(patience, clock)).ConfigureAwait(false);
    }

    /// <inheritdoc />
    public void Dispose()
    {
        _looking.Dispose();
        _woken.Dispose();
    }

    private async Task<TimeSpan> LookAsync(DateTimeOffset now, TimeSpan stoodStill, CancellationToken cancellationToken)
    {
        var timestamp = clock.GetTimestamp();
        if (_runningSince == DateTimeOffset.MinValue || clock.GetElapsedTime(_lastLook, timestamp) > stoodStill) _runningSince = now;
        _lastLook = timestamp;

        if (_lastSweep == 0 || clock.GetElapsedTime(_lastSweep, timestamp) >= SweepInterval)
        {
            await sweeps.TakeBackAsync(now, cancellationToken).ConfigureAwait(false);
            await sweeps.GiveUpAsync(now, cancellationToken).ConfigureAwait(false);
            _lastSweep = timestamp;
        }

        _hasBacklog = false;
        var nowMs = now.ToUnixTimeMilliseconds();
        var next = await claims.NextAsync([TargetRow.OwnFeed, .. connectors.Platforms], cancellationToken).ConfigureAwait(false);
        var longest = LookInterval;
        var oldest = TimeSpan.Zero;
        foreach (var (name, nextAt) in next)
        {
            var wait = TimeSpan.FromMilliseconds(nextAt - nowMs);
            if (wait > TimeSpan.Zero)
            {
                if (wait < longest) longest = wait;
                continue;
            }

            if (-wait > oldest) oldest = -wait;
            await ClaimAsync(_platforms.GetOrAdd(name, static name => new Platform(name)), now, cancellationToken).ConfigureAwait(false);
        }

        metrics.SetOldestDue(oldest);
        if (oldest > Alarming && (_lastAlarm == 0 || clock.GetElapsedTime(_lastAlarm, timestamp) > Alarming))
        {
            _lastAlarm = timestamp;
            Log.Waiting(logger, oldest);
        }

        return longest;
    }

    private async Task ClaimAsync(Platform platform, DateTimeOffset now, CancellationToken cancellationToken)
    {
        var free = LanesPerPlatform - platform.Running;
        if (free <= 0 || _isStopping) return;
        var nowMs = now.ToUnixTimeMilliseconds();
        var backlog = (_runningSince - ShortRestart).ToUnixTimeMilliseconds();

        var fresh = await claims.ClaimAsync(platform.Name, backlog, long.MaxValue, nowMs, free, cancellationToken).ConfigureAwait(false);
        foreach (var target in fresh) Begin(platform, target, isFresh: true);

        var may = Math.Min(platform.MayDrain(clock), free - fresh.Count);
        if (may <= 0)
        {
            _hasBacklog = true;
            return;
        }

        var late = await claims.ClaimAsync(platform.Name, 0, backlog, nowMs, may, cancellationToken).ConfigureAwait(false);
        platform.HasDrained(late.Count);
        if (late.Count > 0) _hasBacklog = true;
        foreach (var target in late) Begin(platform, target, isFresh: false);
    }

    private void Begin(Platform platform, TargetRow target, bool isFresh)
    {
        platform.Enter();
        var lane = Task.Run(() => RunLaneAsync(platform, target, isFresh));
        _lanes.TryAdd(lane, true);
        _ = lane.ContinueWith(done => _lanes.TryRemove(done, out _), CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
    }

    /// <summary>One target after the other, as long as the lane has any that is due.</summary>
    private async Task RunLaneAsync(Platform platform, TargetRow first, bool isFresh)
    {
        try
        {
            for (var target = first; target is not null;)
            {
                Func<bool> claimNext = () => isFresh && _isTrusted && !_isStopping;
                (_, target) = target.Platform == TargetRow.OwnFeed
                    ? await FeedAsync(target, claimNext).ConfigureAwait(false)
                    : await connector.PublishAsync(target, claimNext, CancellationToken.None).ConfigureAwait(false);
                Interlocked.Increment(ref _ended);
            }
        }
        catch (LostClaimException)
        {
            Log.Lost(logger, first.Platform);
        }
        catch (StoreUnavailableException unavailable)
        {
            Log.NoStore(logger, first.Platform, unavailable.Message);
        }
#pragma warning disable CA1031 // What is left has a lease that ends; the lanes of others go on.
        catch (Exception error)
#pragma warning restore CA1031
        {
            Log.Failed(logger, first.Platform, error);
        }
        finally
        {
            platform.Leave();
            Wake();
        }
    }

    private async Task<(string State, TargetRow? Next)> FeedAsync(TargetRow target, Func<bool> claimNext)
    {
        var now = publishingClock.Now;
        if (target.Tries == 0) metrics.Started(now - DateTimeOffset.FromUnixTimeMilliseconds(target.DueAt));
        var ended = await feed.PublishAsync(target, claimNext(), now, CancellationToken.None).ConfigureAwait(false);
        metrics.Count(TargetRow.OwnFeed, ended.State == TargetStates.Succeeded ? "sent" : "refused");
        return ended;
    }

    /// <summary>What goes on at one platform.</summary>
    private sealed class Platform(string name)
    {
        private int _running;
        private double _drain = 1;
        private long _drainedAt;

        public string Name => name;

        public int Running => Volatile.Read(ref _running);

        public void Enter() => Interlocked.Increment(ref _running);

        public void Leave() => Interlocked.Decrement(ref _running);

        /// <summary>How many late ones may begin now: so many a second, and never several at once after a pause.</summary>
        public int MayDrain(TimeProvider clock)
        {
            var now = clock.GetTimestamp();
            if (_drainedAt != 0) _drain = Math.Min(1, _drain + (clock.GetElapsedTime(_drainedAt, now).TotalSeconds * DrainPerSecond));
            _drainedAt = now;
            return (int)_drain;
        }

        public void HasDrained(int count) => _drain -= count;
    }

    private static partial class Log
    {
        [LoggerMessage(3121, LogLevel.Warning, "The wall clock has jumped: nothing is published until it has gone on steadily for a while")]
        public static partial void ClockJumped(ILogger logger);

        [LoggerMessage(3122, LogLevel.Information, "The wall clock goes on steadily: what is due is published")]
        public static partial void ClockSteady(ILogger logger);

        [LoggerMessage(3123, LogLevel.Warning, "The oldest target that is due has waited for {Waiting}")]
        public static partial void Waiting(ILogger logger, TimeSpan waiting);

        [LoggerMessage(3124, LogLevel.Warning, "A target of {Platform} was taken over by another worker while this one stood still; its write was refused")]
        public static partial void Lost(ILogger logger, string platform);

        [LoggerMessage(3125, LogLevel.Warning, "Publishing on {Platform} waits for the database: {Why}")]
        public static partial void NoStore(ILogger logger, string platform, string why);

        [LoggerMessage(3126, LogLevel.Error, "Publishing on {Platform} failed in an unforeseen way; its lease runs out and it is looked at again")]
        public static partial void Failed(ILogger logger, string platform, Exception error);
    }
}
