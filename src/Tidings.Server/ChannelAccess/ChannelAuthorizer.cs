using System.Text.Json;
using Dapper;
using Tidings.Realtime.Channels;
using Tidings.Realtime.Connections;
using Tidings.Server.Auth;
using Tidings.Server.Storage;

namespace Tidings.Server.ChannelAccess;

/// <summary>
/// Who may subscribe to what, decided by the parsed parts of a name, which are compared whole and byte for byte. What no rule allows
/// is denied.
/// </summary>
internal sealed class ChannelAuthorizer : IChannelAuthorizer
{
    private readonly ChannelCatalog _catalog;
    private readonly SubscriptionTokens _tokens;
    private readonly BatchLoader<string, bool> _users;
    private readonly BatchLoader<string, bool> _posts;

    public ChannelAuthorizer(ChannelCatalog catalog, SubscriptionTokens tokens, Store store, TimeProvider clock)
    {
        _catalog = catalog;
        _tokens = tokens;
        _users = new BatchLoader<string, bool>(ids => FindAsync(store, Sql.Users, ids), clock);
        _posts = new BatchLoader<string, bool>(ids => FindAsync(store, Sql.Posts, ids), clock);
    }

    /// <inheritdoc />
    public async ValueTask<ChannelGrant> AuthorizeAsync(
        ClientIdentity identity, ChannelName channel, string? token, CancellationToken cancellationToken)
    {
        if (!_catalog.Kinds.TryGetValue(channel.Kind, out var rules)) return ChannelGrant.Denied;

        var isAllowed = rules.Access switch
        {
            AccessRule.Public => true,
            AccessRule.SignedIn => identity.UserId is not null,
            AccessRule.Owner => IsOwner(identity, channel),
            AccessRule.Custom => await MayAsync(identity, channel, cancellationToken).ConfigureAwait(false),
            AccessRule.Token => token is not null && _tokens.Allows(token, identity.UserId, channel),
            _ => false,
        };

        if (!isAllowed) return ChannelGrant.Denied;
        return identity.UserId is { } user ? new ChannelGrant(true, new ReaderRights(user)) : ChannelGrant.Open;
    }

    private async ValueTask<bool> MayAsync(ClientIdentity identity, ChannelName channel, CancellationToken cancellationToken) =>
        (channel.Kind, channel.Id, IsSignedIn: identity.UserId is not null) switch
        {
            ("feed" or "user" or "notifications", _, _) => IsOwner(identity, channel),
            ("broadcast", "all", _) => true,
            ("public", "posts", var isSignedIn) => isSignedIn,
            ("presence", "online", var isSignedIn) => isSignedIn,
            ("creator", _, true) => await _users.LoadAsync(channel.Id, cancellationToken).ConfigureAwait(false),
            ("post", _, true) => await _posts.LoadAsync(channel.Id, cancellationToken).ConfigureAwait(false),
            _ => false, // conversations, until there are messages, and every kind that has no rule
        };

    private static bool IsOwner(ClientIdentity identity, ChannelName channel) =>
        identity.UserId is { } user && string.Equals(user, channel.Id, StringComparison.Ordinal);

    private static Task<IReadOnlyDictionary<string, bool>> FindAsync(Store store, string sql, IReadOnlyCollection<string> ids) =>
        store.ReadAsync<IReadOnlyDictionary<string, bool>>(
            async connection =>
            {
                var found = await connection.QueryAsync<string>(sql, new { Ids = JsonSerializer.Serialize(ids) }).ConfigureAwait(false);
                return found.ToDictionary(id => id, _ => true, StringComparer.Ordinal);
            },
            CancellationToken.None);

    private static class Sql
    {
        public const string Users = "SELECT id FROM users WHERE id IN (SELECT value FROM json_each(@Ids))";

        public const string Posts =
            "SELECT id FROM posts WHERE id IN (SELECT value FROM json_each(@Ids)) AND deleted = 0 AND status = 'published'";
    }
}
