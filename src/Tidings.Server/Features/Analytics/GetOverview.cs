using Dapper;
using Tidings.Server.Auth;
using Tidings.Server.Events;
using Tidings.Server.Host;
using Tidings.Server.Storage;

namespace Tidings.Server.Features.Analytics;

/// <summary>What the user has in all, and what came day by day.</summary>
internal static class GetOverview
{
    public static async Task<IResult> HandleAsync(
        CurrentUser user, Store store, TimeProvider clock, string? from, string? to, CancellationToken cancellationToken)
    {
        if (AnalyticsRange.Read(from, to, clock.GetUtcNow(), out var range) is { } problem) return problem;

        var asked = new
        {
            Me = user.Id,
            range.First,
            range.Last,
            FirstMs = CreatorDays.StartOf(range.First).ToUnixTimeMilliseconds(),
            EndMs = CreatorDays.StartOf(range.Last + 1).ToUnixTimeMilliseconds(),
        };
        var answer = await store.ReadAsync(
            async connection =>
            {
                var totals = await connection.QuerySingleOrDefaultAsync<TotalsRow>(Sql.Totals, asked) ?? new TotalsRow();
                var days = (await connection.QueryAsync<DayRow>(Sql.Days, asked)).ToDictionary(day => day.Day);
                var posts = (await connection.QueryAsync<PostsRow>(Sql.Posts, asked)).ToDictionary(day => day.Day, day => day.Posts);
                var income = (await connection.QueryAsync<IncomeRow>(Sql.Income, asked)).ToLookup(row => row.Day);

                var platforms = (await connection.QueryAsync<PlatformRow>(Sql.Platforms, asked)).Select(static row => new PlatformFigures(row.Platform, row.Posts, row.Published, row.Failed));

                var series = new List<DayFigures>();
                for (var day = range.First; day <= range.Last; day++)
                {
                    var counted = days.GetValueOrDefault(day);
                    series.Add(new DayFigures(
                        AnalyticsRange.TextOf(day), posts.GetValueOrDefault(day), counted?.Likes ?? 0, counted?.Comments ?? 0, counted?.Followers ?? 0, Income.Of(income[day])));
                }

                return new OverviewAnswer(
                    AnalyticsRange.TextOf(range.First), AnalyticsRange.TextOf(range.Last),
                    new CreatorFigures(totals.Posts, totals.Likes, totals.Comments, totals.Followers), Income.Of(income.SelectMany(static day => day)), [.. platforms], series);
            },
            cancellationToken);
        return TypedResults.Json(answer, AnalyticsJson.Answers.OverviewAnswer);
    }

    // Rows with columns that are computed have properties: without any row, SQLite does not know the types of such columns, which a constructor asks for.
    private sealed record TotalsRow
    {
        public long Posts { get; init; }
        public long Likes { get; init; }
        public long Comments { get; init; }
        public long Followers { get; init; }
    }

    private sealed record PostsRow
    {
        public long Day { get; init; }
        public long Posts { get; init; }
    }

    private sealed record PlatformRow
    {
        public string Platform { get; init; } = "";
        public long Posts { get; init; }
        public long Published { get; init; }
        public long Failed { get; init; }
    }

    private sealed record DayRow(long Day, long Likes, long Comments, long Followers);

    private static class Sql
    {
        public const string Totals = """
            SELECT u.posts_count AS Posts,
                   CAST(coalesce((SELECT SUM(d.likes) FROM creator_days d WHERE d.creator_id = u.id), 0) AS bigint) AS Likes,
                   CAST(coalesce((SELECT SUM(d.comments) FROM creator_days d WHERE d.creator_id = u.id), 0) AS bigint) AS Comments,
                   u.followers_count AS Followers
            FROM users u WHERE u.id = @Me
            """;

        public const string Days =
            "SELECT day AS Day, likes AS Likes, comments AS Comments, followers AS Followers FROM creator_days WHERE creator_id = @Me AND day BETWEEN @First AND @Last";

        public const string Posts = """
            SELECT created_at / 86400000 AS Day, COUNT(*) AS Posts FROM posts
            WHERE author_id = @Me AND deleted = 0 AND status = 'published' AND created_at >= @FirstMs AND created_at < @EndMs
            GROUP BY created_at / 86400000
            """;

        public const string Platforms = """
            SELECT platform AS Platform, COUNT(*) AS Posts,
                   COUNT(CASE WHEN state = 'succeeded' THEN 1 END) AS Published, COUNT(CASE WHEN state IN ('failed', 'skipped') THEN 1 END) AS Failed
            FROM targets WHERE user_id = @Me AND state <> 'canceled' AND due_at >= @FirstMs AND due_at < @EndMs
            GROUP BY platform ORDER BY platform
            """;

        // Amounts are text, so that no digit is lost: they are added up here, not there.
        public const string Income = """
            SELECT updated_at / 86400000 AS Day, amount AS Amount, currency AS Currency FROM payments
            WHERE creator_id = @Me AND status = 'confirmed' AND updated_at >= @FirstMs AND updated_at < @EndMs
            """;
    }
}
