using System.Text.Json;
using Tidings.Realtime;
using Tidings.Realtime.Connections;
using Tidings.Realtime.Fanout;
using Tidings.Server.Events;
using Tidings.Server.Features.Access;
using Tidings.Server.Features.Conversations;
using Tidings.Server.Storage;

namespace Tidings.Server.ChannelAccess;

/// <summary>
/// What a change of rights does to live subscriptions on this node beyond the form of their events: a block ends them, a locked post's
/// past is taken out of memory. Each is done at once, and once more for what was on its way.
/// </summary>
internal sealed partial class AccessRun(RealtimeEngine engine, LiveRights rights, Store store, TimeProvider clock, ILogger<AccessRun> logger) : IHostedService
{
    /// <summary>Longer than it takes to let a reader in who was asked for before, or to read a channel's newest events.</summary>
    private static readonly TimeSpan OnItsWay = TimeSpan.FromSeconds(3);

    public Task StartAsync(CancellationToken cancellationToken)
    {
        rights.Parted += Part;
        rights.PostRewritten += Rewrite;
        return Task.CompletedTask;
    }

    public Task StopAsync(CancellationToken cancellationToken)
    {
        rights.Parted -= Part;
        rights.PostRewritten -= Rewrite;
        return Task.CompletedTask;
    }

    private void Rewrite(PostRewrittenPayload change)
    {
        RewriteNow();
        _ = LaterAsync();

        void RewriteNow() => HistoryRewrite.Run(
            engine, PostHistory.ChannelsOf(change.PostId, change.AuthorId), PostHistory.RewriterOf(change));

        async Task LaterAsync()
        {
            await Task.Delay(OnItsWay, clock).ConfigureAwait(false);
            RewriteNow();
        }
    }

    private void Part(string one, string other) => _ = Task.Run(async () =>
    {
        await PartNowAsync(one, other).ConfigureAwait(false);
        await Task.Delay(OnItsWay, clock).ConfigureAwait(false);
        await PartNowAsync(one, other).ConfigureAwait(false);
    });

    private async Task PartNowAsync(string one, string other)
    {
        try
        {
            await EndAsync(one, other).ConfigureAwait(false);
            await EndAsync(other, one).ConfigureAwait(false);
            await EndConversationAsync(one, other).ConfigureAwait(false);
        }
#pragma warning disable CA1031 // The second time, or the reader's next subscription, finds it.
        catch (Exception exception)
#pragma warning restore CA1031
        {
            Log.NotEnded(logger, exception);
        }
    }

    /// <summary>Ends what a user reads of an author.</summary>
    private async Task EndAsync(string readerId, string authorId)
    {
        await engine.RevokeHereAsync(EventChannels.Creator(authorId), readerId).ConfigureAwait(false);
        var posts = new HashSet<string>(StringComparer.Ordinal);
        foreach (var connection in engine.ConnectionsOf(readerId))
            posts.UnionWith(await PostsReadByAsync(connection).ConfigureAwait(false));
        if (posts.Count == 0) return;

        var asked = new { Posts = JsonSerializer.Serialize(posts), Author = authorId };
        foreach (var id in await store.QueryAsync<string>(Sql.OfAuthor, asked, CancellationToken.None).ConfigureAwait(false))
            await engine.RevokeHereAsync(EventChannels.Post(id), readerId).ConfigureAwait(false);
    }

    /// <summary>Ends what two users see of each other in the conversation of the two: messages that come, typing, who is there.</summary>
    private async Task EndConversationAsync(string one, string other)
    {
        if (!engine.ConnectionsOf(one).Any() && !engine.ConnectionsOf(other).Any()) return;
        var asked = new { Pair = DirectConversation.PairOf(one, other) };
        foreach (var id in await store.QueryAsync<string>(Sql.OfPair, asked, CancellationToken.None).ConfigureAwait(false))
        {
            await engine.RevokeHereAsync(EventChannels.Conversation(id), one).ConfigureAwait(false);
            await engine.RevokeHereAsync(EventChannels.Conversation(id), other).ConfigureAwait(false);
        }
    }

    private static Task<List<string>> PostsReadByAsync(Connection connection)
    {
        var found = new TaskCompletionSource<List<string>>(TaskCreationOptions.RunContinuationsAsynchronously);
        connection.Shard.Post(() => found.TrySetResult(
            [.. connection.Subscriptions.Where(static subscription => subscription.Channel.Kind == "post").Select(static subscription => subscription.Channel.Id)]));
        return found.Task;
    }

    private static class Sql
    {
        public const string OfPair = "SELECT id FROM conversations WHERE pair = @Pair";
        public const string OfAuthor = "SELECT id FROM posts WHERE author_id = @Author AND id IN (SELECT value FROM json_each(@Posts))";
    }

    private static partial class Log
    {
        [LoggerMessage(3402, LogLevel.Error, "What two users read of each other, of whom one has blocked the other, could not be ended now.")]
        public static partial void NotEnded(ILogger logger, Exception exception);
    }
}
