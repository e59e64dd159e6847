using Dapper;
using Tidings.Server.Auth;
using Tidings.Server.Host;
using Tidings.Server.Storage;

namespace Tidings.Server.Features.Analytics;

/// <summary>What one post got. Its author's alone: whoever else asks learns of no post.</summary>
internal static class GetPostAnalytics
{
    public static async Task<IResult> HandleAsync(string id, CurrentUser user, Store store, CancellationToken cancellationToken)
    {
        var asked = new { Post = id, Me = user.Id };
        var answer = await store.ReadAsync(
            async connection =>
            {
                if (await connection.QuerySingleOrDefaultAsync<PostFigures>(Sql.Post, asked) is not { } post) return null;
                var paid = (await connection.QueryAsync<PaidRow>(Sql.Paid, asked)).AsList();
                var platforms = (await connection.QueryAsync<PostOnPlatform>(Sql.Platforms, asked)).AsList();
                return new PostAnalyticsAnswer(
                    id, post.Likes, post.Comments, paid.Count(static row => row.Kind == "purchase"), paid.Count(static row => row.Kind == "tip"), Income.Of(paid), platforms);
            },
            cancellationToken);
        return answer is null ? Problems.NotFound("post") : TypedResults.Json(answer, AnalyticsJson.Answers.PostAnalyticsAnswer);
    }

    private sealed record PostFigures(long Likes, long Comments);

    private sealed record PaidRow(string Kind, string Amount, string Currency) : IIncome;

    private static class Sql
    {
        public const string Post = "SELECT likes_count AS Likes, comments_count AS Comments FROM posts WHERE id = @Post AND author_id = @Me AND deleted = 0";

        public const string Platforms =
            "SELECT id AS TargetId, platform AS Platform, state AS Status, url AS Url FROM targets WHERE post_id = @Post AND state <> 'canceled' ORDER BY id";

        public const string Paid = "SELECT kind AS Kind, amount AS Amount, currency AS Currency FROM payments WHERE post_id = @Post AND status = 'confirmed'";
    }
}
