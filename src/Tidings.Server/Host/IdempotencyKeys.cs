using Microsoft.AspNetCore.Http.HttpResults;
using Tidings.Server.Storage;

namespace Tidings.Server.Host;

/// <summary>The first answer to a request that had a key, as it is given again to every repetition.</summary>
internal sealed record FirstAnswer
{
    public byte[] RequestHash { get; init; } = [];
    public long Status { get; init; }
    public string? Location { get; init; }
    public byte[] Body { get; init; } = [];
}

/// <summary>
/// Makes repetitions safe: the answer is kept under the request's key in the transaction of what the request does, so there is one
/// effect and one answer, and a twin waits for the first. A key is good for 24 hours.
/// </summary>
internal static class IdempotencyKeys
{
    public const string Header = "Idempotency-Key";
    public const int MaxLength = 255;
    public static readonly TimeSpan Lifetime = TimeSpan.FromHours(24);

    /// <summary>Reads the header: null without one. The problem says that it is not 1 to 255 printable ASCII characters.</summary>
    public static string? Read(HttpRequest request, out ProblemHttpResult? problem)
    {
        problem = null;
        var values = request.Headers[Header];
        if (values.Count == 0) return null;
        if (values is [{ Length: > 0 and <= MaxLength } key] && key.All(character => character is >= ' ' and <= '~')) return key;

        problem = Problems.Invalid(Header, $"The key must be one value of 1 to {MaxLength} printable ASCII characters.");
        return null;
    }

    /// <summary>
    /// Keeps the answer to a request for its repetitions. Null if this is the first with the key; otherwise nothing is kept and the first
    /// answer is returned, and the unit does nothing more than give that.
    /// </summary>
    public static async ValueTask<FirstAnswer?> KeepFirstAsync(
        this IWriteUnit write, string userId, string key, DateTimeOffset now, FirstAnswer answer)
    {
        var row = new
        {
            UserId = userId,
            Key = key,
            answer.RequestHash,
            answer.Status,
            answer.Location,
            answer.Body,
            Now = now,
            ExpiredBefore = ExpiredBefore(now),
        };
        if (await write.ExecuteAsync(Sql.Keep, row).ConfigureAwait(false) > 0) return null;
        return await write.QuerySingleOrDefaultAsync<FirstAnswer>(Sql.Read, row).ConfigureAwait(false);
    }

    /// <summary>The answer to an earlier request with the key; null if there is none that still counts.</summary>
    public static ValueTask<FirstAnswer?> FindFirstAsync(this IWriteUnit write, string userId, string key, DateTimeOffset now) =>
        write.QuerySingleOrDefaultAsync<FirstAnswer>(Sql.ReadFresh, new { UserId = userId, Key = key, ExpiredBefore = ExpiredBefore(now) });

    /// <summary>Keeps more of an answer than was known at first.</summary>
    public static async ValueTask CompleteAsync(this IWriteUnit write, string userId, string key, byte[] body) =>
        await write.ExecuteAsync(Sql.Complete, new { UserId = userId, Key = key, Body = body }).ConfigureAwait(false);

    /// <summary>Gives a key back: nothing was done after all.</summary>
    public static async ValueTask ReleaseAsync(this IWriteUnit write, string userId, string key) =>
        await write.ExecuteAsync(Sql.Release, new { UserId = userId, Key = key }).ConfigureAwait(false);

    /// <summary>The newest time of a key that is over, in unix milliseconds.</summary>
    public static long ExpiredBefore(DateTimeOffset now) => (now - Lifetime).ToUnixTimeMilliseconds();

    private static class Sql
    {
        public const string Keep = """
            INSERT INTO idempotency_keys (user_id, key, request_hash, status, location, body, created_at)
            VALUES (@UserId, @Key, @RequestHash, @Status, @Location, @Body, @Now)
            ON CONFLICT (user_id, key) DO UPDATE
            SET request_hash = excluded.request_hash, status = excluded.status, location = excluded.location, body = excluded.body,
                created_at = excluded.created_at
            WHERE idempotency_keys.created_at < @ExpiredBefore
            """;

        public const string Read = """
            SELECT request_hash AS RequestHash, status AS Status, location AS Location, body AS Body
            FROM idempotency_keys WHERE user_id = @UserId AND key = @Key
            """;

        public const string ReadFresh = $"{Read} AND created_at >= @ExpiredBefore";

        public const string Complete = "UPDATE idempotency_keys SET body = @Body WHERE user_id = @UserId AND key = @Key";
        public const string Release = "DELETE FROM idempotency_keys WHERE user_id = @UserId AND key = @Key";
    }
}
