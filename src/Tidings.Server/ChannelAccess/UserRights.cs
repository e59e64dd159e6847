using Tidings.Server.Events;
using Tidings.Server.Features.Access;

namespace Tidings.Server.ChannelAccess;

/// <summary>What a user holds at one moment. Immutable.</summary>
/// <param name="Levels">By creator: the levels that were paid for, and until when.</param>
/// <param name="Bought">The posts that were.</param>
/// <param name="Apart">Users with whom there is a block, in either direction.</param>
internal sealed record HeldRights(
    IReadOnlyDictionary<string, IReadOnlyList<HeldLevel>> Levels, IReadOnlySet<string> Bought, IReadOnlySet<string> Apart)
{
    /// <summary>Nothing.</summary>
    public static HeldRights None { get; } = new(new Dictionary<string, IReadOnlyList<HeldLevel>>(), new HashSet<string>(), new HashSet<string>());

    /// <summary>With these levels of a creator instead of those before.</summary>
    public HeldRights WithLevels(string creatorId, IReadOnlyList<HeldLevel> held)
    {
        var levels = new Dictionary<string, IReadOnlyList<HeldLevel>>(Levels, StringComparer.Ordinal);
        if (held.Count > 0) levels[creatorId] = held;
        else levels.Remove(creatorId);
        return this with { Levels = levels };
    }

    /// <summary>With a post, or without it.</summary>
    public HeldRights WithPost(string postId, bool holds) => this with { Bought = With(Bought, postId, holds) };

    /// <summary>Apart from a user, or not any more.</summary>
    public HeldRights WithApart(string userId, bool isApart) => this with { Apart = With(Apart, userId, isApart) };

    private static HashSet<string> With(IReadOnlySet<string> set, string item, bool isIn)
    {
        var changed = new HashSet<string>(set, StringComparer.Ordinal);
        if (isIn) changed.Add(item);
        else changed.Remove(item);
        return changed;
    }
}

/// <summary>
/// A user's rights while somebody needs them: loaded once, changed by what nodes tell each other, over by the clock without anybody
/// saying so. All of a user's live subscriptions on this node share it. Safe for all threads.
/// </summary>
internal sealed class UserRights(string userId, Func<string, Task<HeldRights?>> load, TimeProvider clock)
{
    private readonly Lock _lock = new();
    private readonly List<Func<HeldRights, HeldRights>> _changesWhileLoading = [];
    private volatile HeldRights? _held;
    private Task? _loading;

    /// <summary>Whose they are.</summary>
    public string UserId => userId;

    private HeldRights Held => _held ?? HeldRights.None;

    /// <summary>Completes when they are known; throws if they could not be read.</summary>
    public Task ReadyAsync()
    {
        if (_held is not null) return Task.CompletedTask;
        lock (_lock)
        {
            if (_held is not null) return Task.CompletedTask;
            if (_loading is null or { IsCompleted: true }) _loading = LoadAsync();
            return _loading;
        }
    }

    /// <summary>Reads them again: some changes may have been missed.</summary>
    public Task ReloadAsync()
    {
        lock (_lock) return _loading = LoadAfterAsync(_loading ?? Task.CompletedTask);
    }

    /// <summary>Takes a change in.</summary>
    public void Apply(Func<HeldRights, HeldRights> change)
    {
        lock (_lock)
        {
            if (_loading is { IsCompleted: false }) _changesWhileLoading.Add(change);
            if (_held is { } held) _held = change(held);
        }
    }

    /// <summary>What the user sees of a post that is published, of which the rest is known.</summary>
    public PostView ViewOf(string postId, string authorId, bool isLocked, long? tierLevel) => PostAccess.Of(new PostFacts
    {
        IsPublished = true,
        IsAuthor = authorId == userId,
        IsBlocked = IsApartFrom(authorId),
        IsLocked = isLocked,
        TierLevel = tierLevel,
        SubscribedLevel = tierLevel is null ? 0 : LevelWith(authorId),
        HasBought = isLocked && Held.Bought.Contains(postId),
    });

    /// <summary>Whether there is a block between the two.</summary>
    public bool IsApartFrom(string otherId) => Held.Apart.Count > 0 && Held.Apart.Contains(otherId);

    /// <summary>Whether there is a block between the user and anybody.</summary>
    public bool IsApartFromSomebody => Held.Apart.Count > 0;

    private long LevelWith(string creatorId)
    {
        if (!Held.Levels.TryGetValue(creatorId, out var levels)) return 0;
        var (most, now) = (0L, clock.GetUtcNow());
        foreach (var held in levels)
            if (held.Level > most && held.Until > now) most = held.Level;
        return most;
    }

    /// <summary>One read at a time: what is read must not be older than a change that the one before has taken in.</summary>
    private async Task LoadAfterAsync(Task before)
    {
        await before.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await LoadAsync().ConfigureAwait(false);
    }

    private async Task LoadAsync()
    {
        await Task.Yield(); // the caller holds the lock
        var held = await load(userId).ConfigureAwait(false) ?? HeldRights.None;
        lock (_lock)
        {
            foreach (var change in _changesWhileLoading) held = change(held);
            _changesWhileLoading.Clear();
            _held = held;
        }
    }
}
