using Dapper;
using Tidings.Realtime.Channels;
using Tidings.Realtime.History;
using Tidings.Server.Auth;
using Tidings.Server.Events;
using Tidings.Server.Host;
using Tidings.Server.Storage;

namespace Tidings.Server.Features.Posts;

/// <summary>One post as its viewer may see it, with the position from which a subscription to its channel continues it.</summary>
internal static class GetPost
{
    public static async Task<IResult> HandleAsync(string id, Viewer viewer, Store store, IDurableEventLog log, TimeProvider clock, CancellationToken cancellationToken)
    {
        if (!ChannelName.IsId(id)) return Problems.NotFound("post");

        var now = clock.GetUtcNow().ToUnixTimeMilliseconds();
        var positions = await log.OfChannelAsync(EventChannels.Post(id), viewer.UserId, cancellationToken);
        var (row, liked) = await store.ReadAsync(
            async connection => (
                await connection.QuerySingleOrDefaultAsync<PostRow>(Sql.Post, new { Id = id, Me = viewer.UserId ?? "", NowMs = now }),
                viewer.UserId is null ? (bool?)null : await connection.ExecuteScalarAsync<long>(Sql.Liked, new { Id = id, Me = viewer.UserId }) > 0),
            cancellationToken);

        return row?.ForViewer() is not { } post
            ? Problems.NotFound("post")
            : TypedResults.Json(new PostAnswer(post, liked, positions), PostsJson.Answers.PostAnswer);
    }

    private static class Sql
    {
        public const string Post =
            $"SELECT {PostRow.Columns} FROM posts p JOIN users u ON u.id = p.author_id WHERE p.id = @Id AND p.deleted = 0";

        public const string Liked = "SELECT COUNT(*) FROM post_likes WHERE post_id = @Id AND user_id = @Me";
    }
}
