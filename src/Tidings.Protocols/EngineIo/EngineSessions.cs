using System.Collections.Concurrent;
using System.Diagnostics.CodeAnalysis;

namespace Tidings.Protocols.EngineIo;

/// <summary>The sessions of one endpoint, and the one timer that looks after all of them. Safe for all threads.</summary>
internal sealed class EngineSessions : IDisposable
{
    private readonly ConcurrentDictionary<string, EngineSession> _sessions = new(StringComparer.Ordinal);
    private readonly ITimer _timer;

    /// <summary>Makes an empty table, whose time runs.</summary>
    public EngineSessions(EngineIoSettings settings, TimeProvider clock)
    {
        Settings = settings;
        Clock = clock;
        _timer = clock.CreateTimer(_ => Tick(), null, settings.Resolution, settings.Resolution);
    }

    /// <summary>The times and limits.</summary>
    public EngineIoSettings Settings { get; }

    /// <summary>The time.</summary>
    public TimeProvider Clock { get; }

    /// <summary>How many there are.</summary>
    public int Count => _sessions.Count;

    /// <summary>All of them, as they are while walking.</summary>
    public IEnumerable<EngineSession> All => _sessions.Values;

    /// <summary>Takes one in.</summary>
    public void Add(EngineSession session) => _sessions[session.Sid] = session;

    /// <summary>Finds one by what its client names it.</summary>
    public bool TryFind(string sid, [NotNullWhen(true)] out EngineSession? session) => _sessions.TryGetValue(sid, out session);

    /// <summary>Nothing is left to say in it.</summary>
    public void Remove(EngineSession session) => _sessions.TryRemove(session.Sid, out _);

    /// <inheritdoc />
    public void Dispose() => _timer.Dispose();

    private void Tick()
    {
        var now = Clock.GetTimestamp();
        foreach (var session in _sessions.Values)
            if (!session.Tick(now)) Remove(session);
    }
}
