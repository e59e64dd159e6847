using Dapper;
using Tidings.Server.Storage;

namespace Tidings.Server.Features.Access;

/// <summary>How much of a post a viewer sees.</summary>
internal enum PostView
{
    /// <summary>Nothing, not even that it is there.</summary>
    Hidden,

    /// <summary>That it is there, and what it takes to see the rest.</summary>
    Preview,

    /// <summary>All of it.</summary>
    Full,
}

/// <summary>What a viewer sees of a post, and whose it is; the author is empty if there is no such post for the viewer.</summary>
internal readonly record struct PostStanding(PostView View, string AuthorId)
{
    /// <summary>There is no such post, or not for this viewer; which of the two is not told.</summary>
    public static PostStanding None { get; } = new(PostView.Hidden, "");

    /// <summary>Whether the viewer may know of the post.</summary>
    public bool IsThere => View != PostView.Hidden;
}

/// <summary>
/// The one rule of who sees what of a post: (viewer, post) in, a view out. Whatever shows a post, or says anything of one, asks here or
/// reads <see cref="PostFacts.Columns"/> with its rows and asks <see cref="Of(in PostFacts)"/>. Events ask the same by rights
/// (<see cref="PostRight"/>).
/// </summary>
internal sealed class PostAccess(Store store, TimeProvider clock)
{
    /// <summary>The rule.</summary>
    public static PostView Of(in PostFacts post) => post switch
    {
        { IsDeleted: true } => PostView.Hidden,
        { IsAuthor: true } => PostView.Full,
        { IsPublished: false } => PostView.Hidden,
        { IsBlocked: true } => PostView.Hidden,
        { IsLocked: false } => PostView.Full,
        { HasBought: true } => PostView.Full,
        { TierLevel: { } wanted, SubscribedLevel: var held } when held >= wanted => PostView.Full,
        _ => PostView.Preview,
    };

    /// <summary>What a viewer sees of a post now.</summary>
    /// <param name="viewerId">The user, or null for a visitor.</param>
    /// <param name="postId">The post; any text.</param>
    /// <param name="cancellationToken">Ends the reading.</param>
    public async ValueTask<PostStanding> OfAsync(string? viewerId, string postId, CancellationToken cancellationToken)
    {
        var asked = Asked(viewerId, postId, clock.GetUtcNow());
        return StandingOf(await store.ReadAsync(
            connection => connection.QuerySingleOrDefaultAsync<PostFactsRow>(PostFactsRow.OfPost, asked), cancellationToken).ConfigureAwait(false));
    }

    /// <summary>The same inside of a unit of work. It locks nothing: read what must stay as it is with a statement of your own.</summary>
    public static async ValueTask<PostStanding> OfAsync(IWriteUnit write, string? viewerId, string postId, DateTimeOffset now) =>
        StandingOf(await write.QuerySingleOrDefaultAsync<PostFactsRow>(PostFactsRow.OfPost, Asked(viewerId, postId, now)).ConfigureAwait(false));

    private static object Asked(string? viewerId, string postId, DateTimeOffset now) => new { Post = postId, Me = viewerId ?? "", NowMs = now.ToUnixTimeMilliseconds() };

    private static PostStanding StandingOf(PostFactsRow? row)
    {
        if (row is null) return PostStanding.None;
        var view = row.View();
        return view == PostView.Hidden ? PostStanding.None : new PostStanding(view, row.AuthorId);
    }
}
