using System.Text.Json;
using Tidings.Server.Host;
using Tidings.Server.Storage;

namespace Tidings.Server.Features.Accounts;

/// <summary>
/// Whether there is a user of an id. Those who are there are remembered, in bounded memory; many unknown ones that are asked for at a time
/// cost one query. Safe for all threads.
/// </summary>
internal sealed class KnownUsers
{
    private const int Remembered = 100_000;

    private readonly BoundedCache<string, bool> _known = new(Remembered);
    private readonly BatchLoader<string, bool> _lookups;

    public KnownUsers(Store store, TimeProvider clock) => _lookups = new BatchLoader<string, bool>(ids => FindAsync(store, ids), clock);

    /// <summary>Whether the user is remembered to be there.</summary>
    public bool IsRemembered(string userId) => _known.TryGet(userId, out _);

    /// <summary>Whether the user is there.</summary>
    public async ValueTask<bool> ExistsAsync(string userId, CancellationToken cancellationToken)
    {
        if (IsRemembered(userId)) return true;
        if (!await _lookups.LoadAsync(userId, cancellationToken)) return false;
        Remember(userId);
        return true;
    }

    /// <summary>The user is there now.</summary>
    public void Remember(string userId) => _known.Set(userId, true);

    /// <summary>The user is there no longer.</summary>
    public void Forget(string userId) => _known.Remove(userId);

    private static async Task<IReadOnlyDictionary<string, bool>> FindAsync(Store store, IReadOnlyCollection<string> ids)
    {
        var found = await store.QueryAsync<string>(Sql.Existing, new { Ids = JsonSerializer.Serialize(ids) }, CancellationToken.None);
        return found.ToDictionary(id => id, _ => true, StringComparer.Ordinal);
    }

    private static class Sql
    {
        public const string Existing = "SELECT id FROM users WHERE id IN (SELECT value FROM json_each(@Ids))";
    }
}
