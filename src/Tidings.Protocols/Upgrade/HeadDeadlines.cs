using System.Collections.Concurrent;
using Microsoft.AspNetCore.Connections;

namespace Tidings.Protocols.Upgrade;

/// <summary>
/// Cuts connections that do not say what they want: before a request, no limit of HTTP applies. One timer for all. Safe for all threads.
/// </summary>
internal sealed class HeadDeadlines : IDisposable
{
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(1);

    private readonly ConcurrentDictionary<ConnectionContext, long> _waiting = new();
    private readonly TimeSpan _limit;
    private readonly TimeProvider _clock;
    private readonly ITimer _timer;

    public HeadDeadlines(TimeSpan limit, TimeProvider clock)
    {
        _limit = limit;
        _clock = clock;
        _timer = clock.CreateTimer(_ => CutLate(), null, Interval, Interval);
    }

    /// <summary>The time of a connection runs.</summary>
    public void Start(ConnectionContext connection) => _waiting[connection] = _clock.GetTimestamp();

    /// <summary>It has said what it wants.</summary>
    public void Stop(ConnectionContext connection) => _waiting.TryRemove(connection, out _);

    /// <inheritdoc />
    public void Dispose() => _timer.Dispose();

    private void CutLate()
    {
        foreach (var (connection, startedAt) in _waiting)
            if (_clock.GetElapsedTime(startedAt) >= _limit && _waiting.TryRemove(connection, out _)) connection.Abort();
    }
}
