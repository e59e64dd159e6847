namespace Tidings.Realtime.Connections;

/// <summary>The open connections of this node, and those of each user. Safe for all threads.</summary>
internal sealed class ConnectionTable(int connectionsPerUser)
{
    private readonly Lock _lock = new();
    private readonly HashSet<Connection> _all = [];

    // A connection, or a list of them: most users have one, and a collection for each would weigh more than the entry.
    private readonly Dictionary<string, object> _byUser = new(StringComparer.Ordinal);

    /// <summary>How many there are.</summary>
    public int Count
    {
        get
        {
            lock (_lock) return _all.Count;
        }
    }

    /// <summary>All of them, as they are now.</summary>
    public IReadOnlyList<Connection> All
    {
        get
        {
            lock (_lock) return [.. _all];
        }
    }

    /// <summary>Adds a connection.</summary>
    /// <returns>False if its user has as many as allowed, or one with its id.</returns>
    public bool TryAdd(Connection connection)
    {
        lock (_lock)
        {
            if (connection.Identity.UserId is { } userId && !TryAddOfUser(userId, connection)) return false;
            _all.Add(connection);
            return true;
        }
    }

    /// <summary>Makes an anonymous connection a user's. On the connection's shard.</summary>
    /// <returns>False if the user has as many as allowed.</returns>
    public bool TryIdentify(Connection connection, ClientIdentity identity)
    {
        ArgumentNullException.ThrowIfNull(identity.UserId);
        lock (_lock)
        {
            if (!_all.Contains(connection) || !TryAddOfUser(identity.UserId, connection)) return false;
            connection.Identity = identity;
            return true;
        }
    }

    /// <summary>Forgets a connection.</summary>
    public void Remove(Connection connection)
    {
        lock (_lock)
        {
            if (!_all.Remove(connection) || connection.Identity.UserId is not { } userId) return;
            if (_byUser[userId] is List<Connection> { Count: > 1 } several) several.Remove(connection);
            else _byUser.Remove(userId);
        }
    }

    /// <summary>The connections of a user.</summary>
    public IReadOnlyList<Connection> Of(string userId)
    {
        lock (_lock) return _byUser.GetValueOrDefault(userId) switch
        {
            Connection one => [one],
            List<Connection> several => [.. several],
            _ => [],
        };
    }

    /// <summary>Protocols whose clients come back under their old id may do so twice at a time: the second is another connection.</summary>
    private static bool HasId(object? present, string id) => present switch
    {
        null => false,
        List<Connection> several => several.Exists(other => other.Id == id),
        _ => ((Connection)present).Id == id,
    };

    private bool TryAddOfUser(string userId, Connection connection)
    {
        var present = _byUser.GetValueOrDefault(userId);
        var count = present switch { null => 0, List<Connection> several => several.Count, _ => 1 };
        if (count >= connectionsPerUser || HasId(present, connection.Id)) return false;

        if (present is null) _byUser.Add(userId, connection);
        else if (present is List<Connection> several) several.Add(connection);
        else _byUser[userId] = new List<Connection>(2) { (Connection)present, connection };
        return true;
    }
}
