using System.Text.Json;
using Tidings.Realtime.Channels;
using Tidings.Realtime.Feeds;
using Tidings.Server.Events;
using Tidings.Server.Storage;

namespace Tidings.Server.ChannelAccess;

/// <summary>What makes up a user's feed: the channels of the creators whom the user follows, each from the follow on, and the user's own.</summary>
internal sealed class FollowedCreators : IFeedSources
{
    private readonly BatchLoader<string, List<FeedSource>> _follows;

    public FollowedCreators(Store store, TimeProvider clock) =>
        _follows = new BatchLoader<string, List<FeedSource>>(followers => ReadFollowsAsync(store, followers), clock);

    /// <inheritdoc />
    public async ValueTask<IReadOnlyList<FeedSource>> ReadAsync(ChannelName feed, CancellationToken cancellationToken)
    {
        var followed = await _follows.LoadAsync(feed.Id, cancellationToken).ConfigureAwait(false);
        return [new FeedSource(EventChannels.Creator(feed.Id), Since: 0), .. followed ?? []];
    }

    private static async Task<IReadOnlyDictionary<string, List<FeedSource>>> ReadFollowsAsync(Store store, IReadOnlyCollection<string> followers)
    {
        var rows = await store.QueryAsync<Follow>(Sql.Follows, new { Followers = JsonSerializer.Serialize(followers) }, CancellationToken.None).ConfigureAwait(false);
        var sources = new Dictionary<string, List<FeedSource>>(StringComparer.Ordinal);
        foreach (var row in rows)
        {
            if (!sources.TryGetValue(row.FollowerId, out var list)) sources.Add(row.FollowerId, list = []);
            list.Add(new FeedSource(EventChannels.Creator(row.CreatorId), row.SinceSeq));
        }

        return sources;
    }

    private sealed record Follow(string FollowerId, string CreatorId, long SinceSeq);

    private static class Sql
    {
        public const string Follows = """
            SELECT follower_id AS FollowerId, creator_id AS CreatorId, since_seq AS SinceSeq
            FROM follows
            WHERE follower_id IN (SELECT value FROM json_each(@Followers))
            """;
    }
}
