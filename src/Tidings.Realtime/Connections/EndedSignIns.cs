using System.Collections.Concurrent;
using Tidings.Realtime.Brokers;

namespace Tidings.Realtime.Connections;

/// <summary>
/// The sign-ins and tokens that were ended in the last minute: whoever came in, or signed in, while the user's connections were being closed
/// has not been on the list of those to close. Longer than that no handshake takes. Safe for all threads.
/// </summary>
internal sealed class EndedSignIns(TimeProvider clock)
{
    private static readonly TimeSpan KeptFor = TimeSpan.FromMinutes(1);

    private readonly ConcurrentDictionary<string, long> _sessions = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, (DateTimeOffset IssuedThrough, long At)> _turnedAway = new(StringComparer.Ordinal);

    /// <summary>Notes what was ended.</summary>
    public void Add(DisconnectUser ended)
    {
        if (ended.SessionId is { } sessionId) _sessions[sessionId] = clock.GetTimestamp();
        if (ended.IssuedThrough is { } moment) _turnedAway[ended.UserId] = (moment, clock.GetTimestamp());
    }

    /// <summary>Why a sign-in counts no more; null if it does.</summary>
    public CloseReason? Find(ClientIdentity identity)
    {
        if (identity.SessionId is { } sessionId && _sessions.ContainsKey(sessionId)) return CloseReason.InvalidToken;
        return IsTurnedAway(identity) ? CloseReason.Disconnected : null;
    }

    /// <summary>Forgets what is old.</summary>
    public void Forget()
    {
        foreach (var (sessionId, endedAt) in _sessions)
            if (clock.GetElapsedTime(endedAt) > KeptFor) _sessions.TryRemove(KeyValuePair.Create(sessionId, endedAt));
        foreach (var (userId, turned) in _turnedAway)
            if (clock.GetElapsedTime(turned.At) > KeptFor) _turnedAway.TryRemove(KeyValuePair.Create(userId, turned));
    }

    /// <summary>Whether its token counts no more. A sign-in by cookie is no token: it ends with its session.</summary>
    private bool IsTurnedAway(ClientIdentity identity) =>
        identity.UserId is { } userId && _turnedAway.TryGetValue(userId, out var turned)
        && (identity.IssuedAt is { } issuedAt ? issuedAt <= turned.IssuedThrough : identity.SessionId is null);
}
