using Tidings.Server.Storage;

namespace Tidings.Server.Features.Conversations;

/// <summary>The conversation of two users, of which there is one: it is found by the pair, or begun.</summary>
internal static class DirectConversation
{
    /// <summary>Finds it or begins it.</summary>
    /// <param name="write">The unit.</param>
    /// <param name="id">Its id, if it begins now.</param>
    /// <param name="one">Who asks.</param>
    /// <param name="other">Whom it is with; known to exist.</param>
    /// <param name="now">The time.</param>
    /// <returns>Its id, and whether it began now.</returns>
    public static async ValueTask<(string Id, bool IsNew)> OpenAsync(IWriteUnit write, string id, string one, string other, DateTimeOffset now)
    {
        var row = new { Id = id, Pair = PairOf(one, other), One = one, Other = other, Now = now };
        if (await write.QuerySingleOrDefaultAsync<string>(Sql.Find, row) is { } known) return (known, false);
        if (await write.ExecuteAsync(Sql.Insert, row) == 0) return ((await write.QuerySingleOrDefaultAsync<string>(Sql.Find, row))!, false);
        write.Enqueue(Sql.InsertMembers, row);
        return (id, true);
    }

    /// <summary>What the conversation of two users is found by, whichever of them asks.</summary>
    public static string PairOf(string one, string other) =>
        string.CompareOrdinal(one, other) < 0 ? $"{one} {other}" : $"{other} {one}"; // no id has a space

    /// <summary>Whether one of two users has blocked the other.</summary>
    public static async ValueTask<bool> IsBlockedAsync(IWriteUnit write, string one, string other) =>
        await write.QuerySingleOrDefaultAsync<long>(Sql.Blocks, new { One = one, Other = other }) > 0;

    private static class Sql
    {
        public const string Find = "SELECT id FROM conversations WHERE pair = @Pair";

        public const string Insert = """
            INSERT INTO conversations (id, kind, pair, title, created_by, created_at, last_place, active_at)
            VALUES (@Id, 'direct', @Pair, '', @One, @Now, 0, @Now)
            ON CONFLICT (pair) DO NOTHING
            """;

        public const string InsertMembers =
            "INSERT INTO conversation_members (conversation_id, user_id, joined_at, read_place) VALUES (@Id, @One, @Now, 0), (@Id, @Other, @Now, 0)";

        public const string Blocks = """
            SELECT COUNT(*) FROM blocks
            WHERE (blocker_id = @One AND blocked_id = @Other) OR (blocker_id = @Other AND blocked_id = @One)
            """;
    }
}
