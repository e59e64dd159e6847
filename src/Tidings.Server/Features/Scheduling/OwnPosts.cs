using Dapper;
using Tidings.Realtime.Channels;
using Tidings.Server.Features.Access;
using Tidings.Server.Features.Posts;
using Tidings.Server.Host;
using Tidings.Server.Publishing;
using Tidings.Server.Storage;

namespace Tidings.Server.Features.Scheduling;

/// <summary>What requests of an author about a post of theirs have in common: whose it is, and what they are answered.</summary>
internal static class OwnPosts
{
    /// <summary>It cannot be scheduled any more: 409.</summary>
    public static IResult TooLate { get; } =
        Problems.Problem(409, "already_published", "This post is published, or on its way: single targets can be tried again or resolved.");

    /// <summary>Reads a post of the author's; or says that there is none, or that it is another's.</summary>
    public static async Task<(PostRow? Row, IResult? Problem)> ReadAsync(Store store, string id, string authorId, DateTimeOffset now, CancellationToken cancellationToken)
    {
        if (!ChannelName.IsId(id)) return (null, Problems.NotFound("post"));
        var row = await store.ReadAsync(
            connection => connection.QuerySingleOrDefaultAsync<PostRow>(Sql.Post, new { Id = id, Me = authorId, NowMs = now.ToUnixTimeMilliseconds() }), cancellationToken);
        if (row is null || row.View() == PostView.Hidden) return (null, Problems.NotFound("post"));
        return row.AuthorId == authorId ? (row, null) : (null, Problems.Problem(403, "forbidden", "This post is not yours."));
    }

    /// <summary>Whether a post of this status may be given a time, or another one.</summary>
    public static bool MayBeScheduled(string status) =>
        status is "draft" or PostStates.Scheduled or PostStates.Missed or PostStates.Canceled or PostStates.Failed;

    /// <summary>Settles a locked post whose targets have changed, and makes the answer of it.</summary>
    public static async ValueTask<ScheduleAnswer> AnswerAsync(IWriteUnit write, LockedPost post, string authorId, ScheduleView? schedule, DateTimeOffset now)
    {
        await PostTargets.SettleAsync(write, post, isSuccess: false, now);
        var row = (await FeedPublication.LockAsync(write, post.Id, authorId, now))!;
        var targets = await PostTargets.ReadAsync(write, post.Id);
        return new ScheduleAnswer(true, row.Whole(), [.. targets.Select(PostTargets.ViewOf)], schedule);
    }

    private static class Sql
    {
        public const string Post = $"SELECT {PostRow.Columns} FROM posts p JOIN users u ON u.id = p.author_id WHERE p.id = @Id AND p.deleted = 0";
    }
}
