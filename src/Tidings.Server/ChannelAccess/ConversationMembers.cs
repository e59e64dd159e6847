using System.Text.Json;
using Tidings.Server.Storage;

namespace Tidings.Server.ChannelAccess;

/// <summary>Who is in which conversation. Many that are asked for at a time cost one query. Safe for all threads.</summary>
internal sealed class ConversationMembers
{
    private readonly BatchLoader<(string Conversation, string User), Membership> _memberships;

    public ConversationMembers(Store store, TimeProvider clock) =>
        _memberships = new BatchLoader<(string Conversation, string User), Membership>(asked => FindAsync(store, asked), clock);

    private enum Membership
    {
        Unknown,
        Stranger,
        Member,

        /// <summary>Of a direct conversation whose two members are apart by a block.</summary>
        Apart,
    }

    /// <summary>Whether a block keeps a user out of a conversation of two, whoever else says that it is open.</summary>
    public async ValueTask<bool> IsApartAsync(string conversationId, string userId, CancellationToken cancellationToken) =>
        await _memberships.LoadAsync((conversationId, userId), cancellationToken).ConfigureAwait(false) == Membership.Apart;

    /// <summary>Whether a user is a member and not kept out by a block; null if there is no such conversation here, so that it may be the host app's.</summary>
    public async ValueTask<bool?> IsMemberAsync(string conversationId, string userId, CancellationToken cancellationToken) =>
        await _memberships.LoadAsync((conversationId, userId), cancellationToken).ConfigureAwait(false) switch
        {
            Membership.Member => true,
            Membership.Stranger or Membership.Apart => false,
            _ => null,
        };

    private static async Task<IReadOnlyDictionary<(string Conversation, string User), Membership>> FindAsync(
        Store store, IReadOnlyCollection<(string Conversation, string User)> asked)
    {
        var found = await store.QueryAsync<Found>(
            Sql.Members,
            new { Conversations = JsonSerializer.Serialize(asked.Select(one => one.Conversation)), Users = JsonSerializer.Serialize(asked.Select(one => one.User)) },
            CancellationToken.None).ConfigureAwait(false);
        var members = found.Where(row => row.UserId is not null).ToDictionary(row => (row.ConversationId, row.UserId!), row => row.Blocks > 0 ? Membership.Apart : Membership.Member);
        var known = found.Select(row => row.ConversationId).ToHashSet(StringComparer.Ordinal);
        return asked.ToDictionary(
            one => one,
            one => !known.Contains(one.Conversation) ? Membership.Unknown : members.GetValueOrDefault(one, Membership.Stranger));
    }

    private sealed record Found
    {
        public string ConversationId { get; init; } = "";
        public string? UserId { get; init; }
        public long Blocks { get; init; }
    }

    private static class Sql
    {
        public const string Members = """
            SELECT c.id AS ConversationId, m.user_id AS UserId,
                   (SELECT COUNT(*) FROM conversation_members o JOIN blocks b
                        ON (b.blocker_id = m.user_id AND b.blocked_id = o.user_id) OR (b.blocker_id = o.user_id AND b.blocked_id = m.user_id)
                    WHERE c.kind = 'direct' AND o.conversation_id = c.id) AS Blocks
            FROM conversations c
                 LEFT JOIN conversation_members m ON m.conversation_id = c.id AND m.user_id IN (SELECT value FROM json_each(@Users))
            WHERE c.id IN (SELECT value FROM json_each(@Conversations))
            """;
    }
}
