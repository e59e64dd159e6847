using Tidings.Realtime;
using Tidings.Realtime.Connections;

namespace Tidings.Protocols.Pusher;

/// <summary>
/// Tells signed-in users who of those they watch is online: at once when they sign in, then of changes. It asks for all who are watched from this
/// node together, every few seconds, and for nobody if nobody is. Who does not want to be seen online is offline here too. Safe for all threads.
/// </summary>
internal sealed class PusherWatchlists(RealtimeEngine engine)
{
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(2);

    private readonly Lock _lock = new();
    private readonly Dictionary<string, Watched> _watched = new(StringComparer.Ordinal);
    private ITimer? _timer;
    private int _isLooking;

    /// <summary>From now on a connection hears of these users. Called once for a connection; what it hears first is how they all are.</summary>
    public async Task WatchAsync(Connection connection, IReadOnlyList<string> userIds)
    {
        if (userIds.Count == 0 || engine.Options.OnlineChannel is not { } online) return;
        lock (_lock)
        {
            foreach (var userId in userIds)
            {
                if (!_watched.TryGetValue(userId, out var watched)) _watched[userId] = watched = new Watched();
                watched.By.Add(connection);
            }

            _timer ??= engine.Clock.CreateTimer(_ => _ = LookAsync(), null, Interval, Interval);
        }

        try
        {
            var present = await engine.Members.FindAsync(online, userIds, CancellationToken.None);
            lock (_lock)
                foreach (var userId in userIds)
                    if (_watched.TryGetValue(userId, out var watched)) watched.IsOnline ??= present.Contains(userId);
            Tell(connection, [.. userIds.Distinct(StringComparer.Ordinal).Select(userId => (userId, present.Contains(userId)))]);
        }
#pragma warning disable CA1031 // The sign-in stands; the next look tells of who is there.
        catch (Exception exception)
#pragma warning restore CA1031
        {
            engine.LogFault("looking for who is online", exception);
        }
    }

    /// <summary>A connection is gone.</summary>
    public void Forget(Connection connection, IReadOnlyList<string> userIds)
    {
        lock (_lock)
        {
            foreach (var userId in userIds)
            {
                if (!_watched.TryGetValue(userId, out var watched)) continue;
                watched.By.Remove(connection);
                if (watched.By.Count == 0) _watched.Remove(userId);
            }

            if (_watched.Count > 0) return;
            _timer?.Dispose();
            _timer = null;
        }
    }

    private async Task LookAsync()
    {
        if (Interlocked.Exchange(ref _isLooking, 1) != 0) return;
        try
        {
            string[] userIds;
            lock (_lock) userIds = [.. _watched.Keys];
            var present = await engine.Members.FindAsync(engine.Options.OnlineChannel!, userIds, CancellationToken.None);
            foreach (var (connection, changes) in Changes(userIds, present)) Tell(connection, changes);
        }
#pragma warning disable CA1031 // The next look tells.
        catch (Exception exception)
#pragma warning restore CA1031
        {
            engine.LogFault("looking for who is online", exception);
        }
        finally
        {
            Volatile.Write(ref _isLooking, 0);
        }
    }

    private Dictionary<Connection, List<(string UserId, bool IsOnline)>> Changes(string[] userIds, IReadOnlySet<string> present)
    {
        var changes = new Dictionary<Connection, List<(string, bool)>>();
        lock (_lock)
        {
            foreach (var userId in userIds)
            {
                var isOnline = present.Contains(userId);
                if (!_watched.TryGetValue(userId, out var watched) || watched.IsOnline == isOnline) continue;
                watched.IsOnline = isOnline;
                foreach (var connection in watched.By)
                {
                    if (!changes.TryGetValue(connection, out var told)) changes[connection] = told = [];
                    told.Add((userId, isOnline));
                }
            }
        }

        return changes;
    }

    private static void Tell(Connection connection, List<(string UserId, bool IsOnline)> changes) =>
        connection.Send(new PusherReply(PusherJson.Event("pusher_internal:watchlist_events", null, json =>
        {
            json.WriteStartArray("events"u8);
            foreach (var group in changes.GroupBy(static change => change.IsOnline))
            {
                json.WriteStartObject();
                json.WriteString("name"u8, group.Key ? "online" : "offline");
                json.WriteStartArray("user_ids"u8);
                foreach (var (userId, _) in group) json.WriteStringValue(userId);
                json.WriteEndArray();
                json.WriteEndObject();
            }

            json.WriteEndArray();
        })));

    /// <summary>One user.</summary>
    private sealed class Watched
    {
        /// <summary>Whether the user was online at the last look; null before the first.</summary>
        public bool? IsOnline { get; set; }

        /// <summary>Who watches.</summary>
        public HashSet<Connection> By { get; } = [];
    }
}
