using System.Text.Json;
using Tidings.Realtime.Channels;
using Tidings.Realtime.Connections;
using Tidings.Server.Auth;
using Tidings.Server.Features.Accounts;
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
    private readonly Revocations _revocations;
    private readonly ChannelWebhook? _webhook;
    private readonly KnownUsers _users;
    private readonly ConversationMembers _conversations;
    private readonly BatchLoader<string, Visibility> _posts;

    public ChannelAuthorizer(
        ChannelCatalog catalog,
        SubscriptionTokens tokens,
        Revocations revocations,
        KnownUsers users,
        Store store,
        TimeProvider clock,
        ChannelWebhook? webhook = null)
    {
        _catalog = catalog;
        _tokens = tokens;
        _revocations = revocations;
        _webhook = webhook;
        _users = users;
        _conversations = new ConversationMembers(store, clock);
        _posts = new BatchLoader<string, Visibility>(ids => FindPostsAsync(store, ids), clock);
    }

    /// <summary>What Tidings itself knows of a thing; what it does not know is the host app's to decide.</summary>
    private enum Visibility
    {
        Unknown,
        Hidden,
        Open,
    }

    /// <inheritdoc />
    public async ValueTask<ChannelGrant> AuthorizeAsync(
        ClientIdentity identity, ChannelName channel, string? token, CancellationToken cancellationToken)
    {
        if (!_catalog.Kinds.TryGetValue(channel.Kind, out var rules)) return ChannelGrant.Denied;

        // A token adds to what the rules allow and takes nothing from it. It is the host app's word, which then need not be asked for.
        var expiresAt = token is null || IsOwned(channel, rules) ? null : FindExpiry(token, identity.UserId, channel);
        if (await MayAsync(identity, channel, rules, expiresAt is null ? _webhook : null, cancellationToken).ConfigureAwait(false)) return GrantTo(identity);
        return expiresAt is null ? ChannelGrant.Denied : GrantTo(identity) with { ExpiresAt = expiresAt };
    }

    /// <summary>Until when a token opens a channel; null if it does not.</summary>
    private DateTimeOffset? FindExpiry(string token, string? userId, ChannelName channel) =>
        _tokens.Find(token, userId, channel) is { } jwt && !_revocations.CoverChannel(channel, userId, jwt.IssuedAt) ? jwt.ExpiresAt : null;

    private static ChannelGrant GrantTo(ClientIdentity identity) =>
        identity.UserId is { } user ? new ChannelGrant(true, new ReaderRights(user)) : ChannelGrant.Open;

    /// <summary>Whether it belongs to one user, and stays that user's whatever a token or the host app says.</summary>
    private static bool IsOwned(ChannelName channel, ChannelRules rules) =>
        rules.Access == AccessRule.Owner || channel.Kind is "feed" or "user" or "notifications";

    private static async ValueTask<bool> HostAllowsAsync(
        ChannelWebhook? host, ClientIdentity identity, ChannelName channel, CancellationToken cancellationToken) =>
        host is not null && await host.AllowsAsync(identity.UserId, channel, cancellationToken).ConfigureAwait(false);

    private async ValueTask<bool> MayAsync(
        ClientIdentity identity, ChannelName channel, ChannelRules rules, ChannelWebhook? host, CancellationToken cancellationToken) =>
        rules.Access switch
        {
            AccessRule.Public => true,
            AccessRule.SignedIn => identity.UserId is not null,
            AccessRule.Owner => IsOwner(identity, channel),
            AccessRule.Custom => await MayAsync(identity, channel, host, cancellationToken).ConfigureAwait(false),
            AccessRule.Webhook => await HostAllowsAsync(host, identity, channel, cancellationToken).ConfigureAwait(false),
            _ => false,
        };

    private async ValueTask<bool> MayAsync(
        ClientIdentity identity, ChannelName channel, ChannelWebhook? host, CancellationToken cancellationToken) =>
        (channel.Kind, channel.Id, IsSignedIn: identity.UserId is not null) switch
        {
            ("feed" or "user" or "notifications", _, _) => IsOwner(identity, channel),
            ("broadcast", "all", _) => true,
            ("public", "posts", var isSignedIn) => isSignedIn,
            ("presence", "online", var isSignedIn) => isSignedIn,
            ("creator", _, true) => await _users.ExistsAsync(channel.Id, cancellationToken).ConfigureAwait(false)
                || await HostAllowsAsync(host, identity, channel, cancellationToken).ConfigureAwait(false),
            ("post", _, true) => await _posts.LoadAsync(channel.Id, cancellationToken).ConfigureAwait(false) switch
            {
                Visibility.Open => true,
                Visibility.Unknown => await HostAllowsAsync(host, identity, channel, cancellationToken).ConfigureAwait(false),
                _ => false,
            },
            ("conversation", _, true) => await _conversations.IsMemberAsync(channel.Id, identity.UserId!, cancellationToken).ConfigureAwait(false)
                ?? await HostAllowsAsync(host, identity, channel, cancellationToken).ConfigureAwait(false),
            _ => false, // every kind that has no rule
        };

    private static bool IsOwner(ClientIdentity identity, ChannelName channel) =>
        identity.UserId is { } user && string.Equals(user, channel.Id, StringComparison.Ordinal);

    private static async Task<IReadOnlyDictionary<string, Visibility>> FindPostsAsync(Store store, IReadOnlyCollection<string> ids)
    {
        var found = await store.QueryAsync<Post>(Sql.Posts, new { Ids = JsonSerializer.Serialize(ids) }, CancellationToken.None).ConfigureAwait(false);
        return found.ToDictionary(post => post.Id, post => post is { Deleted: 0, Status: "published" } ? Visibility.Open : Visibility.Hidden, StringComparer.Ordinal);
    }

    private sealed record Post(string Id, long Deleted, string Status);

    private static class Sql
    {
        public const string Posts =
            "SELECT id AS Id, deleted AS Deleted, status AS Status FROM posts WHERE id IN (SELECT value FROM json_each(@Ids))";
    }
}
