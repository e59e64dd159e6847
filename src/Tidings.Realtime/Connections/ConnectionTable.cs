using System.Collections.Concurrent;

namespace Tidings.Realtime.Connections;

/// <summary>The open connections of this node, by id and by user. Safe for all threads.</summary>
internal sealed class ConnectionTable(int connectionsPerUser)
{
    private readonly ConcurrentDictionary<string, Connection> _byId = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, HashSet<Connection>> _byUser = new(StringComparer.Ordinal);

    /// <summary>How many there are.</summary>
    public int Count => _byId.Count;

    /// <summary>All of them, as they are while walking.</summary>
    public IEnumerable<Connection> All => _byId.Values;

    /// <summary>Adds a connection.</summary>
    /// <returns>False if its user has as many as allowed.</returns>
    public bool TryAdd(Connection connection)
    {
        if (connection.Identity.UserId is { } userId)
        {
            while (true)
            {
                var ofUser = _byUser.GetOrAdd(userId, static _ => []);
                lock (ofUser)
                {
                    if (ofUser.Count == 0 && _byUser.GetValueOrDefault(userId) != ofUser) continue; // given up a moment ago
                    if (ofUser.Count >= connectionsPerUser) return false;
                    ofUser.Add(connection);
                    break;
                }
            }
        }

        _byId[connection.Id] = connection;
        return true;
    }

    /// <summary>Forgets a connection.</summary>
    public void Remove(Connection connection)
    {
        _byId.TryRemove(connection.Id, out _);
        if (connection.Identity.UserId is not { } userId || !_byUser.TryGetValue(userId, out var ofUser)) return;
        lock (ofUser)
        {
            ofUser.Remove(connection);
            if (ofUser.Count == 0) _byUser.TryRemove(KeyValuePair.Create(userId, ofUser));
        }
    }

    /// <summary>The connections of a user.</summary>
    public IReadOnlyList<Connection> Of(string userId)
    {
        if (!_byUser.TryGetValue(userId, out var ofUser)) return [];
        lock (ofUser) return [.. ofUser];
    }
}
