using System.Text.Json;
using Tidings.Server.Events;
using Tidings.Server.Features.Analytics;
using Tidings.Server.Storage;

namespace Tidings.Server.Features.Likes;

/// <summary>
/// Publishes the latest figures of posts whose counters changed: at most one event per post in 100 ms, and the last one always.
/// </summary>
internal sealed class CounterFlush(Store store, TimeProvider clock, ILogger<CounterFlush> logger) : MarkFlush("the counters of posts", TimeSpan.FromMilliseconds(100), store, clock, logger)
{
    private const int Batch = 500;

    /// <inheritdoc />
    protected override async ValueTask<string?> FlushBatchAsync(IWriteUnit write, string after, DateTimeOffset now)
    {
        var marks = await write.QueryAsync<Mark>(Sql.Read, new { After = after, Take = Batch });
        if (marks.Count == 0) return null;

        await write.ExecuteAsync(Sql.Remove, new { Posts = JsonSerializer.Serialize(marks.Select(mark => mark.PostId)) });
        foreach (var mark in marks)
        {
            if (mark.LikesCount is not { } likes) continue; // the post is gone: post_deleted has said so
            var changes = mark.Likes + mark.Unlikes;
            await write.AppendAsync(mark.LatestLiked != 0
                ? new PostLiked(mark.PostId, likes, mark.Version ?? 0, mark.LatestUser, changes, now)
                : new PostUnliked(mark.PostId, likes, mark.Version ?? 0, mark.LatestUser, changes, now));
        }

        foreach (var author in marks.Where(static mark => mark.AuthorId is not null).GroupBy(static mark => mark.AuthorId!, StringComparer.Ordinal).OrderBy(static author => author.Key, StringComparer.Ordinal))
            CreatorDays.CountLikes(write, author.Key, author.Sum(static mark => mark.Likes - mark.Unlikes), now);
        return marks.Count < Batch ? null : marks[^1].PostId;
    }

    private sealed record Mark(string PostId, long Likes, long Unlikes, string LatestUser, long LatestLiked, long? LikesCount, long? Version, string? AuthorId);

    private static class Sql
    {
        public const string Read = """
            SELECT m.post_id AS PostId, m.likes AS Likes, m.unlikes AS Unlikes, m.latest_user AS LatestUser, m.latest_liked AS LatestLiked,
                   p.likes_count AS LikesCount, p.version AS Version, p.author_id AS AuthorId
            FROM pending_counters m LEFT JOIN posts p ON p.id = m.post_id AND p.deleted = 0
            WHERE m.post_id > @After ORDER BY m.post_id LIMIT @Take /*FOR UPDATE OF m SKIP LOCKED*/
            """;

        public const string Remove = "DELETE FROM pending_counters WHERE post_id IN (SELECT value FROM json_each(@Posts))";
    }
}
