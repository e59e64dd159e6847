using System.Text.Json;
using Tidings.Realtime.Channels;
using Tidings.Realtime.Connections;
using Tidings.Server.Auth;
using Tidings.Server.Features.Access;
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
    private readonly LiveRights _rights;
    private readonly BatchLoader<string, Post> _posts;

    public ChannelAuthorizer(
        ChannelCatalog catalog,
        SubscriptionTokens tokens,
        Revocations revocations,
        KnownUsers users,
        LiveRights rights,
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
        _rights = rights;
        _posts = new BatchLoader<string, Post>(ids => FindPostsAsync(store, ids), clock);
    }

    /// <inheritdoc />
    public async ValueTask<ChannelGrant> AuthorizeAsync(
        ClientIdentity identity, ChannelName channel, string? token, CancellationToken cancellationToken)
    {
        if (!_catalog.Kinds.TryGetValue(channel.Kind, out var rules)) return ChannelGrant.Denied;

        // A token adds to what the rules allow and takes nothing from it. It is the host app's word, which then need not be asked for.
        var expiresAt = token is null || IsOwned(channel, rules) ? null : FindExpiry(token, identity.UserId, channel);
        var rights = identity.UserId is { } user && HasTwoForms(channel) ? await _rights.OfAsync(user, cancellationToken).ConfigureAwait(false) : null;
        if (await MayAsync(identity, channel, rules, rights, expiresAt is null ? _webhook : null, cancellationToken).ConfigureAwait(false)) return GrantTo(rights);
        if (expiresAt is null || await IsApartAsync(identity.UserId, channel, rights, cancellationToken).ConfigureAwait(false)) return ChannelGrant.Denied;
        return GrantTo(rights) with { ExpiresAt = expiresAt };
    }

    /// <summary>Whether a block keeps a user out, which no token opens: it may have been given before, and the host app need not know of blocks.</summary>
    private async ValueTask<bool> IsApartAsync(string? userId, ChannelName channel, UserRights? rights, CancellationToken cancellationToken) => channel.Kind switch
    {
        _ when userId is null => false,
        "creator" => rights!.IsApartFrom(channel.Id),
        "post" => rights!.IsApartFromSomebody
            && await _posts.LoadAsync(channel.Id, cancellationToken).ConfigureAwait(false) is { } post && rights.IsApartFrom(post.AuthorId),
        "conversation" => await _conversations.IsApartAsync(channel.Id, userId, cancellationToken).ConfigureAwait(false),
        _ => false,
    };

    /// <summary>Until when a token opens a channel; null if it does not.</summary>
    private DateTimeOffset? FindExpiry(string token, string? userId, ChannelName channel) =>
        _tokens.Find(token, userId, channel) is { } jwt && !_revocations.CoverChannel(channel, userId, jwt.IssuedAt) ? jwt.ExpiresAt : null;

    private static ChannelGrant GrantTo(UserRights? rights) => rights is null ? ChannelGrant.Open : new ChannelGrant(true, new ReaderRights(rights));

    /// <summary>Whether what a reader sees in the channel depends on who the reader is.</summary>
    private static bool HasTwoForms(ChannelName channel) => channel.Kind is "feed" or "creator" or "post" or "public";

    /// <summary>Whether it belongs to one user, and stays that user's whatever a token or the host app says.</summary>
    private static bool IsOwned(ChannelName channel, ChannelRules rules) =>
        rules.Access == AccessRule.Owner || channel.Kind is "feed" or "user" or "notifications";

    private static async ValueTask<bool> HostAllowsAsync(
        ChannelWebhook? host, ClientIdentity identity, ChannelName channel, CancellationToken cancellationToken) =>
        host is not null && await host.AllowsAsync(identity.UserId, channel, cancellationToken).ConfigureAwait(false);

    private async ValueTask<bool> MayAsync(
        ClientIdentity identity, ChannelName channel, ChannelRules rules, UserRights? rights, ChannelWebhook? host, CancellationToken cancellationToken) =>
        rules.Access switch
        {
            AccessRule.Public => true,
            AccessRule.SignedIn => identity.UserId is not null,
            AccessRule.Owner => IsOwner(identity, channel),
            AccessRule.Custom => await MayAsync(identity, channel, rights, host, cancellationToken).ConfigureAwait(false),
            AccessRule.Webhook => await HostAllowsAsync(host, identity, channel, cancellationToken).ConfigureAwait(false),
            _ => false,
        };

    private async ValueTask<bool> MayAsync(
        ClientIdentity identity, ChannelName channel, UserRights? rights, ChannelWebhook? host, CancellationToken cancellationToken) =>
        (channel.Kind, channel.Id, IsSignedIn: identity.UserId is not null) switch
        {
            ("feed" or "user" or "notifications", _, _) => IsOwner(identity, channel),
            ("broadcast", "all", _) => true,
            ("public", "posts", var isSignedIn) => isSignedIn,
            ("presence", "online", var isSignedIn) => isSignedIn,
            ("creator", _, true) when rights!.IsApartFrom(channel.Id) => false,
            ("creator", _, true) => await _users.ExistsAsync(channel.Id, cancellationToken).ConfigureAwait(false)
                || await HostAllowsAsync(host, identity, channel, cancellationToken).ConfigureAwait(false),
            ("post", _, true) => await _posts.LoadAsync(channel.Id, cancellationToken).ConfigureAwait(false) switch
            {
                { Deleted: 0, Status: "published" } post => rights!.ViewOf(post.Id, post.AuthorId, post.IsLocked != 0, post.TierLevel) != PostView.Hidden,
                { Deleted: 0 } draft => draft.AuthorId == identity.UserId,
                not null => false,
                _ => await HostAllowsAsync(host, identity, channel, cancellationToken).ConfigureAwait(false), // what Tidings does not know is the host app's
            },
            ("conversation", _, true) => await _conversations.IsMemberAsync(channel.Id, identity.UserId!, cancellationToken).ConfigureAwait(false)
                ?? await HostAllowsAsync(host, identity, channel, cancellationToken).ConfigureAwait(false),
            _ => false, // every kind that has no rule
        };

    private static bool IsOwner(ClientIdentity identity, ChannelName channel) =>
        identity.UserId is { } user && string.Equals(user, channel.Id, StringComparison.Ordinal);

    private static async Task<IReadOnlyDictionary<string, Post>> FindPostsAsync(Store store, IReadOnlyCollection<string> ids)
    {
        var found = await store.QueryAsync<Post>(Sql.Posts, new { Ids = JsonSerializer.Serialize(ids) }, CancellationToken.None).ConfigureAwait(false);
        return found.ToDictionary(static post => post.Id, StringComparer.Ordinal);
    }

    private sealed record Post
    {
        public string Id { get; init; } = "";
        public string AuthorId { get; init; } = "";
        public long Deleted { get; init; }
        public string Status { get; init; } = "";
        public long IsLocked { get; init; }
        public long? TierLevel { get; init; }
    }

    private static class Sql
    {
        public const string Posts = """
            SELECT id AS Id, author_id AS AuthorId, deleted AS Deleted, status AS Status, is_locked AS IsLocked, tier_level AS TierLevel
            FROM posts WHERE id IN (SELECT value FROM json_each(@Ids))
            """;
    }
}
