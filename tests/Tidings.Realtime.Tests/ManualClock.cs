namespace Tidings.Realtime.Tests;

/// <summary>A clock that goes only when it is told to, with its timers.</summary>
internal sealed class ManualClock : TimeProvider
{
    private readonly Lock _lock = new();
    private readonly List<ManualTimer> _timers = [];
    private DateTimeOffset _now = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);

    public override long TimestampFrequency => TimeSpan.TicksPerSecond;

    public override DateTimeOffset GetUtcNow()
    {
        lock (_lock) return _now;
    }

    public override long GetTimestamp() => GetUtcNow().Ticks;

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        var timer = new ManualTimer(this, () => callback(state));
        timer.Change(dueTime, period);
        lock (_lock) _timers.Add(timer);
        return timer;
    }

    /// <summary>Lets time pass, calling each timer when it is due.</summary>
    public void Advance(TimeSpan by)
    {
        var end = GetUtcNow() + by;
        while (true)
        {
            ManualTimer? next;
            lock (_lock)
            {
                next = _timers.Where(timer => timer.DueAt <= end).MinBy(timer => timer.DueAt);
                _now = next?.DueAt > _now ? next.DueAt.Value : next is null ? end : _now;
            }

            if (next is null) return;
            next.Run();
        }
    }

    /// <summary>Lets time pass without calling anybody, as when the process was stopped.</summary>
    public void Jump(TimeSpan by)
    {
        lock (_lock) _now += by;
    }

    private sealed class ManualTimer(ManualClock clock, Action run) : ITimer
    {
        private TimeSpan _period;

        public DateTimeOffset? DueAt { get; private set; }

        public void Run()
        {
            DueAt = _period > TimeSpan.Zero ? DueAt + _period : null;
            run();
        }

        public bool Change(TimeSpan dueTime, TimeSpan period)
        {
            _period = period;
            DueAt = dueTime < TimeSpan.Zero ? null : clock.GetUtcNow() + dueTime;
            return true;
        }

        public void Dispose()
        {
            lock (clock._lock) clock._timers.Remove(this);
        }

        public ValueTask DisposeAsync()
        {
            Dispose();
            return ValueTask.CompletedTask;
        }
    }
}
