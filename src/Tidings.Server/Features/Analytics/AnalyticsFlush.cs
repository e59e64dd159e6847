using System.Text.Json;
using Tidings.Server.Events;
using Tidings.Server.Storage;

namespace Tidings.Server.Features.Analytics;

/// <summary>Tells creators' clients their latest figures: at most once in five seconds for each, and the last ones always.</summary>
internal sealed class AnalyticsFlush(Store store, TimeProvider clock, ILogger<AnalyticsFlush> logger)
    : MarkFlush("the figures of creators", TimeSpan.FromSeconds(5), store, clock, logger)
{
    private const int Batch = 500;

    /// <inheritdoc />
    protected override async ValueTask<string?> FlushBatchAsync(IWriteUnit write, string after, DateTimeOffset now)
    {
        var creators = await write.QueryAsync<string>(Sql.Untold, new { After = after, Take = Batch });
        if (creators.Count == 0) return null;

        var ids = creators.Distinct(StringComparer.Ordinal).ToList();
        var one = new { Creators = JsonSerializer.Serialize(ids) };
        await write.ExecuteAsync(Sql.Tell, one);
        foreach (var figures in await write.QueryAsync<Figures>(Sql.Figures, one))
            await write.AppendAsync(new AnalyticsChanged(figures.CreatorId, new CreatorFigures(figures.Posts, figures.Likes, figures.Comments, figures.Followers), now));
        return creators.Count < Batch ? null : creators[^1];
    }

    private sealed record Figures(string CreatorId, long Posts, long Likes, long Comments, long Followers);

    private static class Sql
    {
        public const string Untold =
            "SELECT creator_id FROM creator_days WHERE is_told = 0 AND creator_id > @After ORDER BY creator_id LIMIT @Take /*FOR UPDATE SKIP LOCKED*/";

        public const string Tell = "UPDATE creator_days SET is_told = 1 WHERE is_told = 0 AND creator_id IN (SELECT value FROM json_each(@Creators))";

        public const string Figures = """
            SELECT u.id AS CreatorId, u.posts_count AS Posts, CAST(SUM(d.likes) AS bigint) AS Likes, CAST(SUM(d.comments) AS bigint) AS Comments, u.followers_count AS Followers
            FROM users u JOIN creator_days d ON d.creator_id = u.id
            WHERE u.id IN (SELECT value FROM json_each(@Creators))
            GROUP BY u.id, u.posts_count, u.followers_count
            """;
    }
}
