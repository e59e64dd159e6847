using System.Text.Json.Serialization;
using Tidings.Realtime.Channels;
using Tidings.Server.Auth;
using Tidings.Server.Host;

namespace Tidings.Server.Features.Likes;

/// <summary>
/// Likes a post that the user may know of, or takes the like back. Asked twice it is done once. The events are left to <see cref="CounterFlush"/> and
/// <see cref="LikeNotices"/>: the transaction only marks the post, so that a thousand likes are not a thousand events.
/// </summary>
internal static class LikePost
{
    public static Task<IResult> LikeAsync(string id, CurrentUser user, LikeWriter writer, CancellationToken cancellationToken) =>
        ChangeAsync(id, user.Id, isLiked: true, writer, cancellationToken);

    public static Task<IResult> UnlikeAsync(string id, CurrentUser user, LikeWriter writer, CancellationToken cancellationToken) =>
        ChangeAsync(id, user.Id, isLiked: false, writer, cancellationToken);

    private static async Task<IResult> ChangeAsync(string postId, string userId, bool isLiked, LikeWriter writer, CancellationToken cancellationToken) =>
        ChannelName.IsId(postId) && await writer.ChangeAsync(postId, userId, isLiked, cancellationToken) is { } count
            ? TypedResults.Json(new LikesAnswer(count, isLiked), LikesJson.Default.LikesAnswer)
            : Problems.NotFound("post");
}

/// <summary>How many like the post now, and whether the user does.</summary>
internal sealed record LikesAnswer(long LikesCount, bool Liked);

/// <summary>The shape of the likes' answers.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(LikesAnswer))]
internal sealed partial class LikesJson : JsonSerializerContext;
