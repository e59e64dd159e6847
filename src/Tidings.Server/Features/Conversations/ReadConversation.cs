using Tidings.Server.Auth;
using Tidings.Server.Events;
using Tidings.Server.Features.Notifications;
using Tidings.Server.Features.Posts;
using Tidings.Server.Host;
using Tidings.Server.Storage;

namespace Tidings.Server.Features.Conversations;

/// <summary>
/// Marks a conversation as read, up to a message or all of it; the mark never goes back. The other members see it, and the user's other
/// tabs and devices.
/// </summary>
internal static class ReadConversation
{
    private const int MaxBody = 1_024;

    public sealed record Request
    {
        /// <summary>The last message that was read; the latest if it is absent.</summary>
        public string? MessageId { get; init; }
    }

    /// <summary>The group of the notifications of a conversation's messages.</summary>
    public static string GroupOf(string conversationId) => $"conversation:{conversationId}";

    public static async Task<IResult> HandleAsync(
        string id, HttpRequest http, CurrentUser user, Store store, TimeProvider clock, CancellationToken cancellationToken)
    {
        string? messageId = null;
        if (http.ContentLength is > 0 || http.ContentType is not null)
        {
            var body = await RequestJson.ReadAsync(http, ConversationsRequestJson.Strict.ReadConversation, MaxBody, withFingerprint: false, cancellationToken);
            if (body.Value is not { } request) return body.Problem!;
            messageId = request.MessageId;
        }

        if (!ConversationRules.IsId(id)) return Problems.NotFound("conversation");
        if (messageId is not null && !ConversationRules.IsId(messageId)) return Problems.Invalid("messageId", "This is not the id of a message.");

        var now = clock.GetUtcNow();
        var (unread, isUnknown) = await store.WriteAsync<(long?, bool)>(
            async write =>
            {
                if (await write.QuerySingleOrDefaultAsync<Mark>(Sql.Lock, new { Id = id, Me = user.Id }) is not { } mark) return (null, false);
                var read = await write.QuerySingleOrDefaultAsync<Message>(
                    messageId is null ? Sql.Latest : Sql.OfId, new { Id = id, MessageId = messageId ?? "", Place = mark.LastPlace });
                if (read is null) return messageId is null ? (0, false) : (null, true); // a conversation may have no message yet
                if (read.Place <= mark.ReadPlace) return (mark.LastPlace - mark.ReadPlace, false);

                await write.ExecuteAsync(Sql.Move, new { Id = id, Me = user.Id, read.Place });
                if (read.Place == mark.LastPlace) await write.ReadGroupAsync(user.Id, GroupOf(id), now);
                var members = await write.QueryAsync<string>(Sql.Told, new { Id = id, Me = user.Id });
                await write.AppendAsync(new MessageRead(id, read.Id, read.Place, user.Id, members, now));
                return (mark.LastPlace - read.Place, false);
            },
            cancellationToken);

        if (isUnknown) return Problems.NotFound("message");
        return unread is { } count
            ? TypedResults.Json(new ReadAnswer(count), ConversationsJson.Answers.ReadAnswer)
            : Problems.NotFound("conversation");
    }

    private sealed record Mark(long ReadPlace, long LastPlace);

    private sealed record Message(string Id, long Place);

    private static class Sql
    {
        public const string Lock = """
            SELECT m.read_place AS ReadPlace, c.last_place AS LastPlace
            FROM conversation_members m JOIN conversations c ON c.id = m.conversation_id
            WHERE m.conversation_id = @Id AND m.user_id = @Me /*FOR UPDATE OF m*/
            """;

        public const string Latest = "SELECT id AS Id, place AS Place FROM messages WHERE conversation_id = @Id AND place = @Place";

        public const string OfId = "SELECT id AS Id, place AS Place FROM messages WHERE id = @MessageId AND conversation_id = @Id";

        public const string Move = "UPDATE conversation_members SET read_place = @Place WHERE conversation_id = @Id AND user_id = @Me";

        /// <summary>All members; of a conversation of two who are apart by a block the reader alone.</summary>
        public const string Told = """
            SELECT m.user_id FROM conversation_members m JOIN conversations c ON c.id = m.conversation_id
            WHERE m.conversation_id = @Id AND (m.user_id = @Me OR c.kind <> 'direct' OR NOT EXISTS (
                SELECT 1 FROM blocks b WHERE (b.blocker_id = @Me AND b.blocked_id = m.user_id) OR (b.blocker_id = m.user_id AND b.blocked_id = @Me)))
            """;
    }
}
