using System.Collections.Concurrent;
using System.Text.Json;
using Tidings.Realtime.Channels;
using Tidings.Realtime.Fanout;
using Tidings.Realtime.Publications;
using Tidings.Server.Events;
using Tidings.Server.Storage;

namespace Tidings.Server.ChannelAccess;

/// <summary>
/// The rights of users who have live subscriptions on this node. They are read once, for many users at a time, and change when the
/// channel between nodes says so, which is when the change is committed; what may have been missed of that is read again. Safe for all threads.
/// </summary>
internal sealed partial class LiveRights : IChannelListener
{
    private const int ForgetEvery = 4_096;
    private static readonly TimeSpan Retry = TimeSpan.FromSeconds(1);

    private readonly ConcurrentDictionary<string, WeakReference<UserRights>> _users = new(StringComparer.Ordinal);
    private readonly BatchLoader<string, HeldRights> _loads;
    private readonly TimeProvider _clock;
    private readonly ILogger _logger;
    private int _added;
    private int _isReloading;

    public LiveRights(Store store, TimeProvider clock, ILogger<LiveRights> logger)
    {
        (_clock, _logger) = (clock, logger);
        _loads = new BatchLoader<string, HeldRights>(ids => RightsQueries.ReadAsync(store, ids, clock), clock);
    }

    /// <summary>Raised when a block came between two users.</summary>
    public event Action<string, string>? Parted;

    /// <summary>Raised when the history of a post was rewritten: it is locked now, or gone.</summary>
    public event Action<PostRewrittenPayload>? PostRewritten;

    /// <inheritdoc />
    public ChannelName Channel => EventChannels.BetweenNodes;

    /// <summary>
    /// Does on this node what every node does when it hears of it. Called after the commit and before the answer, so that whoever has the answer
    /// finds nothing here any more, however long the news takes.
    /// </summary>
    public void RewriteHere(PostRewrittenPayload change) => PostRewritten?.Invoke(change);

    /// <summary>The rights of a user, who holds on to them as long as they are needed.</summary>
    public async ValueTask<UserRights> OfAsync(string userId, CancellationToken cancellationToken)
    {
        var rights = Find(userId);
        await rights.ReadyAsync().WaitAsync(cancellationToken).ConfigureAwait(false);
        return rights;
    }

    /// <inheritdoc />
    public void Hear(Publication publication)
    {
        try
        {
            switch (publication.Draft.Type)
            {
                case LevelsHeldPayload.Type when EventJson.Read<LevelsHeldPayload>(publication.Draft.Payload) is { } levels:
                    Change(levels.UserId, held => held.WithLevels(levels.CreatorId, levels.Held));
                    break;
                case PostHeldPayload.Type when EventJson.Read<PostHeldPayload>(publication.Draft.Payload) is { } post:
                    Change(post.UserId, held => held.WithPost(post.PostId, post.Holds));
                    break;
                case ApartPayload.Type when EventJson.Read<ApartPayload>(publication.Draft.Payload) is { } apart:
                    Change(apart.UserId, held => held.WithApart(apart.OtherId, apart.IsApart));
                    Change(apart.OtherId, held => held.WithApart(apart.UserId, apart.IsApart));
                    if (apart.IsApart) Parted?.Invoke(apart.UserId, apart.OtherId);
                    break;
                case PostRewrittenPayload.Type when EventJson.Read<PostRewrittenPayload>(publication.Draft.Payload) is { } rewritten:
                    PostRewritten?.Invoke(rewritten);
                    break;
            }
        }
        catch (JsonException)
        {
            MissedSome(); // of a newer version, perhaps
        }
    }

    /// <inheritdoc />
    public void MissedSome()
    {
        if (_users.IsEmpty || Interlocked.Exchange(ref _isReloading, 1) == 1) return;
        _ = Task.Run(ReloadAsync);
    }

    private async Task ReloadAsync()
    {
        Interlocked.Exchange(ref _isReloading, 0); // what is missed from here on needs another round
        foreach (var some in _users.Values.Chunk(BatchLoader<string, HeldRights>.MaxKeys))
        {
            while (!await TryReloadAsync(some).ConfigureAwait(false)) await Task.Delay(Retry, _clock).ConfigureAwait(false);
        }
    }

    private async Task<bool> TryReloadAsync(WeakReference<UserRights>[] users)
    {
        try
        {
            await Task.WhenAll(users.Select(static user => user.TryGetTarget(out var rights) ? rights.ReloadAsync() : Task.CompletedTask)).ConfigureAwait(false);
            return true;
        }
#pragma warning disable CA1031 // The database is out of reach, whatever says so: nothing is published either.
        catch (Exception exception)
#pragma warning restore CA1031
        {
            Log.NotRead(_logger, exception);
            return false;
        }
    }

    private void Change(string userId, Func<HeldRights, HeldRights> change)
    {
        if (_users.TryGetValue(userId, out var user) && user.TryGetTarget(out var rights)) rights.Apply(change);
    }

    private UserRights Find(string userId)
    {
        while (true)
        {
            if (_users.TryGetValue(userId, out var user))
            {
                if (user.TryGetTarget(out var known)) return known;
                _users.TryRemove(KeyValuePair.Create(userId, user));
            }

            var made = new UserRights(userId, id => _loads.LoadAsync(id, CancellationToken.None), _clock);
            if (!_users.TryAdd(userId, new WeakReference<UserRights>(made))) continue;
            if (Interlocked.Increment(ref _added) % ForgetEvery == 0) ForgetUnused();
            return made;
        }
    }

    private void ForgetUnused()
    {
        foreach (var user in _users)
            if (!user.Value.TryGetTarget(out _)) _users.TryRemove(user);
    }

    private static partial class Log
    {
        [LoggerMessage(3401, LogLevel.Warning, "The rights of live readers could not be read again; it is tried until they are.")]
        public static partial void NotRead(ILogger logger, Exception exception);
    }
}
