using System.Text.Json;
using Dapper;
using Tidings.Server.Events;
using Tidings.Server.Storage;

namespace Tidings.Server.ChannelAccess;

/// <summary>Reads what many users hold, in one snapshot.</summary>
internal static class RightsQueries
{
    /// <summary>The newest purchases of a user that live subscriptions know of; older posts are in full over HTTP.</summary>
    private const int MostPurchases = 10_000;

    public static async Task<IReadOnlyDictionary<string, HeldRights>> ReadAsync(Store store, IReadOnlyCollection<string> userIds, TimeProvider clock)
    {
        var asked = new { Users = JsonSerializer.Serialize(userIds), NowMs = clock.GetUtcNow().ToUnixTimeMilliseconds(), Most = MostPurchases };
        var (levels, purchases, blocks) = await store.ReadAsync(
            async connection => (
                (await connection.QueryAsync<Level>(Sql.Levels, asked).ConfigureAwait(false)).AsList(),
                (await connection.QueryAsync<Pair>(Sql.Purchases, asked).ConfigureAwait(false)).AsList(),
                (await connection.QueryAsync<Pair>(Sql.Blocks, asked).ConfigureAwait(false)).AsList()),
            CancellationToken.None).ConfigureAwait(false);

        var found = new Dictionary<string, HeldRights>(StringComparer.Ordinal);
        foreach (var user in levels.GroupBy(static row => row.UserId))
        {
            var byCreator = user.GroupBy(static row => row.CreatorId).ToDictionary(
                static creator => creator.Key,
                static creator => (IReadOnlyList<HeldLevel>)[.. creator.Select(static row => new HeldLevel(row.Held, DateTimeOffset.FromUnixTimeMilliseconds(row.ExpiresAt)))],
                StringComparer.Ordinal);
            found[user.Key] = Of(user.Key) with { Levels = byCreator };
        }

        foreach (var user in purchases.GroupBy(static row => row.UserId))
            found[user.Key] = Of(user.Key) with { Bought = user.Select(static row => row.Other).ToHashSet(StringComparer.Ordinal) };
        foreach (var user in blocks.GroupBy(static row => row.UserId))
            found[user.Key] = Of(user.Key) with { Apart = user.Select(static row => row.Other).ToHashSet(StringComparer.Ordinal) };
        return found;

        HeldRights Of(string user) => found.GetValueOrDefault(user) ?? HeldRights.None;
    }

    private sealed record Level(string UserId, string CreatorId, long Held, long ExpiresAt);

    private sealed record Pair(string UserId, string Other);

    private static class Sql
    {
        public const string Levels = """
            SELECT user_id AS UserId, creator_id AS CreatorId, level AS Held, expires_at AS ExpiresAt FROM subscriptions
            WHERE user_id IN (SELECT value FROM json_each(@Users)) AND status IN ('active', 'canceled') AND expires_at > @NowMs
            """;

        public const string Purchases = """
            SELECT UserId, Other FROM (
                SELECT user_id AS UserId, post_id AS Other, row_number() OVER (PARTITION BY user_id ORDER BY post_id DESC) AS place
                FROM purchases WHERE user_id IN (SELECT value FROM json_each(@Users))) AS newest
            WHERE place <= @Most
            """;

        public const string Blocks = """
            SELECT blocker_id AS UserId, blocked_id AS Other FROM blocks WHERE blocker_id IN (SELECT value FROM json_each(@Users))
            UNION ALL
            SELECT blocked_id AS UserId, blocker_id AS Other FROM blocks WHERE blocked_id IN (SELECT value FROM json_each(@Users))
            """;
    }
}
