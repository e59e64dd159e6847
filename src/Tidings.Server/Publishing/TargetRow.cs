namespace Tidings.Server.Publishing;

/// <summary>The states of a target, as the database has them and clients see them.</summary>
internal static class TargetStates
{
    /// <summary>Its time has not come, or nobody has begun.</summary>
    public const string Pending = "pending";

    /// <summary>A node has it and has sent nothing yet.</summary>
    public const string Claimed = "claimed";

    /// <summary>An attempt is in the database, and may be on its way.</summary>
    public const string Sending = "sending";

    public const string Succeeded = "succeeded";

    /// <summary>An attempt has failed, and another follows.</summary>
    public const string RetryWait = "retry_wait";

    /// <summary>It may have been posted or not, and only its author can say.</summary>
    public const string Unknown = "unknown";

    public const string Failed = "failed";

    /// <summary>Its time went by while nobody published.</summary>
    public const string Skipped = "skipped";

    public const string Canceled = "canceled";

    /// <summary>Whether nothing more happens to it by itself.</summary>
    public static bool IsSettled(string state) => state is Succeeded or Unknown or Failed or Skipped or Canceled;
}

/// <summary>A row of <c>targets</c>. Times are Unix milliseconds.</summary>
internal sealed record TargetRow
{
    /// <summary>The name of Tidings' own feed among the platforms.</summary>
    public const string OwnFeed = "tidings";

    public const long MaybePosted = 1;
    public const long LookFirst = 2;

    /// <summary>The columns as the properties are named, without a table before them: SQLite takes none where a change returns its rows.</summary>
    public const string Columns = """
        id AS Id, post_id AS PostId, user_id AS UserId, account_id AS AccountId, platform AS Platform, lane AS Lane, state AS State, due_at AS DueAt,
        next_at AS NextAt, miss_at AS MissAt, give_up_at AS GiveUpAt, revision AS Revision, idempotency_key AS IdempotencyKey, attempt AS Attempt,
        tries AS Tries, first_attempt_at AS FirstAttemptAt, doubt AS Doubt, progress AS Progress, url AS Url, reason AS Reason
        """;

    public required string Id { get; init; }
    public string PostId { get; init; } = "";
    public string UserId { get; init; } = "";

    /// <summary>Empty for the own feed.</summary>
    public string AccountId { get; init; } = "";

    public string Platform { get; init; } = "";
    public string Lane { get; init; } = "";
    public string State { get; init; } = "";
    public long DueAt { get; init; }
    public long NextAt { get; init; }
    public long MissAt { get; init; }
    public long GiveUpAt { get; init; }
    public long Revision { get; init; }
    public string IdempotencyKey { get; init; } = "";

    /// <summary>The fencing token: rises with each claim, and whoever has an older one writes no more.</summary>
    public long Attempt { get; init; }

    public long Tries { get; init; }
    public long? FirstAttemptAt { get; init; }

    /// <summary>Whether an attempt may have posted it (<see cref="MaybePosted"/>), so that it is looked for before it is sent again (<see cref="LookFirst"/>).</summary>
    public long Doubt { get; init; }


    public string? Progress { get; init; }
    public string? Url { get; init; }
    public string? Reason { get; init; }

    /// <summary>The key of a target's revision: letters, digits and <c>-</c>.</summary>
    public static string KeyOf(string targetId, long revision) => FormattableString.Invariant($"{targetId}-{revision}");
}

/// <summary>Ids of targets: UUIDv7 that rise within this process, also within a millisecond, so that what is asked for first is published first.</summary>
internal static class TargetIds
{
    private static readonly Lock Gate = new();
    private static long _lastMs;
    private static int _inMs;

    /// <summary>A new id, 32 hex digits.</summary>
    public static string Next(DateTimeOffset now)
    {
        long at;
        int number;
        lock (Gate)
        {
            at = now.ToUnixTimeMilliseconds();
            if (at > _lastMs) (_lastMs, _inMs) = (at, 0);
            else if (++_inMs > 0xFFF) (_lastMs, _inMs) = (_lastMs + 1, 0);
            (at, number) = (_lastMs, _inMs);
        }

        var id = Guid.CreateVersion7(DateTimeOffset.FromUnixTimeMilliseconds(at)).ToString("N");
        return string.Concat(id.AsSpan(0, 13), number.ToString("x3", System.Globalization.CultureInfo.InvariantCulture), id.AsSpan(16));
    }
}
