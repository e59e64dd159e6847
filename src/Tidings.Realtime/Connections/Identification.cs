using Tidings.Realtime.Scheduling;

namespace Tidings.Realtime.Connections;

/// <summary>What became of a sign-in on an open connection.</summary>
internal enum IdentifyResult
{
    /// <summary>The connection is the user's, from now on or already.</summary>
    Done,

    /// <summary>It is another user's, and stays so.</summary>
    AnotherUser,

    /// <summary>The user has as many connections as allowed.</summary>
    OverLimit,

    /// <summary>What the sign-in stands on was ended, or the connection is being closed.</summary>
    Ended,
}

/// <summary>
/// Makes an anonymous connection a user's, once, for protocols whose clients sign in after they have connected. It stays on its shard;
/// what is kept per user is found by <see cref="Presence.HomeMembers"/>. Its subscriptions of before stay as they are.
/// </summary>
internal static class Identification
{
    public static Task<IdentifyResult> RunAsync(RealtimeEngine engine, Connection connection, ClientIdentity identity)
    {
        var done = new TaskCompletionSource<IdentifyResult>(engine.Scheduler.Completions);
        connection.Shard.Post(() => done.TrySetResult(Run(engine, connection, identity)));
        return done.Task;
    }

    private static IdentifyResult Run(RealtimeEngine engine, Connection connection, ClientIdentity identity)
    {
        if (connection.IsClosing || connection.ShardIndex < 0) return IdentifyResult.Ended;
        if (connection.Identity.UserId is { } present) return present == identity.UserId ? IdentifyResult.Done : IdentifyResult.AnotherUser;
        if (!engine.Connections.TryIdentify(connection, identity))
        {
            engine.Metrics.CountRefusal(Refusal.ConnectionsPerUser);
            return IdentifyResult.OverLimit;
        }

        engine.Home.Connect(connection);

        // Whoever ended the user's connections before it was on the list has not told this one.
        if (engine.EndedSignIns.Find(identity) is not { } end) return IdentifyResult.Done;
        connection.Close(end);
        return IdentifyResult.Ended;
    }
}
